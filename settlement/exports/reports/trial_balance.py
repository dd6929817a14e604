"""Trial balance (试算平衡): opening, movement and closing of every account; zero in each asset."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import BY_ACCOUNTING_DATE, ReportKind, keeps_books
from settlement.exports.parameters import SPAN, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.words import account_kind_words
from settlement.selectors.reports.books import accounts_within
from settlement.selectors.trial_balance import TrialBalanceRow

_FIGURES = ("opening_debit", "opening_credit", "debit", "credit", "closing_debit", "closing_credit")
COLUMNS = (
    Column("account", pgettext_lazy("ledger", "Account"), link="account"),
    Column("name_zh", _("Account name, Chinese"), language="zh-hans"),
    Column("name_en", _("Account name, English"), language="en"),
    Column("kind", _("Kind of account"), words=account_kind_words),
    Column("asset", _("Unit of account")),
    Column("opening_debit", _("Opening, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("opening_credit", _("Opening, credit"), ColumnKind.DECIMAL, is_total=True),
    Column("debit", _("Movement, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("credit", _("Movement, credit"), ColumnKind.DECIMAL, is_total=True),
    Column("closing_debit", _("Closing, debit"), ColumnKind.DECIMAL, is_total=True),
    Column("closing_credit", _("Closing, credit"), ColumnKind.DECIMAL, is_total=True),
)


def build(values: Values) -> Report:
    """Return the trial balance of a span of accounting dates."""
    rows = accounts_within(values.since, values.until, values.cut)
    return Report(
        name="trial-balance",
        title=KIND.title,
        columns=COLUMNS,
        rows=[
            [r.code, r.name_zh, r.name_en, r.kind, r.asset, *(getattr(r, n) for n in _FIGURES)]
            for r in rows
        ],
        parameters=dict(values.raw),
        totals=_totals(rows),
        ties=[_tie(asset, rows) for asset in sorted({row.asset for row in rows})],
    )


def _totals(rows: Sequence[TrialBalanceRow]) -> dict[str, Decimal]:
    """Return sums of the money accounts as column totals, and of other assets by their names."""
    totals: dict[str, Decimal] = {}
    for asset in sorted({row.asset for row in rows} | {"CNY"}, key=lambda code: code != "CNY"):
        for name in _FIGURES:
            key = name if asset == "CNY" else f"{name}:{asset}"
            own = [getattr(row, name) for row in rows if row.asset == asset]
            totals[key] = sum(own, Decimal(0))
    return totals


def _tie(asset: str, rows: Sequence[TrialBalanceRow]) -> Tie:
    own = [row for row in rows if row.asset == asset]
    return Tie(
        name=f"debit_credit:{asset}",
        label=_("Closing debits against closing credits"),
        reported=sum((row.closing_debit for row in own), Decimal(0)),
        booked=sum((row.closing_credit for row in own), Decimal(0)),
    )


KIND = ReportKind(
    code="trial-balance",
    title=_("Trial balance"),
    description=_("Opening, movement and closing of every account; zero in each unit of account."),
    permission=keeps_books,
    parameters=SPAN,
    build=build,
    axis=BY_ACCOUNTING_DATE,
    ties_to=_("Debits equal credits in each unit of account."),
    leads_to=_("Account, its journal entries, their documents"),
)
