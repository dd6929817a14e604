"""Pages of carbon statements, factor sets, metered PUE and hourly green supply."""

from django.urls import path

from settlement.web.carbon import factor_pages, statement_pages, supply_pages

STATEMENT = "carbon/statements/<uuid:public_id>"
SUPPLY = "carbon/green-supply/<slug:identifier>"
FACTOR_SET = "carbon/factor-sets/<uuid:public_id>"

urlpatterns = [
    path("carbon/statements/", statement_pages.list_statements, name="carbon-statements"),
    path("carbon/statements/state/", statement_pages.state_month, name="carbon-state-month"),
    path(f"{STATEMENT}/", statement_pages.show_statement, name="carbon-statement"),
    path(f"{STATEMENT}/correct/", statement_pages.correct_statement, name="carbon-correct"),
    path(f"{STATEMENT}/close/", statement_pages.close_month, name="carbon-close"),
    path(
        f"{STATEMENT}/evidence.<str:file_format>",
        statement_pages.download_evidence,
        name="carbon-evidence",
    ),
    path(
        f"{STATEMENT}/deliveries/<uuid:delivery_id>/",
        statement_pages.show_hours,
        name="carbon-hours",
    ),
    path("carbon/factor-sets/", factor_pages.list_factor_sets, name="factor-sets"),
    path("carbon/factor-sets/new/", factor_pages.add_factor_set, name="factor-set-new"),
    path(f"{FACTOR_SET}/", factor_pages.show_factor_set, name="factor-set"),
    path(f"{FACTOR_SET}/decide/", factor_pages.decide, name="factor-set-decide"),
    path("carbon/pue/", factor_pages.upload_pue, name="pue-upload"),
    path("carbon/green-supply/", supply_pages.list_supply, name="green-supply"),
    path("carbon/green-supply/sources/new/", supply_pages.add_source, name="green-source-new"),
    path("carbon/green-supply/hours/new/", supply_pages.record_hour, name="green-supply-hour"),
    path("carbon/green-supply/hours/file/", supply_pages.upload_hours, name="green-supply-upload"),
    path(f"{SUPPLY}/", supply_pages.show_pool, name="green-supply-pool"),
    path(f"{SUPPLY}/hours.csv", supply_pages.download_hours, name="green-supply-file"),
]
