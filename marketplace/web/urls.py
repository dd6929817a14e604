"""Pages of the catalogue, and what every page needs: sign-in, language, organisation."""

from django.urls import path

from marketplace.web import session_pages

urlpatterns = [
    path("sign-in/", session_pages.SignInView.as_view(), name="sign-in"),
    path("sign-out/", session_pages.SignOutView.as_view(), name="sign-out"),
    path("language/", session_pages.choose_language, name="set_language"),
    path("organisation/", session_pages.switch_organisation, name="switch-organisation"),
]
