"""Pages of reports and of files made in the background."""

from django.urls import path

from settlement.web.reports import exports, finance, pages

urlpatterns = [
    path("finance/", finance.show_finance, name="finance"),
    path("finance/entries/", pages.show_report, {"code": "journal"}, name="ledger-explorer"),
    path("finance/reports/", pages.list_reports, name="reports"),
    path("finance/reports/<slug:code>/", pages.show_report, name="report"),
    path(
        "finance/reports/<slug:code>/file.<str:file_format>",
        pages.download_report,
        name="report-file",
    ),
    path(
        "finance/reports/<slug:code>/export/<str:file_format>/",
        pages.export_in_background,
        name="report-export",
    ),
    path("exports/", exports.list_exports, name="exports"),
    path("exports/<uuid:public_id>/file/", exports.download_export, name="export-file"),
    path(
        "exports/<uuid:public_id>/manifest.json", exports.download_manifest, name="export-manifest"
    ),
    path("exports/<uuid:public_id>/delete/", exports.delete_export, name="export-delete"),
]
