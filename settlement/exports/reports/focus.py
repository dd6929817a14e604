"""A buyer's charges for FinOps tools: columns of FOCUS 1.2, the FinOps cost and usage format."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from settlement.exports.kinds import ReportKind, keeps_books_or_own_money
from settlement.exports.parameters import ONE_MEMBER, SPAN, MemberMissing, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.exports.reports.documents import BY_ISSUE
from settlement.selectors.reports.documents import booked_sums, scope
from settlement.selectors.reports.focus import VERSION, focus_rows

_SHOWN = {
    "BilledCost",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedUnitPrice",
    "InvoiceId",
    "RegionId",
    "SubAccountName",
}
_KINDS = {
    **dict.fromkeys(
        ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), (ColumnKind.DECIMAL, 2)
    ),
    **dict.fromkeys(
        ("ConsumedQuantity", "ContractedUnitPrice", "PricingQuantity"), (ColumnKind.DECIMAL, 6)
    ),
    **dict.fromkeys(("BillingPeriodStart", "BillingPeriodEnd"), (ColumnKind.DATE, 2)),
    **dict.fromkeys(("ChargePeriodStart", "ChargePeriodEnd"), (ColumnKind.INSTANT, 2)),
}
NAMES = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
)


def _column(name: str) -> Column:
    kind, places = _KINDS.get(name, (ColumnKind.TEXT, 2))
    return Column(
        name,
        name,  # the specification's own names are not translated
        kind,
        places=places,
        is_exact=places > 2,
        is_total=name == "BilledCost",
        link={"InvoiceId": "bill", "ResourceId": "delivery"}.get(name, ""),
        is_detail=name not in _SHOWN,
    )


COLUMNS = tuple(_column(name) for name in NAMES)


def build(values: Values) -> Report:
    """Return a buyer's charges; tax stands in rows of its own.

    Raises:
        MemberMissing: no member is named.
    """
    if values.member is None:
        raise MemberMissing(field="member")
    asked = scope(values.since, values.until, values.member.pk, values.cut)
    rows = focus_rows(asked)
    booked = booked_sums(asked).get("receivable", (Decimal(0), Decimal(0)))[0]
    return Report(
        name="focus",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters={**values.raw, "focus_version": VERSION},
        ties=[
            Tie(
                "receivable",
                _("Charges with tax against the journal entries of the bills"),
                rows.totals(["BilledCost"])["BilledCost"],
                booked,
            )
        ],
        notes=[_("Columns of FOCUS that the market has no figures for are left out.")],
    )


KIND = ReportKind(
    code="focus",
    title=_("Charges in FOCUS columns"),
    description=_("A buyer's charges in the columns of the FinOps specification FOCUS 1.2."),
    permission=keeps_books_or_own_money,
    parameters=(*SPAN, ONE_MEMBER),
    build=build,
    axis=BY_ISSUE,
    ties_to=_("Journal entries of the buyer's bills."),
    leads_to=_("Document, delivery, readings"),
)
