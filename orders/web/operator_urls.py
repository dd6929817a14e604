"""Pages of the market operator: auction control, audit trail."""

from django.urls import path

from orders.web import (
    audit_pages,
    control_room,
    master_pages,
    operator_pages,
    request_pages,
    surveillance_pages,
    terms_pages,
)
from orders.web.acts import ACTS

LISTS = {"hub": "master-hubs", "link": "links", "product": "products", "calendar": "calendars"}
FOLDERS = {"hub": "hubs", "link": "links", "product": "products", "calendar": "calendars"}

urlpatterns = [
    path("", control_room.show_control_room, name="control-room"),
    path("live/", control_room.show_live, name="control-room-live"),
    path("auctions/", operator_pages.list_control, name="auction-control"),
    path("auctions/<slug:code>/", operator_pages.show_control, name="auction-control-detail"),
    *(
        path(
            f"auctions/<slug:code>/{act}/",
            operator_pages.act_on_auction,
            {"act": act},
            name=f"auction-{act}",
        )
        for act in ACTS
    ),
    path("requests/", request_pages.list_requests, name="two-person-requests"),
    path("requests/<uuid:public_id>/", request_pages.show_request, name="two-person-request"),
    *(
        path(
            f"requests/<uuid:public_id>/{decision}/",
            request_pages.decide_request,
            {"decision": decision},
            name=f"two-person-{decision}",
        )
        for decision in request_pages.DECISIONS
    ),
    path("bands/", terms_pages.list_bands, name="price-bands"),
    path("bands/<slug:code>/", terms_pages.propose_band, name="price-band-new"),
    path("rules/", terms_pages.list_rules, name="market-rules"),
    path("rules/new/", terms_pages.propose_rules, name="market-rules-new"),
    *(
        path(f"{FOLDERS[kind]}/", master_pages.list_rows, {"kind": kind}, name=LISTS[kind])
        for kind in master_pages.KINDS
    ),
    *(
        path(
            f"{FOLDERS[kind]}/new/",
            master_pages.edit_row,
            {"kind": kind},
            name=f"{kind}-new",
        )
        for kind in master_pages.KINDS
    ),
    *(
        path(
            f"{FOLDERS[kind]}/<int:pk>/",
            master_pages.edit_row,
            {"kind": kind},
            name=f"{kind}-edit",
        )
        for kind in master_pages.KINDS
    ),
    path("hubs/<int:pk>/remove/", master_pages.remove_hub, name="hub-delete"),
    path("surveillance/", surveillance_pages.list_alerts, name="surveillance"),
    path(
        "surveillance/concentration/",
        surveillance_pages.show_concentration,
        name="concentration",
    ),
    path(
        "surveillance/<uuid:public_id>/",
        surveillance_pages.show_alert,
        name="surveillance-case",
    ),
    path("audit/", audit_pages.list_audit, name="audit-log"),
    path("audit/export.csv", audit_pages.export_audit, name="audit-csv"),
]
