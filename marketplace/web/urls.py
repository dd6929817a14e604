"""Pages of the catalogue, and what every page needs: sign-in, language, organisation."""

from django.urls import include, path

from marketplace.web import draft_pages, hub_pages, market_pages, session_pages

urlpatterns = [
    path("capacity/", include("marketplace.web.supplier_urls")),
    path("", include("marketplace.web.member_urls")),
    path("", include("marketplace.web.voice_urls")),
    path("", include("marketplace.web.account_urls")),
    path("market/", market_pages.search_market, name="market"),
    path("market/<uuid:public_id>/", market_pages.show_listing, name="listing"),
    path("hubs/", hub_pages.list_hubs, name="hubs"),
    path("hubs/<slug:code>/", hub_pages.show_hub, name="hub"),
    path("rules/", include("marketplace.web.rulebook_urls")),
    path("sign-in/", session_pages.SignInView.as_view(), name="sign-in"),
    path("sign-out/", session_pages.SignOutView.as_view(), name="sign-out"),
    path("draft/", draft_pages.offer_draft, name="draft"),
    path("draft/discard/", draft_pages.discard_draft, name="draft-discard"),
    path("language/", session_pages.choose_language, name="set_language"),
    path("organisation/", session_pages.switch_organisation, name="switch-organisation"),
]
