"""Addresses of deliveries, readings and money."""

from django.urls import path

from settlement.api import delivery_views, money_views
from settlement.api.banking import urls as banking_urls
from settlement.api.carbon import urls as carbon_urls
from settlement.api.cases import urls as cases_urls
from settlement.api.recognition import urls as recognition_urls
from settlement.api.registry import urls as registry_urls

urlpatterns = [
    *banking_urls.urlpatterns,
    *cases_urls.urlpatterns,
    path("deliveries/", delivery_views.DeliveryList.as_view(), name="api-deliveries"),
    path(
        "deliveries/<uuid:public_id>/", delivery_views.DeliveryDetail.as_view(), name="api-delivery"
    ),
    path(
        "deliveries/<uuid:public_id>/hand-over/",
        delivery_views.HandOver.as_view(),
        name="api-delivery-hand-over",
    ),
    path(
        "deliveries/<uuid:public_id>/accept/",
        delivery_views.Acceptance.as_view(),
        name="api-delivery-accept",
    ),
    path(
        "deliveries/<uuid:public_id>/reveal-access/",
        delivery_views.AccessReveal.as_view(),
        name="api-delivery-reveal-access",
    ),
    path(
        "deliveries/<uuid:public_id>/readings/",
        delivery_views.DeliveryReadings.as_view(),
        name="api-delivery-readings",
    ),
    path(
        "deliveries/<uuid:public_id>/corrections/",
        delivery_views.DeliveryCorrections.as_view(),
        name="api-delivery-corrections",
    ),
    path("readings/", delivery_views.Readings.as_view(), name="api-readings"),
    path("readings/import/", delivery_views.ReadingImport.as_view(), name="api-reading-import"),
    path("balance/", money_views.BalanceView.as_view(), name="api-balance"),
    path("bills/", money_views.BillList.as_view(), name="api-bills"),
    path("bills/<uuid:public_id>/", money_views.BillView.as_view(), name="api-bill"),
    path("statement/", money_views.StatementView.as_view(), name="api-statement"),
    *carbon_urls.urlpatterns,
    *recognition_urls.urlpatterns,
    *registry_urls.urlpatterns,
]
