"""Pages of deliveries, money, bills and the market's books."""

from django.urls import include, path

from settlement.web import (
    balance_pages,
    bill_pages,
    confirmation_pages,
    dashboard,
    delivery_failure,
    delivery_list,
    delivery_pages,
    delivery_record,
    files,
    funds_desk,
    ledger_pages,
    payout_pages,
    pdf_pages,
    reading_import,
    statement_pages,
    summary_pages,
    tax_queue,
    usage_pages,
)

DELIVERY = "deliveries/<uuid:public_id>"

urlpatterns = [
    path("", include("settlement.web.closing.urls")),
    path("", include("settlement.web.corrections.urls")),
    path("", include("settlement.web.cases.urls")),
    path("", include("settlement.web.recognition.urls")),
    path("", include("settlement.web.reports.urls")),
    path("", include("settlement.web.terms.urls")),
    path("usage/", usage_pages.show_usage, name="usage"),
    path("usage/export.csv", usage_pages.export_usage, name="usage-csv"),
    path("dashboard/", dashboard.show_dashboard, name="dashboard"),
    path("deliveries/", delivery_list.list_deliveries, name="deliveries"),
    path("deliveries/export.csv", delivery_list.export_deliveries, name="deliveries-csv"),
    path("deliveries/record/", delivery_record.show_record, name="delivery-record"),
    path("deliveries/readings/", reading_import.upload_readings, name="readings-import"),
    path(
        "deliveries/readings/template.csv",
        reading_import.readings_template,
        name="readings-template",
    ),
    path(f"{DELIVERY}/", delivery_pages.show_delivery, name="delivery"),
    path(f"{DELIVERY}/hand-over/", delivery_pages.give_access, name="delivery-hand-over"),
    path(f"{DELIVERY}/access/", delivery_pages.show_access, name="delivery-access"),
    path(f"{DELIVERY}/accept/", delivery_pages.confirm_delivery, name="delivery-accept"),
    path(f"{DELIVERY}/give-up/", delivery_failure.give_up, name="delivery-give-up"),
    path(f"{DELIVERY}/readings/", delivery_pages.add_reading, name="delivery-readings"),
    path(f"{DELIVERY}/confirmation/", confirmation_pages.show_confirmation, name="confirmation"),
    path(f"{DELIVERY}/confirmation.pdf", pdf_pages.download_confirmation, name="confirmation-pdf"),
    path("balance/", balance_pages.show_balance, name="balance"),
    path("balance/export.csv", balance_pages.export_movements, name="balance-csv"),
    path("balance/withdraw/", balance_pages.withdraw, name="withdraw"),
    path("statements/", statement_pages.show_statement, name="statements"),
    path("statements/statement.<str:file_format>", files.download_statement, name="statement-file"),
    path("payouts/", payout_pages.list_payouts, name="payouts"),
    path("payouts/export.csv", payout_pages.export_payouts, name="payouts-csv"),
    path("bills/", bill_pages.list_bills, name="bills"),
    path("bills/export.csv", bill_pages.export_bills, name="bills-csv"),
    path("bills/tax-invoices/", bill_pages.list_tax_invoices, name="tax-invoices"),
    path("bills/<uuid:public_id>/", bill_pages.show_bill, name="bill"),
    path("bills/<uuid:public_id>.pdf", pdf_pages.download_bill, name="bill-pdf"),
    path(
        "bills/<uuid:public_id>/<str:code>.xml",
        pdf_pages.download_bill_message,
        name="bill-message",
    ),
    path(
        "bills/<uuid:public_id>/tax-invoice/",
        bill_pages.enter_tax_invoice,
        name="tax-invoice-new",
    ),
    path("finance/summary/", summary_pages.show_summary, name="settlement-summary"),
    path(
        "finance/summary.<str:file_format>",
        files.download_summary,
        name="settlement-summary-file",
    ),
    path("finance/runs/<uuid:public_id>/", summary_pages.show_run, name="settlement-run"),
    path("finance/bills/", summary_pages.list_register, name="bill-register"),
    path("finance/bills.<str:file_format>", files.download_register, name="bill-register-file"),
    path("finance/ledger/", ledger_pages.show_trial_balance, name="trial-balance"),
    path(
        "finance/ledger.<str:file_format>",
        files.download_trial_balance,
        name="trial-balance-file",
    ),
    path("finance/accounts/<str:code>/", ledger_pages.show_account, name="ledger-account"),
    path("finance/entries/<uuid:public_id>/", ledger_pages.show_entry, name="journal-entry"),
    path("finance/funds/", funds_desk.show_desk, name="funds-desk"),
    *(
        path(
            f"finance/funds/{kind}/new/",
            funds_desk.enter_request,
            {"kind": kind},
            name=f"funds-enter-{kind}",
        )
        for kind in ("deposits", "limits")
    ),
    *(
        path(
            f"finance/funds/{kind}/<uuid:public_id>/{verdict}/",
            funds_desk.decide_request,
            {"kind": kind, "verdict": verdict},
            name=f"funds-{verdict}-{kind}",
        )
        for kind in funds_desk.KINDS
        for verdict in ("approve", "reject")
    ),
    path("finance/tax-invoices/", tax_queue.list_queue, name="tax-queue"),
    *(
        path(
            f"finance/tax-invoices/<uuid:public_id>/{verdict}/",
            tax_queue.check_tax_invoice,
            {"verdict": verdict},
            name=f"tax-{verdict}",
        )
        for verdict in ("approve", "reject")
    ),
    path("", include("settlement.web.banking.urls")),
    path("", include("settlement.web.carbon.urls")),
    path("", include("settlement.web.registry.urls")),
]
