"""Addresses of auctions, results, orders and allocations."""

from django.urls import path

from orders.api import (
    allocation_views,
    auction_views,
    operator_views,
    order_views,
    session_phase_views,
)

urlpatterns = [
    path("auctions/", auction_views.AuctionList.as_view(), name="api-auctions"),
    path("auctions/<uuid:public_id>/", auction_views.AuctionView.as_view(), name="api-auction"),
    path(
        "auctions/<uuid:public_id>/prices/",
        auction_views.AuctionPrices.as_view(),
        name="api-auction-prices",
    ),
    path(
        "auctions/<uuid:public_id>/flows/",
        auction_views.AuctionFlows.as_view(),
        name="api-auction-flows",
    ),
    path(
        "auctions/<uuid:public_id>/curves/",
        auction_views.AuctionCurves.as_view(),
        name="api-auction-curves",
    ),
    path(
        "auctions/<uuid:public_id>/halt/",
        operator_views.AuctionHalt.as_view(),
        name="api-auction-halt",
    ),
    path(
        "auctions/<uuid:public_id>/resume/",
        operator_views.AuctionResumption.as_view(),
        name="api-auction-resume",
    ),
    path(
        "auctions/<uuid:public_id>/cancel/",
        operator_views.AuctionCancellation.as_view(),
        name="api-auction-cancel",
    ),
    path(
        "auctions/<uuid:public_id>/extend/",
        operator_views.AuctionExtension.as_view(),
        name="api-auction-extend",
    ),
    path(
        "auctions/<uuid:public_id>/rerun/",
        operator_views.AuctionRerun.as_view(),
        name="api-auction-rerun",
    ),
    path(
        "auctions/<uuid:public_id>/indicative/",
        session_phase_views.AuctionIndicative.as_view(),
        name="api-auction-indicative",
    ),
    path(
        "operator/requests/",
        operator_views.RequestList.as_view(),
        name="api-operator-requests",
    ),
    path(
        "operator/requests/<uuid:public_id>/approve/",
        operator_views.RequestApproval.as_view(),
        name="api-operator-request-approve",
    ),
    path(
        "operator/requests/<uuid:public_id>/refuse/",
        operator_views.RequestRefusal.as_view(),
        name="api-operator-request-refuse",
    ),
    path("clearing-runs/", auction_views.RunList.as_view(), name="api-clearing-runs"),
    path(
        "clearing-runs/<uuid:public_id>/",
        auction_views.RunView.as_view(),
        name="api-clearing-run",
    ),
    path("orders/", order_views.OrderList.as_view(), name="api-orders"),
    path("orders/preview/", order_views.OrderPreviewView.as_view(), name="api-order-preview"),
    path("orders/<uuid:public_id>/", order_views.OrderDetail.as_view(), name="api-order"),
    path(
        "orders/<uuid:public_id>/change/",
        session_phase_views.OrderRevision.as_view(),
        name="api-order-change",
    ),
    path(
        "orders/<uuid:public_id>/cancel/",
        order_views.OrderCancellation.as_view(),
        name="api-order-cancel",
    ),
    path("allocations/", allocation_views.AllocationList.as_view(), name="api-allocations"),
    path(
        "allocations/<uuid:public_id>/",
        allocation_views.AllocationView.as_view(),
        name="api-allocation",
    ),
]
