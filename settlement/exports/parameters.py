"""What a report can be asked for: dates, a member, a choice; read from text, written to files."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from settlement.selectors.reports.cut import Cut, read_cut

LONGEST = timedelta(days=400)


class ParameterInvalid(RuleBroken):
    """A parameter of a report cannot be read."""

    code = "parameter_invalid"
    message = gettext_noop("This value cannot be read.")


class SpanInvalid(RuleBroken):
    """The last day lies before the first."""

    code = "span_invalid"
    message = gettext_noop("The last day must not be before the first.")


class SpanTooLong(RuleBroken):
    """A report covers a limited number of days."""

    code = "span_too_long"
    message = gettext_noop("At most %(days)s days at once.")


class MemberMissing(RuleBroken):
    """The report is about one member, and none is named."""

    code = "member_missing"
    message = gettext_noop("Name the member by its code.")


class ParameterKind(StrEnum):
    """How a parameter is typed in."""

    DATE = "date"
    CHOICE = "choice"
    MEMBER = "member"
    TEXT = "text"


@dataclass(frozen=True)
class Parameter:
    """One thing a report can be asked for.

    Attributes:
        name: machine name, in addresses and files.
        label: for people.
        kind: how it is typed in.
        choices: of a choice; the first one counts when nothing is chosen.
        is_required: whether a report cannot be made without it (of a member or text).
    """

    name: str
    label: str | Promise
    kind: ParameterKind = ParameterKind.DATE
    choices: Sequence[tuple[str, str | Promise]] = ()
    is_required: bool = False


SINCE = Parameter("since", _("From"))
UNTIL = Parameter("until", _("Until"))
SPAN = (SINCE, UNTIL)
AS_OF = Parameter("as_of", _("As of"))
MEMBER = Parameter("member", _("Member code"), ParameterKind.MEMBER)
ONE_MEMBER = Parameter("member", _("Member code"), ParameterKind.MEMBER, is_required=True)


@dataclass(frozen=True)
class Values:
    """The parameters of one report as read.

    Attributes:
        since, until: span of days, both included; market time.
        as_of: a day, included.
        member: the member asked for, or None for all.
        choices: what was chosen, and texts, by name of the parameter.
        cut: how far the ledger is read.
        raw: all of them as text, as files and addresses carry them.
    """

    since: date
    until: date
    as_of: date
    member: Organisation | None
    choices: Mapping[str, str]
    cut: Cut
    raw: Mapping[str, str]


def read_values(
    parameters: Sequence[Parameter], given: Mapping[str, str], *, own: Organisation | None
) -> Values:
    """Return the values that an address, a form or a job names; what is left out has a default.

    Args:
        parameters: those of the report.
        given: texts by name; unknown names are left alone.
        own: the only organisation whose figures may be asked for, or None for every one.

    Raises:
        ParameterInvalid, SpanInvalid, SpanTooLong, MemberMissing, CutUnknown: with the field.
    """
    names = {parameter.name for parameter in parameters}
    month = market_date(market_now()).replace(day=1)
    since = _day(given, "since", month)
    last = since.replace(day=monthrange(since.year, since.month)[1])
    until = _day(given, "until", last)
    as_of = _day(given, "as_of", market_date(market_now()))
    if "until" in names and until < since:
        raise SpanInvalid(field="until")
    if "until" in names and until - since > LONGEST:
        raise SpanTooLong(field="until", days=LONGEST.days)
    member = _member(parameters, given, own)
    choices = {p.name: _choice(p, given) for p in parameters if p.kind in _FREE}
    dates = {"since": since.isoformat(), "until": until.isoformat(), "as_of": as_of.isoformat()}
    raw = {
        **{name: text for name, text in dates.items() if name in names},
        **({"member": member.code if member else ""} if "member" in names else {}),
        **choices,
    }
    cut = read_cut(given.get("cut", ""))
    return Values(since, until, as_of, member, choices, cut, raw)


_FREE = (ParameterKind.CHOICE, ParameterKind.TEXT)
_MOST_TEXT = 60


def _day(given: Mapping[str, str], name: str, default: date) -> date:
    text = given.get(name, "").strip()
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ParameterInvalid(field=name) from error


def _choice(parameter: Parameter, given: Mapping[str, str]) -> str:
    text = given.get(parameter.name, "").strip()
    if parameter.kind == ParameterKind.TEXT:
        if len(text) > _MOST_TEXT or "\0" in text:
            raise ParameterInvalid(field=parameter.name)
        return text
    known = [value for value, _label in parameter.choices]
    if text and text not in known:
        raise ParameterInvalid(field=parameter.name)
    return text or known[0]


def _member(
    parameters: Sequence[Parameter], given: Mapping[str, str], own: Organisation | None
) -> Organisation | None:
    wanted = next((p for p in parameters if p.name == "member"), None)
    if wanted is None:
        return None
    if own is not None:
        return own
    code = given.get("member", "").strip()
    found = Organisation.objects.filter(code__iexact=code, is_platform=False).first()
    if (code and found is None) or (wanted.is_required and found is None):
        raise MemberMissing(field="member")
    return found
