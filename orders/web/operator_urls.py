"""Pages of the market operator: auction control, audit trail."""

from django.urls import path

from orders.web import audit_pages, operator_pages

urlpatterns = [
    path("auctions/", operator_pages.list_control, name="auction-control"),
    path("auctions/<slug:code>/", operator_pages.show_control, name="auction-control-detail"),
    *(
        path(
            f"auctions/<slug:code>/{act}/",
            operator_pages.act_on_auction,
            {"act": act},
            name=f"auction-{act}",
        )
        for act in operator_pages.ACTS
    ),
    path("audit/", audit_pages.list_audit, name="audit-log"),
    path("audit/export.csv", audit_pages.export_audit, name="audit-csv"),
]
