"""Addresses of disputes, vouchers, defaults and security deposits."""

from django.urls import path

from settlement.web.cases import (
    default_pages,
    deposit_pages,
    dispute_pages,
    programme_pages,
    ruling_pages,
    voucher_pages,
)

DISPUTE = "disputes/<uuid:public_id>"
VERDICTS = ("approve", "reject")

urlpatterns = [
    path("disputes/", dispute_pages.list_disputes, name="disputes"),
    path("deliveries/<uuid:public_id>/dispute/", dispute_pages.start_dispute, name="dispute-new"),
    path(f"{DISPUTE}/", dispute_pages.show_dispute, name="dispute"),
    path(f"{DISPUTE}/answer/", dispute_pages.answer, name="dispute-answer"),
    path(f"{DISPUTE}/add/", dispute_pages.say, name="dispute-say"),
    path(f"{DISPUTE}/insist/", dispute_pages.insist, name="dispute-insist"),
    path(f"{DISPUTE}/withdraw/", dispute_pages.withdraw, name="dispute-withdraw"),
    path(f"{DISPUTE}/ruling/", ruling_pages.propose, name="dispute-ruling"),
    path(
        f"{DISPUTE}/evidence/<uuid:file_id>/",
        dispute_pages.download_evidence,
        name="dispute-evidence",
    ),
    *(
        path(
            f"rulings/<uuid:public_id>/{verdict}/",
            ruling_pages.decide,
            {"verdict": verdict},
            name=f"ruling-{verdict}",
        )
        for verdict in VERDICTS
    ),
    path("vouchers/", voucher_pages.list_vouchers, name="vouchers"),
    path("vouchers/<uuid:public_id>/", voucher_pages.show_voucher, name="voucher"),
    path("vouchers/<uuid:public_id>/use/", voucher_pages.use_voucher, name="voucher-use"),
    path("finance/vouchers/", programme_pages.list_programmes, name="voucher-programmes"),
    path("finance/vouchers/new/", programme_pages.add_programme, name="voucher-programme-new"),
    path(
        "finance/vouchers/<uuid:public_id>/",
        programme_pages.show_programme,
        name="voucher-programme",
    ),
    path(
        "finance/vouchers/<uuid:public_id>/vouchers/new/",
        programme_pages.add_voucher,
        name="voucher-new",
    ),
    *(
        path(
            f"finance/vouchers/<uuid:public_id>/{verdict}/",
            programme_pages.decide_on_programme,
            {"verdict": verdict},
            name=f"voucher-programme-{verdict}",
        )
        for verdict in (*VERDICTS, "end")
    ),
    *(
        path(
            f"finance/vouchers/issued/<uuid:public_id>/{verdict}/",
            programme_pages.decide_on_voucher,
            {"verdict": verdict},
            name=f"voucher-{verdict}",
        )
        for verdict in (*VERDICTS, "recall")
    ),
    path("finance/defaults/", default_pages.list_defaults, name="defaults"),
    path("finance/defaults/new/", default_pages.propose, name="default-new"),
    path("finance/defaults/<uuid:public_id>/", default_pages.show_default, name="default"),
    path(
        "finance/defaults/<uuid:public_id>/continue/", default_pages.go_on, name="default-continue"
    ),
    *(
        path(
            f"finance/defaults/<uuid:public_id>/{verdict}/",
            default_pages.decide,
            {"verdict": verdict},
            name=f"default-{verdict}",
        )
        for verdict in VERDICTS
    ),
    path("security-deposits/", deposit_pages.list_deposits, name="security-deposits"),
    path("security-deposits/new/", deposit_pages.lodge, name="security-deposit-new"),
    path("security-deposits/<uuid:public_id>/ask/", deposit_pages.ask, name="security-deposit-ask"),
    *(
        path(
            f"security-deposits/<uuid:public_id>/{verdict}/",
            deposit_pages.decide,
            {"verdict": verdict},
            name=f"security-deposit-{verdict}",
        )
        for verdict in (*VERDICTS, "return", "keep")
    ),
]
