"""Addresses of carbon statements."""

from django.urls import path

from settlement.api.carbon import desk_views, supply_views, views

STATEMENT = "carbon/statements/<uuid:public_id>"

urlpatterns = [
    path("carbon/statements/", views.CarbonStatementList.as_view(), name="api-carbon-statements"),
    path(f"{STATEMENT}/", views.CarbonStatementDetail.as_view(), name="api-carbon-statement"),
    path(
        f"{STATEMENT}/close/",
        views.CarbonStatementClose.as_view(),
        name="api-carbon-statement-close",
    ),
    path(
        f"{STATEMENT}/correct/",
        views.CarbonStatementCorrection.as_view(),
        name="api-carbon-statement-correct",
    ),
    path("factor-sets/", desk_views.FactorSetsView.as_view(), name="api-factor-sets"),
    path(
        "factor-sets/<uuid:public_id>/approve/",
        desk_views.FactorSetApproval.as_view(),
        name="api-factor-set-approve",
    ),
    path(
        "factor-sets/<uuid:public_id>/refuse/",
        desk_views.FactorSetRefusal.as_view(),
        name="api-factor-set-refuse",
    ),
    path("pue-files/", desk_views.PueFiles.as_view(), name="api-pue-files"),
    path("green-sources/", supply_views.GreenSources.as_view(), name="api-green-sources"),
    path("green-supply/", supply_views.GreenSupply.as_view(), name="api-green-supply"),
    path(
        "green-supply-files/",
        supply_views.GreenSupplyFiles.as_view(),
        name="api-green-supply-files",
    ),
    path("green-references/", supply_views.GreenReferences.as_view(), name="api-green-references"),
    path(
        f"{STATEMENT}/evidence/<slug:file_format>/",
        views.CarbonEvidence.as_view(),
        name="api-carbon-evidence",
    ),
]
