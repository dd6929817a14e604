"""Addresses of monthly statements, tax invoices, payouts and bank statements for programs."""

from django.urls import path

from settlement.api.banking import contract_views, views

CONTRACT = "contracts/<uuid:public_id>"
STATEMENT = "monthly-statements/<uuid:public_id>"

urlpatterns = [
    path(
        "monthly-statements/", views.MonthlyStatementList.as_view(), name="api-monthly-statements"
    ),
    path(
        f"{STATEMENT}/confirm/",
        views.MonthlyStatementConfirmation.as_view(),
        name="api-monthly-statement-confirm",
    ),
    path(
        f"{STATEMENT}/object/",
        views.MonthlyStatementObjection.as_view(),
        name="api-monthly-statement-object",
    ),
    path("tax-invoice-requests/", views.TaxInvoiceList.as_view(), name="api-tax-invoice-requests"),
    path("contracts/", contract_views.ContractList.as_view(), name="api-contracts"),
    path(f"{CONTRACT}/", contract_views.ContractView.as_view(), name="api-contract"),
    path(f"{CONTRACT}/sign/", contract_views.ContractSignature.as_view(), name="api-contract-sign"),
    path(
        f"{CONTRACT}/decline/",
        contract_views.ContractRefusal.as_view(),
        name="api-contract-decline",
    ),
    path("payouts/", views.PayoutList.as_view(), name="api-payouts"),
    path(
        "bank-accounts/<slug:account>/statements/",
        views.BankStatementImport.as_view(),
        name="api-bank-statements",
    ),
]
