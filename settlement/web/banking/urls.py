"""Addresses of the bank, payouts, monthly statements, tax invoices and the back office."""

from django.urls import path

from settlement.web.banking import (
    bank_pages,
    contract_acts,
    contract_pages,
    match_pages,
    monthly_pages,
    office_pages,
    payout_batch_pages,
    payout_files,
    tax_pages,
)

BATCH = "finance/payouts/<uuid:public_id>"
CONTRACT = "contracts/<uuid:public_id>"
MATCH = "finance/bank/matches/<uuid:public_id>"
STATEMENT = "monthly-statements/<uuid:public_id>"
TAX = "tax-invoice-requests/<uuid:public_id>"

urlpatterns = [
    path("finance/bank/", bank_pages.list_statements, name="bank"),
    path("finance/bank/accounts/new/", bank_pages.add_account, name="bank-account-new"),
    path("finance/bank/import/", bank_pages.take_in, name="bank-import"),
    path(
        "finance/bank/statements/<uuid:public_id>/",
        bank_pages.show_statement,
        name="bank-statement",
    ),
    path(
        "finance/bank/statements/<uuid:public_id>/confirm/",
        match_pages.confirm_all,
        name="bank-confirm-all",
    ),
    path("finance/bank/lines/<uuid:public_id>/", match_pages.show_line, name="bank-line"),
    *(
        path(
            f"{MATCH}/{verdict}/",
            match_pages.decide_match,
            {"verdict": verdict},
            name=f"bank-match-{verdict}",
        )
        for verdict in ("confirm", "drop", "undo")
    ),
    path("finance/payouts/", payout_batch_pages.list_batches, name="payout-batches"),
    path("finance/payouts/new/", payout_batch_pages.make_batch, name="payout-batch-new"),
    path(f"{BATCH}/", payout_batch_pages.show_batch, name="payout-batch"),
    path(f"{BATCH}.csv", payout_files.download_file, name="payout-batch-file"),
    path(
        f"{BATCH}/<str:code>.xml",
        payout_files.download_message,
        name="payout-batch-message",
    ),
    *(
        path(
            f"{BATCH}/{verdict}/",
            payout_batch_pages.decide_batch,
            {"verdict": verdict},
            name=f"payout-batch-{verdict}",
        )
        for verdict in ("approve", "refuse")
    ),
    path(
        "finance/payments/<uuid:public_id>/refused/",
        payout_batch_pages.reject_one,
        name="payout-reject",
    ),
    path(
        "payouts/<uuid:public_id>/advice.pdf",
        payout_files.download_advice,
        name="payout-advice",
    ),
    path("monthly-statements/", monthly_pages.list_statements, name="monthly-statements"),
    path(
        "monthly-statements/issue/", monthly_pages.issue_statements, name="monthly-statement-issue"
    ),
    path(f"{STATEMENT}/", monthly_pages.show_statement, name="monthly-statement"),
    *(
        path(
            f"{STATEMENT}/{verdict}/",
            monthly_pages.answer_statement,
            {"verdict": verdict},
            name=f"monthly-statement-{verdict}",
        )
        for verdict in ("confirm", "object")
    ),
    path("tax-invoice-requests/", tax_pages.list_requests, name="tax-requests"),
    path("tax-invoice-requests/new/", tax_pages.ask_for_one, name="tax-request-new"),
    path(f"{TAX}/", tax_pages.show_request, name="tax-request"),
    *(
        path(f"{TAX}/{step}/", tax_pages.act_on_request, {"step": step}, name=f"tax-request-{step}")
        for step in tax_pages.ACTS
    ),
    path("contracts/", contract_pages.list_contracts, name="contracts"),
    path("contracts/export.csv", contract_pages.export_contracts, name="contracts-csv"),
    path("contracts/new/", contract_acts.draw_up, name="contract-new"),
    path(f"{CONTRACT}/", contract_pages.show_contract, name="contract"),
    path(f"{CONTRACT}.pdf", contract_pages.download_contract, name="contract-pdf"),
    *(
        path(f"{CONTRACT}/{step}/", act, name=f"contract-{step}")
        for step, act in contract_acts.ACTS.items()
    ),
    path("finance/workdays/", office_pages.show_calendar, name="workdays"),
    path("finance/workdays/import/", office_pages.take_calendar_in, name="workdays-import"),
    path("finance/workdays.csv", office_pages.calendar_template, name="workdays-template"),
    path("finance/accounting-vouchers/", office_pages.export_vouchers, name="accounting-vouchers"),
    path("finance/layouts/", office_pages.list_layouts, name="file-layouts"),
    path("finance/layouts/<slug:code>/", office_pages.show_layout, name="file-layout"),
    path(
        "finance/layouts/<slug:code>/subject/",
        office_pages.choose_subject,
        name="file-layout-subject",
    ),
]
