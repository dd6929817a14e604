"""Addresses of mutual recognition and netting (碳汇互认结算)."""

from django.urls import path

from settlement.web.recognition import agreement_pages, netting_pages, overview_pages

AGREEMENT = "recognition/agreements/<uuid:public_id>"
CYCLE = "recognition/cycles/<uuid:public_id>"

urlpatterns = [
    path("recognition/", overview_pages.show_overview, name="recognition"),
    path(
        "recognition/records/<uuid:public_id>/",
        overview_pages.show_recognition,
        name="recognition-record",
    ),
    path(
        "recognition/statements/<uuid:public_id>/cover/",
        overview_pages.cover_statement,
        name="recognition-cover",
    ),
    path("recognition/agreements/", agreement_pages.list_agreements, name="recognition-agreements"),
    path(
        "recognition/agreements/new/",
        agreement_pages.propose_new,
        name="recognition-agreement-new",
    ),
    path(f"{AGREEMENT}/", agreement_pages.show_agreement, name="recognition-agreement"),
    path(
        f"{AGREEMENT}/change/", agreement_pages.propose_change, name="recognition-agreement-change"
    ),
    *(
        path(
            f"{AGREEMENT}/{verb}/",
            agreement_pages.propose_rest,
            {"verb": verb},
            name=f"recognition-agreement-{verb}",
        )
        for verb in agreement_pages.STATUSES
    ),
    *(
        path(
            f"recognition/agreement-versions/<uuid:public_id>/{verdict}/",
            agreement_pages.decide,
            {"verdict": verdict},
            name=f"recognition-version-{verdict}",
        )
        for verdict in ("approve", "reject")
    ),
    path("recognition/cycles/", netting_pages.list_cycles, name="netting-cycles"),
    path("recognition/cycles/new/", netting_pages.start_cycle, name="netting-cycle-new"),
    path(f"{CYCLE}/", netting_pages.show_cycle, name="netting-cycle"),
    path(
        f"{CYCLE}/obligations/new/", netting_pages.enter_obligation, name="netting-obligation-new"
    ),
    *(
        path(
            f"{CYCLE}/{step}/",
            netting_pages.move_cycle,
            {"step": step},
            name=f"netting-cycle-{step}",
        )
        for step in ("freeze", "compute", "settle")
    ),
    path(f"{CYCLE}/take-out/", netting_pages.remove_party, name="netting-cycle-take-out"),
]
