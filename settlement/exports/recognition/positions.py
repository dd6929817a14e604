"""The report of netting: every party's position in the computations that count."""

from decimal import Decimal

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from marketplace.domain.decimals import add_exactly
from settlement.exports.kinds import ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import MEMBER, SPAN, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.models import (
    CashAdjustment,
    InstructionState,
    InstrumentType,
    NetPosition,
    NettingComputation,
    NettingState,
)
from settlement.selectors.recognition.ties import netting_cash_in_ledger

COLUMNS = (
    Column("cut_off_on", _("Cut-off"), ColumnKind.DATE),
    Column("cycle", _("Cycle")),
    Column("state", _("State"), words=lambda word: str(NettingState(word).label)),
    Column("registry", _("Registry")),
    Column("instrument", _("Instrument"), words=lambda word: str(InstrumentType(word).label)),
    Column("vintage", _("Vintage"), ColumnKind.INTEGER),
    Column("member", _("Member code"), link="member"),
    Column("receivable_t", _("Is owed, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("payable_t", _("Owes, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("net_t", _("Net, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("delivers", _("Delivers, units"), ColumnKind.INTEGER, is_total=True),
    Column("receives", _("Receives, units"), ColumnKind.INTEGER, is_total=True),
    Column("cash_cny", _("Receives in cash, CNY"), ColumnKind.DECIMAL, is_total=True),
    Column("price_cny", _("Reference price, CNY/t"), ColumnKind.DECIMAL, 4, is_detail=True),
    Column("computation", _("Computation"), ColumnKind.INTEGER, is_detail=True),
    Column("sha256", _("SHA-256 of the obligations"), is_detail=True),
)


def build(values: Values) -> Report:
    """Return positions of the cycles with their cut-off in the span, cash tied to the ledger."""
    newest = NettingComputation.objects.values("cycle").annotate(newest=Max("id")).values("newest")
    positions = NetPosition.objects.filter(
        computation__in=newest, computation__cycle__cut_off_on__range=(values.since, values.until)
    )
    cash = CashAdjustment.objects.filter(computation__in=newest)
    if values.member is not None:
        positions = positions.filter(organisation=values.member)
        cash = cash.filter(organisation=values.member)
    amounts = {(row.computation_id, row.organisation_id): row for row in cash}
    rows = positions.select_related("computation__cycle__registry", "organisation")
    ordered = list(rows.order_by("computation__cycle_id", "organisation__code"))
    paid = [
        amounts[key]
        for key in ((row.computation_id, row.organisation_id) for row in ordered)
        if key in amounts and amounts[key].state == InstructionState.DONE
    ]
    return Report(
        name="netting",
        title=KIND.title,
        columns=COLUMNS,
        rows=[_row(row, amounts) for row in ordered],
        parameters=dict(values.raw),
        ties=[
            Tie(
                "cash",
                _("Cash of settled cycles against the members' funds"),
                add_exactly([Decimal(0), *(row.amount_cny for row in paid)]),
                netting_cash_in_ledger((row.entry_id for row in paid), values.member),
            )
        ],
        notes=[_("Fractions of a tonne settle in cash at the reference price of the cycle.")],
    )


def _row(row: NetPosition, amounts: dict[tuple[int, int], CashAdjustment]) -> list[Cell]:
    computation = row.computation
    cycle = computation.cycle
    cash = amounts.get((computation.pk, row.organisation_id))
    return [
        *(cycle.cut_off_on, cycle.code, cycle.state, cycle.registry.code),
        *(cycle.instrument_type, cycle.vintage_year, row.organisation.code),
        *(row.receivable_t, row.payable_t, row.net_t, row.delivers_units, row.receives_units),
        cash.amount_cny if cash else Decimal(0),
        *(cycle.reference_price_cny, computation.number, computation.input_sha256),
    ]


KIND = ReportKind(
    code="netting",
    title=_("Netting between data centres"),
    description=_("Who owes, who is owed, whole credits and cash of each netting cycle."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build,
    axis=_("by cut-off of the cycle"),
    ties_to=_("Cash entries of the cycles in the members' funds."),
    leads_to=_("Cycle, obligations, instructions, movements of units"),
)
