"""Supplier payouts (供方付款明细): statement by statement what was paid, held back and why."""

from django.utils.translation import gettext_lazy as _

from settlement.exports.kinds import BY_ACCOUNTING_DATE, ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import MEMBER, SPAN, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.selectors.reports.documents import scope
from settlement.selectors.reports.payouts import payout_rows, payout_totals


def _money(name: str, label: object) -> Column:
    return Column(name, label, ColumnKind.DECIMAL, is_total=True)  # type: ignore[arg-type]


COLUMNS = (
    Column("batch", _("Payout batch")),
    Column("payout", _("Payout")),
    Column("member", _("Member code"), link="member"),
    Column("name_zh", _("Chinese name"), language="zh-hans"),
    Column("name_en", _("English name"), language="en"),
    Column("effective_on", _("Accounting date"), ColumnKind.DATE),
    Column("document", _("Document"), link="bill"),
    Column("entry_id", _("Journal entry"), ColumnKind.INTEGER, link="entry"),
    _money("compute_cny", _("Compute, CNY (tax excluded)")),
    _money("fee_cny", _("Fee, CNY (tax excluded)")),
    _money("penalty_cny", _("Penalty, CNY (tax excluded)")),
    _money("other_cny", _("Other, CNY (tax excluded)")),
    _money("vat_cny", _("Tax, CNY")),
    _money("gross_cny", _("Gross, CNY (tax included)")),
    _money("held_back_cny", _("Held back, CNY")),
    _money("paid_cny", _("Paid, CNY")),
)


def build(values: Values) -> Report:
    """Return the payouts of a span by the day on which they were posted."""
    member = values.member.pk if values.member else None
    asked = scope(values.since, values.until, member, values.cut)
    rows = payout_rows(asked)
    paid = rows.totals(["paid_cny"])["paid_cny"]
    in_files, booked = payout_totals(asked)
    return Report(
        name="payouts",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=[
            Tie(
                "bank_file",
                _("Statements paid against the payments"),
                paid,
                in_files,
            ),
            Tie("payable", _("Payments against the payables of suppliers"), in_files, booked),
        ],
    )


KIND = ReportKind(
    code="payouts",
    title=_("Payouts to suppliers"),
    description=_("What each payout paid, statement by statement, and what was held back."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("Payables of suppliers; totals of the payment files."),
    leads_to=_("Document, its lines, delivery, readings; journal entry"),
)
