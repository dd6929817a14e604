"""The report of carbon statements: current versions by member, subject and month."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.kinds import ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import MEMBER, SPAN, Values
from settlement.exports.report import Column, ColumnKind, Report
from settlement.models import EmissionStatement, StatementSubject

COLUMNS = (
    Column("month", _("Month"), ColumnKind.DATE),
    Column("member", _("Member code"), link="member"),
    Column(
        "subject",
        pgettext_lazy("carbon statement", "Subject"),
        words=lambda word: str(StatementSubject(word).label),
    ),
    Column("place", _("Data centre")),
    Column("version", _("Version"), ColumnKind.INTEGER),
    Column("facility_wh", _("Facility energy, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("matched_wh", _("Covered by green energy, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("own_wh", _("Of it own generation, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("direct_wh", _("Of it direct supply, Wh"), ColumnKind.INTEGER, is_total=True),
    Column("location_based_t", _("Location-based, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("market_based_t", _("Market-based, tCO2e"), ColumnKind.DECIMAL, 6, is_total=True),
    Column("factor_year", _("Factor year"), ColumnKind.INTEGER),
    Column("announcement", _("Announcement"), is_detail=True),
    Column("sha256", _("SHA-256 of the inputs"), is_detail=True),
)


def build(values: Values) -> Report:
    """Return the current statements of the months that begin in the span."""
    rows = EmissionStatement.objects.filter(
        superseded_by__isnull=True,
        month__gte=values.since.replace(day=1),
        month__lte=values.until,
    )
    if values.member is not None:
        rows = rows.filter(organisation=values.member)
    listed = rows.order_by("month", "organisation__code", "subject", "pk").values_list(
        *("month", "organisation__code", "subject", "pool__identifier", "version"),
        *("facility_wh", "matched_wh", "own_wh", "direct_wh"),
        *("location_based_t", "market_based_t"),
        *("factor_year", "announcement", "sha256"),
    )
    return Report(
        name="carbon-statements",
        title=KIND.title,
        columns=COLUMNS,
        rows=[list(row) for row in listed],
        parameters=dict(values.raw),
        notes=[
            _("Certificates and credits never change the location-based figures."),
            _("A buyer and a data centre state the same energy: do not add the two up."),
        ],
    )


KIND = ReportKind(
    code="carbon-statements",
    title=_("Carbon statements"),
    description=_("Energy, location-based and market-based emissions of every stated month."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, MEMBER),
    build=build,
    axis=_("by month of delivery"),
    ties_to=_("The stored inputs of each statement; no money."),
    leads_to=_("Statement, delivery, readings"),
)
