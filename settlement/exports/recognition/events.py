"""The report of recognition: every retirement line that counted, under which agreement version."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from settlement.exports.kinds import ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import MEMBER, SPAN, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report, Tie
from settlement.models import InstrumentType, RecognitionEvent
from settlement.selectors.recognition.ties import units_retired_in_ledger

COLUMNS = (
    Column("recognised_on", _("Recognised on"), ColumnKind.DATE),
    Column("number", _("Recognition")),
    Column("member", _("Member code"), link="member"),
    Column("claim_month", _("Month claimed"), ColumnKind.DATE),
    Column("agreement", _("Agreement")),
    Column("version", _("Version"), ColumnKind.INTEGER),
    Column("registry", _("Registry")),
    Column("instrument", _("Instrument"), words=lambda word: str(InstrumentType(word).label)),
    Column("vintage", _("Vintage"), ColumnKind.INTEGER),
    Column("serials", _("Serials")),
    Column("retirement", _("Retirement")),
    Column("credits", _("Credits retired"), ColumnKind.INTEGER, is_total=True),
    Column("factor", _("Tonnes per credit"), ColumnKind.DECIMAL, 8, is_detail=True),
    Column("recognised_t", _("Recognised, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("applied_t", _("Applied, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("usage_t", _("Cap used, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("statement", _("Carbon statement"), is_detail=True),
    Column("sha256", _("SHA-256 of the inputs"), is_detail=True),
)


def build(values: Values) -> Report:
    """Return the events recognised in the span, tied to the units that died in the ledger."""
    events = RecognitionEvent.objects.filter(
        recognition__recognised_on__range=(values.since, values.until)
    )
    if values.member is not None:
        events = events.filter(organisation=values.member)
    events = events.select_related(
        "recognition__statement", "organisation", "version__agreement"
    ).select_related("retirement_line__retirement", "retirement_line__batch__registry")
    found = list(events.select_related("retirement_line__batch__programme").order_by("id"))
    entries = {event.retirement_line.retirement_id for event in found}
    units = Decimal(sum(event.credits for event in found))
    return Report(
        name="recognition",
        title=KIND.title,
        columns=COLUMNS,
        rows=[_row(event) for event in found],
        parameters=dict(values.raw),
        ties=[
            Tie(
                "units",
                _("Credits recognised against units retired in the ledger"),
                units,
                units_retired_in_ledger(entries),
            )
        ],
        notes=[
            _("Credits never change location-based or market-based figures."),
            _("Recognised beyond the need is not banked."),
        ],
    )


def _row(event: RecognitionEvent) -> list[Cell]:
    line, made = event.retirement_line, event.recognition
    batch = line.batch
    return [
        *(made.recognised_on, made.number, event.organisation.code, made.claim_month),
        *(event.version.agreement.code, event.version.number, batch.registry.code),
        *(batch.programme.instrument_type, batch.vintage_year),
        f"{batch.serial_text(line.first_serial)} … {batch.serial_text(line.last_serial)}",
        *(line.retirement.number, event.credits, event.factor),
        *(event.recognised_t, event.applied_t, event.usage_t),
        *(str(made.statement.public_id), made.statement.sha256),
    ]


KIND = ReportKind(
    code="recognition",
    title=_("Mutual recognition of credits"),
    description=_("Every credit retired and recognised, with agreement, cap and statement."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build,
    axis=_("by day of recognition"),
    ties_to=_("Units retired in the ledger, per registry."),
    leads_to=_("Recognition, retirement, statement, deliveries"),
)
