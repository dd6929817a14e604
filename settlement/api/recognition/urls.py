"""Addresses of recognition and netting."""

from django.urls import path

from settlement.api.recognition import desk_views, netting_views, views

AGREEMENT = "agreements/<uuid:public_id>"
VERSION = "agreement-versions/<uuid:public_id>"
CYCLE = "netting-cycles/<uuid:public_id>"

urlpatterns = [
    path("agreements/", desk_views.AgreementsDesk.as_view(), name="api-agreements"),
    path(
        f"{AGREEMENT}/versions/",
        desk_views.AgreementChange.as_view(),
        name="api-agreement-change",
    ),
    path(f"{AGREEMENT}/status/", desk_views.AgreementRest.as_view(), name="api-agreement-status"),
    path(
        "agreement-versions/",
        desk_views.AgreementVersionsView.as_view(),
        name="api-agreement-versions",
    ),
    path(
        f"{VERSION}/approve/",
        desk_views.AgreementApproval.as_view(),
        name="api-agreement-version-approve",
    ),
    path(
        f"{VERSION}/refuse/",
        desk_views.AgreementRefusal.as_view(),
        name="api-agreement-version-refuse",
    ),
    path("scheme-memberships/", desk_views.SchemesView.as_view(), name="api-scheme-memberships"),
    path(
        "corresponding-adjustments/",
        desk_views.AdjustmentsView.as_view(),
        name="api-corresponding-adjustments",
    ),
    path("recognitions/", views.RecognitionsView.as_view(), name="api-recognitions"),
    path("recognitions/<uuid:public_id>/", views.RecognitionView.as_view(), name="api-recognition"),
    path("netting-cycles/", netting_views.CyclesDesk.as_view(), name="api-netting-cycles"),
    path(f"{CYCLE}/", views.CycleView.as_view(), name="api-netting-cycle"),
    path(
        f"{CYCLE}/obligations/",
        netting_views.Obligations.as_view(),
        name="api-netting-cycle-obligations",
    ),
    path(
        f"{CYCLE}/freeze/", netting_views.CycleFreezing.as_view(), name="api-netting-cycle-freeze"
    ),
    path(
        f"{CYCLE}/compute/",
        netting_views.CycleComputation.as_view(),
        name="api-netting-cycle-compute",
    ),
    path(
        f"{CYCLE}/settle/",
        netting_views.CycleSettlement.as_view(),
        name="api-netting-cycle-settle",
    ),
    path(
        f"{CYCLE}/failures/",
        netting_views.CycleFailures.as_view(),
        name="api-netting-cycle-failures",
    ),
]
