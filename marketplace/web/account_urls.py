"""Pages of one's own account and organisation: security, people, tokens, what one is told."""

from django.urls import path

from marketplace.web import (
    account_pages,
    notification_pages,
    password_pages,
    people_pages,
    second_factor_pages,
    token_pages,
    webhook_pages,
)

HOOK = "account/webhooks/<uuid:public_id>"

urlpatterns = [
    path("sign-in/code/", second_factor_pages.ask_code, name="second-factor"),
    path("account/", account_pages.show_account, name="account"),
    path("account/security/", account_pages.show_security, name="security"),
    path("account/password/", account_pages.show_password, name="password"),
    path("account/sessions/end-others/", account_pages.end_others, name="sessions-end-others"),
    path("account/sessions/<slug:name>/end/", account_pages.end_session, name="session-end"),
    path("account/confirm/", second_factor_pages.confirm_identity, name="confirm-identity"),
    path("account/second-factor/", second_factor_pages.set_up, name="second-factor-set-up"),
    path("account/second-factor/off/", second_factor_pages.switch_off, name="second-factor-off"),
    path(
        "account/second-factor/reset/<int:user_id>/",
        second_factor_pages.reset_of,
        name="second-factor-reset",
    ),
    path("account/recovery-codes/", second_factor_pages.renew_codes, name="recovery-codes"),
    path("password-reset/", password_pages.ask_link, name="password-reset"),
    path(
        "password-reset/<str:number>/<str:token>/",
        password_pages.follow_link,
        name="password-reset-link",
    ),
    path("account/tokens/", token_pages.list_tokens, name="api-token-list"),
    path("account/tokens/new/", token_pages.make_token, name="api-token-new"),
    path("account/tokens/<slug:token_key>/", token_pages.drop_token, name="api-token-revoke"),
    path("account/people/", people_pages.list_people, name="people"),
    path("account/people/invite/", people_pages.invite_person, name="invite"),
    path("account/people/<int:membership_id>/", people_pages.take_role, name="role-take"),
    path(
        "account/invitations/<uuid:public_id>/withdraw/",
        people_pages.withdraw,
        name="invitation-withdraw",
    ),
    path("invitations/<str:secret>/", people_pages.answer_invitation, name="invitation"),
    path("account/webhooks/", webhook_pages.list_webhooks, name="webhooks"),
    path("account/webhooks/new/", webhook_pages.new_webhook, name="webhook-new"),
    path(f"{HOOK}/", webhook_pages.show_webhook, name="webhook"),
    path(f"{HOOK}/switch/", webhook_pages.switch_webhook, name="webhook-switch"),
    path(f"{HOOK}/test/", webhook_pages.test_webhook, name="webhook-test"),
    path(
        f"{HOOK}/deliveries/<uuid:number>/again/",
        webhook_pages.redeliver_event,
        name="webhook-redeliver",
    ),
    path("notifications/", notification_pages.list_notifications, name="notifications"),
    path("notifications/count/", notification_pages.show_count, name="notification-count"),
    path("notifications/read/", notification_pages.read_all, name="notifications-read"),
    path(
        "notifications/<uuid:public_id>/", notification_pages.open_notification, name="notification"
    ),
    path(
        "account/notifications/",
        notification_pages.choose_notifications,
        name="notification-settings",
    ),
]
