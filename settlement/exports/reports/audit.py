"""Audit trail (审计轨迹): who did what, when and from where, and that the chain holds."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.exports.entry_words import entry_kind_words
from settlement.exports.kinds import BY_RECORDING, ReportKind, keeps_books
from settlement.exports.parameters import SPAN, Parameter, ParameterKind, Values
from settlement.exports.report import Column, ColumnKind, Report, Tie
from settlement.models import LedgerBlock
from settlement.selectors.reports.audit import trail_rows
from settlement.services.chain import broken_blocks

OBJECT = Parameter("object", _("Object or document number"), ParameterKind.TEXT)
ACTION = Parameter("action", _("Action begins with"), ParameterKind.TEXT)
COLUMNS = (
    Column("recorded_at", _("Recorded at"), ColumnKind.INSTANT),
    Column("stream", _("Event or entry"), is_detail=True),
    Column("id", _("Id"), ColumnKind.INTEGER),
    Column("person", _("Person")),
    Column("organisation", _("Organisation")),
    Column("address", _("IP address")),
    Column("action", _("Action"), words=entry_kind_words),
    Column("object_type", _("Kind of object")),
    Column("object_id", _("Object number")),
    Column("before", _("Before")),
    Column("after", pgettext_lazy("state", "After")),
    Column("reason", _("Reason")),
    Column("request_id", _("Request"), is_detail=True),
    Column("fingerprint", _("Fingerprint"), is_detail=True),
)


def build(values: Values) -> Report:
    """Return the trail of a span; named for an object, the chain of acts on it in their order.

    The hash chain over journal entries is verified each time.
    """
    asked = {
        "since": values.since,
        "until": values.until,
        "object": values.choices["object"],
        "action": values.choices["action"],
        **values.cut.values,
    }
    broken = broken_blocks()
    blocks = LedgerBlock.objects.count()
    intact = Decimal(blocks if not broken else _first_bad(broken) - 1)
    return Report(
        name="audit-trail",
        title=KIND.title,
        columns=COLUMNS,
        rows=trail_rows(asked),
        parameters=dict(values.raw),
        ties=[
            Tie(
                "chain",
                _("Blocks that verify against all blocks"),
                intact,
                Decimal(blocks),
            )
        ],
        notes=[_("Name an object or a document to see who entered and who approved it.")],
    )


def _first_bad(broken: list[dict[str, object]]) -> int:
    sample = broken[0]["sample"]
    return int(str(sample[0])) if isinstance(sample, list) else 1


KIND = ReportKind(
    code="audit-trail",
    title=_("Audit trail"),
    description=_("Who did what, when, from where, before and after; the hash chain verified."),
    permission=keeps_books,
    parameters=(*SPAN, OBJECT, ACTION),
    build=build,
    axis=BY_RECORDING,
    ties_to=_("Hash chain over the journal entries."),
    leads_to=_("Object named in the row"),
)
