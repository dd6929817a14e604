"""Pages of one's own account: sign-in steps, security, tokens."""

from django.urls import path

from marketplace.web import second_factor_pages

urlpatterns = [
    path("sign-in/code/", second_factor_pages.ask_code, name="second-factor"),
    path("account/confirm/", second_factor_pages.confirm_identity, name="confirm-identity"),
    path("account/second-factor/", second_factor_pages.set_up, name="second-factor-set-up"),
    path("account/second-factor/off/", second_factor_pages.switch_off, name="second-factor-off"),
    path("account/recovery-codes/", second_factor_pages.renew_codes, name="recovery-codes"),
]
