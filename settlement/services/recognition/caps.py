"""What the caps of agreements leave: counters locked in one order, read as terms of the rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.models import Organisation
from settlement.domain.carbon.energy import floor_tonnes
from settlement.domain.carbon.recognition import AgreementTerms
from settlement.models import (
    AgreementStatus,
    AgreementVersion,
    AgreementVersionState,
    CapUsage,
    RecognitionEvent,
    Registry,
)
from settlement.selectors.recognition.agreements import cap_period_key


@dataclass(frozen=True)
class OpenAgreement:
    """The version of an agreement that counts, with its caps locked and read."""

    version: AgreementVersion
    cap_period: str
    terms: AgreementTerms


def versions_towards(scheme: Registry) -> list[AgreementVersion]:
    """Return the newest approved version of each agreement towards a scheme, suspended or not."""
    return list(
        AgreementVersion.objects.filter(
            agreement__to_scheme=scheme, state=AgreementVersionState.APPROVED
        )
        .select_related("agreement__from_registry", "agreement__to_scheme")
        .order_by("agreement_id", "-number")
        .distinct("agreement_id")
    )


def open_agreements(
    versions: Iterable[AgreementVersion],
    *,
    party: Organisation,
    on: date,
    market_based_t: Decimal,
    earlier_t: dict[int, Decimal],
    locked: bool = True,
) -> list[OpenAgreement]:
    """Lock the caps of agreements for a party and return what they leave.

    Args:
        versions: the versions that count, in order of their agreements (the order of the locks).
        party: whose party cap counts.
        on: day of retirement in UTC+8; it chooses the cap period.
        market_based_t: market-based tonnes of the statement, the base of relative caps.
        earlier_t: cap usage of earlier recognitions for the same statement, by agreement.
        locked: False only looks, for a page that shows what would happen.
    """
    read = _locked_usage if locked else _read_usage
    found = []
    for version in versions:
        period = cap_period_key(version, on)
        used = read(version.agreement_id, party.pk, period)
        party_left = _left(version.party_cap_t, used.get(party.pk, Decimal(0)))
        relative_left = _relative_left(
            version, market_based_t, earlier_t.get(version.agreement_id, Decimal(0))
        )
        terms = terms_with_room(
            version,
            absolute_left=_left(version.absolute_cap_t, used.get(None, Decimal(0))),
            party_left=_least(party_left, relative_left),
        )
        found.append(OpenAgreement(version, period, terms))
    return found


def terms_with_room(
    version: AgreementVersion, *, absolute_left: Decimal | None, party_left: Decimal | None
) -> AgreementTerms:
    """Return a version as the rules see it, with what its caps leave."""
    agreement = version.agreement
    return AgreementTerms(
        code=agreement.code,
        version=version.number,
        from_registry=agreement.from_registry.code,
        to_scheme=agreement.to_scheme.code,
        instrument_types=frozenset(version.instrument_types),
        programmes=frozenset(version.programmes),
        vintage_min=version.vintage_min,
        vintage_max=version.vintage_max,
        k=version.factor_k,
        discount=version.discount_d,
        relative_cap=version.relative_cap,
        absolute_left=absolute_left,
        party_left=party_left,
        valid_from=version.valid_from,
        valid_to=version.valid_to,
        priority=version.priority,
        adjustment_required=version.adjustment_required,
        is_active=version.status == AgreementStatus.ACTIVE,
    )


def usage_by_agreement(recognition_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return cap usage of recognitions, in tonnes by agreement."""
    rows = (
        RecognitionEvent.objects.filter(recognition_id__in=list(recognition_ids))
        .values_list("version__agreement_id")
        .annotate(total=Sum("usage_t"))
    )
    return dict(rows)


def _locked_usage(agreement_id: int, party_id: int, period: str) -> dict[int | None, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT party_id, used FROM recognition_lock_caps(%s, %s, %s)",
            [agreement_id, party_id, period],
        )
        return dict(cursor.fetchall())


def _read_usage(agreement_id: int, party_id: int, period: str) -> dict[int | None, Decimal]:
    rows = CapUsage.objects.filter(agreement_id=agreement_id, period=period)
    mine = rows.filter(Q(organisation__isnull=True) | Q(organisation_id=party_id))
    return dict(mine.values_list("organisation_id", "used_t"))


def _left(cap: Decimal | None, used: Decimal) -> Decimal | None:
    return None if cap is None else max(Decimal(0), add_exactly([cap, -used]))


def _relative_left(
    version: AgreementVersion, market_based_t: Decimal, earlier_t: Decimal
) -> Decimal | None:
    """What the share of the statement leaves after its earlier recognitions."""
    if version.relative_cap is None or not earlier_t:
        return None
    whole = floor_tonnes(multiply_exactly(version.relative_cap, market_based_t))
    return max(Decimal(0), add_exactly([whole, -earlier_t]))


def _least(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    given = [room for room in (first, second) if room is not None]
    return min(given) if given else None
