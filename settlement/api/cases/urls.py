"""Addresses of disputes and vouchers for programs."""

from django.urls import path

from settlement.api.cases import views

DISPUTE = "disputes/<uuid:public_id>"

urlpatterns = [
    path("disputes/", views.DisputeList.as_view(), name="api-disputes"),
    path(f"{DISPUTE}/", views.DisputeDetail.as_view(), name="api-dispute"),
    path(f"{DISPUTE}/answer/", views.DisputeAnswer.as_view(), name="api-dispute-answer"),
    path(f"{DISPUTE}/insist/", views.DisputeInsistence.as_view(), name="api-dispute-insist"),
    path(f"{DISPUTE}/withdraw/", views.DisputeWithdrawal.as_view(), name="api-dispute-withdraw"),
    path(f"{DISPUTE}/messages/", views.DisputeMessages.as_view(), name="api-dispute-messages"),
    path("vouchers/", views.VoucherList.as_view(), name="api-vouchers"),
    path(
        "vouchers/<uuid:public_id>/redeem/",
        views.VoucherRedemption.as_view(),
        name="api-voucher-redeem",
    ),
]
