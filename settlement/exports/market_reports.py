"""Reports of the market's books: settlement summary, trial balance, bill register."""

from dataclasses import fields
from datetime import date

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.report import Column, ColumnKind, Report
from settlement.selectors.invoices import invoice_register
from settlement.selectors.settlement_summary import SummaryAmounts, SummaryBy, settlement_summary
from settlement.selectors.trial_balance import trial_balance

_LABELS = {
    "sold_unit_hours": _("Sold, unit-hours"),
    "billed_unit_hours": _("Billed, unit-hours"),
    "buyer_net_cny": _("Buyers, CNY (tax excluded)"),
    "seller_net_cny": _("Suppliers, CNY (tax excluded)"),
    "tariff_cny": _("Link tariffs, CNY (tax excluded)"),
    "congestion_rent_cny": _("Congestion rent, CNY (tax excluded)"),
    "buyer_fee_cny": _("Buyers' fees, CNY (tax excluded)"),
    "seller_fee_cny": _("Suppliers' fees, CNY (tax excluded)"),
    "buyer_vat_cny": _("Tax billed to buyers, CNY"),
    "seller_vat_cny": _("Tax of suppliers, CNY"),
    "seller_fee_vat_cny": _("Tax on suppliers' fees, CNY"),
    "buyer_adjustments_cny": _("Penalties and adjustments of buyers, CNY (tax excluded)"),
    "seller_adjustments_cny": _("Penalties and adjustments of suppliers, CNY (tax excluded)"),
}
_GROSS = (
    Column("buyer_gross_cny", _("Buyers, CNY (tax included)"), ColumnKind.DECIMAL, is_total=True),
    Column(
        "seller_gross_cny", _("Suppliers, CNY (tax included)"), ColumnKind.DECIMAL, is_total=True
    ),
)
TRIAL_COLUMNS = (
    Column("account", pgettext_lazy("ledger", "Account")),
    Column("name_zh", _("Account name, Chinese")),
    Column("name_en", _("Account name, English")),
    Column("kind", _("Kind of account")),
    Column("asset", _("Unit of account")),
    Column("opening_debit", _("Opening, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("opening_credit", _("Opening, credit"), ColumnKind.DECIMAL, is_total=True),
    Column("debit", _("Movement, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("credit", _("Movement, credit"), ColumnKind.DECIMAL, is_total=True),
    Column("closing_debit", _("Closing, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("closing_credit", _("Closing, credit"), ColumnKind.DECIMAL, is_total=True),
)
REGISTER_COLUMNS = (
    Column("number", _("Number")),
    Column("direction", _("Direction")),
    Column("issued_on", _("Issued on"), ColumnKind.DATE),
    Column("due_on", _("Due on"), ColumnKind.DATE),
    Column("member", _("Member code")),
    Column("member_name", _("Chinese name")),
    Column("tax_id", _("Tax id")),
    Column("auction", _("Auction")),
    Column("state", _("State")),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER),
    Column("net_cny", _("Net, CNY (tax excluded)"), ColumnKind.DECIMAL, is_total=True),
    Column("vat_cny", _("Tax, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("gross_cny", _("Gross, CNY (tax included)"), ColumnKind.DECIMAL, is_total=True),
)


def summary_report(starts_on: date, ends_on: date, *, by: SummaryBy | str) -> Report:
    """Return the settlement summary (结算汇总), checked against the ledger.

    Raises:
        SummaryDoesNotTie: the totals differ from the ledger.
    """
    summary = settlement_summary(starts_on, ends_on, by=by)
    amounts = [_amount_column(column.name) for column in fields(SummaryAmounts)]
    keys = (
        Column("key", _("Key")),
        Column("name_zh", _("Chinese name")),
        Column("name_en", _("English name")),
    )
    columns = (*keys, *amounts, *_GROSS)
    return Report(
        name=f"settlement-summary-by-{summary.by}",
        title=_("Settlement summary"),
        columns=columns,
        rows=[
            [
                row.key,
                row.name_zh,
                row.name_en,
                *(getattr(row.amounts, column.name) for column in columns[len(keys) :]),
            ]
            for row in summary.rows
        ],
        parameters={**_span(starts_on, ends_on), "by": summary.by.value},
    )


def trial_balance_report(starts_on: date, ends_on: date) -> Report:
    """Return the trial balance; its debit and credit totals are equal."""
    rows = trial_balance(starts_on, ends_on)
    return Report(
        name="trial-balance",
        title=_("Trial balance"),
        columns=TRIAL_COLUMNS,
        rows=[
            [
                row.code,
                row.name_zh,
                row.name_en,
                row.kind,
                row.asset,
                row.opening_debit,
                row.opening_credit,
                row.debit,
                row.credit,
                row.closing_debit,
                row.closing_credit,
            ]
            for row in rows
        ],
        parameters=_span(starts_on, ends_on),
    )


def register_report(starts_on: date, ends_on: date) -> Report:
    """Return the register of bills issued, by number."""
    return Report(
        name="bill-register",
        title=_("Register of bills"),
        columns=REGISTER_COLUMNS,
        rows=[
            [
                bill.number,
                bill.direction,
                bill.issued_on,
                bill.due_on,
                bill.organisation.code,
                bill.organisation.name_zh,
                bill.organisation.tax_id or bill.organisation.credit_code,
                bill.run.auction.code,
                bill.state,
                bill.entry_id,
                bill.net.amount,
                bill.vat.amount,
                bill.gross.amount,
            ]
            for bill in invoice_register(starts_on, ends_on)
        ],
        parameters=_span(starts_on, ends_on),
    )


def _amount_column(name: str) -> Column:
    is_volume = name.endswith("unit_hours")
    return Column(
        name,
        _LABELS[name],
        ColumnKind.DECIMAL,
        places=6 if is_volume else 2,
        is_exact=is_volume,
        is_total=True,
    )


def _span(starts_on: date, ends_on: date) -> dict[str, str]:
    return {"from": starts_on.isoformat(), "to": ends_on.isoformat()}
