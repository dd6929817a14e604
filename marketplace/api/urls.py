"""Addresses of reference data, organisations, tokens, pools and listings."""

from django.urls import path

from marketplace.api import (
    admission_views,
    notification_views,
    reference_views,
    supplier_views,
    token_views,
)

urlpatterns = [
    path("hubs/", reference_views.HubsView.as_view(), name="api-hubs"),
    path("links/", reference_views.LinksView.as_view(), name="api-links"),
    path("products/", reference_views.ProductsView.as_view(), name="api-products"),
    path("scenarios/", reference_views.ScenariosView.as_view(), name="api-scenarios"),
    path("clock/", reference_views.ClockView.as_view(), name="api-clock"),
    path("me/", admission_views.OwnView.as_view(), name="api-me"),
    path("organisations/", admission_views.RegistrationView.as_view(), name="api-organisations"),
    path("admissions/", admission_views.AdmissionsView.as_view(), name="api-admissions"),
    path(
        "admissions/<uuid:public_id>/approve/",
        admission_views.Approval.as_view(),
        name="api-admission-approve",
    ),
    path(
        "admissions/<uuid:public_id>/reject/",
        admission_views.Rejection.as_view(),
        name="api-admission-reject",
    ),
    path(
        "admissions/<uuid:public_id>/suspend/",
        admission_views.Suspension.as_view(),
        name="api-admission-suspend",
    ),
    path("tokens/", token_views.TokensView.as_view(), name="api-tokens"),
    path("tokens/<slug:token_key>/", token_views.TokenView.as_view(), name="api-token"),
    path(
        "notifications/", notification_views.NotificationsView.as_view(), name="api-notifications"
    ),
    path(
        "notifications/read/",
        notification_views.NotificationsRead.as_view(),
        name="api-notifications-read",
    ),
    path("webhooks/", notification_views.WebhooksView.as_view(), name="api-webhooks"),
    path(
        "webhooks/<uuid:public_id>/",
        notification_views.WebhookDetail.as_view(),
        name="api-webhook",
    ),
    path(
        "webhooks/<uuid:public_id>/test/",
        notification_views.WebhookTest.as_view(),
        name="api-webhook-test",
    ),
    path(
        "webhooks/<uuid:public_id>/deliveries/",
        notification_views.WebhookDeliveries.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        "webhook-deliveries/<uuid:public_id>/again/",
        notification_views.WebhookRedelivery.as_view(),
        name="api-webhook-redelivery",
    ),
    path("pools/", supplier_views.PoolsView.as_view(), name="api-pools"),
    path("pools/<slug:identifier>/", supplier_views.PoolView.as_view(), name="api-pool"),
    path("listings/", supplier_views.ListingsView.as_view(), name="api-listings"),
    path("listings/import/", supplier_views.ListingImport.as_view(), name="api-listing-import"),
    path("listings/<uuid:public_id>/", supplier_views.ListingView.as_view(), name="api-listing"),
    path(
        "listings/<uuid:public_id>/pause/",
        supplier_views.ListingPause.as_view(),
        name="api-listing-pause",
    ),
    path(
        "listings/<uuid:public_id>/resume/",
        supplier_views.ListingResumption.as_view(),
        name="api-listing-resume",
    ),
    path(
        "listings/<uuid:public_id>/withdraw/",
        supplier_views.ListingWithdrawal.as_view(),
        name="api-listing-withdraw",
    ),
]
