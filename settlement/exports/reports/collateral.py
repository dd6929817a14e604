"""Collateral (保证金与额度): deposited, held, free, limits and what is breached, by member."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import ReportKind, keeps_books
from settlement.exports.parameters import Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.words import breach_words
from settlement.selectors.reports.collateral import (
    collateral_rows,
    security_balance,
    stored_collateral,
)

COLUMNS = (
    Column("member", _("Member code"), link="member"),
    Column("name_zh", _("Chinese name"), language="zh-hans"),
    Column("name_en", _("English name"), language="en"),
    Column("account", pgettext_lazy("ledger", "Account"), link="account"),
    Column("deposit_cny", _("Deposited, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("limit_cny", _("Credit limit and guarantees, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("held_orders_cny", _("Held for orders, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("held_other_cny", _("Held for other reasons, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("free_cny", _("Free, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("receivable_cny", _("Open bills, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("security_deposit_cny", _("Security deposit, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("breach", _("Breach"), words=breach_words),
)


def build(values: Values) -> Report:
    """Return what stands behind each member at this instant."""
    rows = collateral_rows()
    sums = rows.totals(["deposit_cny", "held_orders_cny", "held_other_cny", "security_deposit_cny"])
    deposit, held = stored_collateral()
    return Report(
        name="collateral",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        ties=[
            Tie(
                "deposit",
                _("Deposits in the ledger against the stored balances"),
                sums["deposit_cny"],
                deposit,
            ),
            Tie(
                "held",
                _("Open holds against what the balances set aside"),
                sums["held_orders_cny"] + sums["held_other_cny"],
                held,
            ),
            Tie(
                "security",
                _("Security deposits against their accounts"),
                sums["security_deposit_cny"],
                security_balance(),
            ),
        ],
        notes=[_("As it stands at the instant of the report; a hold has no accounting date.")],
    )


KIND = ReportKind(
    code="collateral",
    title=_("Collateral"),
    description=_("Deposited, held by orders, free, limits and breaches of every member."),
    permission=keeps_books,
    parameters=(),
    build=build,
    axis=_("as of the instant of the report"),
    ties_to=_("Members' funds, stored balances and open holds."),
    leads_to=_("Account of the member, its journal entries"),
)
