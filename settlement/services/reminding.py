"""Telling members what comes: closing gates, hand-overs, money and certificates running out.

The sweep may run as often as it likes: the key of each notification says what was told.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

from django.db.models import Sum
from django.urls import reverse

from marketplace.domain.periods import market_date
from marketplace.models import Organisation, OrganisationState, ResourcePool, Role
from marketplace.services.notifications import Announcement, announce
from orders.models import Auction, AuctionState, CalendarKind
from settlement.models import (
    AccountBalance,
    CreditKind,
    CreditLimit,
    DeliveryState,
    Invoice,
    InvoiceDirection,
    RequestState,
    SecurityDeposit,
    SecurityDepositState,
)
from settlement.services.hand_over_notices import due_notices
from settlement.services.notice_params import auction_params, named_deliveries

GATE_NOTICE = timedelta(minutes=30)
HAND_OVER_NOTICE = timedelta(hours=2)
PACE_DAYS = 7
MONEY_DAYS = (2, 7)
EXPIRY_DAYS = (7, 30)
MONEY_ROLES = frozenset({Role.FINANCE.value, Role.BUYER.value})


def announce_due(now: datetime) -> int:
    """Announce everything that is near at this market time; return how many were new."""
    told = 0
    for source in (
        _closing_gates,
        _due_deliveries,
        _low_money,
        _expiring_papers,
        _expiring_cover,
    ):
        told += announce(source(now))
    return told


def _closing_gates(now: datetime) -> Iterator[Announcement]:
    # Intraday gates close every few minutes or hours: nobody wants that many reminders.
    auctions = (
        Auction.objects.filter(
            state=AuctionState.OPEN, gate_closes_at__gt=now, gate_closes_at__lte=now + GATE_NOTICE
        )
        .exclude(calendar__kind=CalendarKind.INTRADAY)
        .select_related("calendar")
    )
    members = _members()
    for auction in auctions:
        for organisation in members:
            yield Announcement(
                organisation_id=organisation.pk,
                topic="gate.closing",
                # An extended gate closes again, and is announced again.
                key=f"{auction.code}:{auction.gate_closes_at:%Y%m%d%H%M}",
                market_at=now,
                params={
                    **auction_params(auction),
                    "closes_at": auction.gate_closes_at.isoformat(),
                },
                path=reverse("auction", args=[auction.code]),
            )


def _members() -> list[Organisation]:
    rows = Organisation.objects.filter(state=OrganisationState.APPROVED, is_platform=False)
    return list(rows.order_by("pk"))


def _due_deliveries(now: datetime) -> Iterator[Announcement]:
    deliveries = named_deliveries().filter(
        state=DeliveryState.SCHEDULED,
        starts_at__gt=now,
        starts_at__lte=now + HAND_OVER_NOTICE,
    )
    return due_notices(deliveries.order_by("pk"))


def _low_money(now: datetime) -> Iterator[Announcement]:
    today = market_date(now)
    for row, available, days in _days_left(since=now - timedelta(days=PACE_DAYS)):
        level = next((each for each in MONEY_DAYS if days < each), None)
        if level is None:
            continue
        # The last warning comes every day, the early one once a week.
        week = f"{today:%G-W%V}"
        yield Announcement(
            organisation_id=cast(int, row.account.organisation_id),
            topic="money.low",
            key=f"{level}:{today if level == min(MONEY_DAYS) else week}",
            market_at=now,
            params={"available_cny": format(available, ".2f"), "days": level},
            path=reverse("balance"),
        )


def _days_left(*, since: datetime) -> Iterator[tuple[AccountBalance, Decimal, Decimal]]:
    """Yield buyers' balances, what is available, and for how many days at the pace of bills."""
    spent = dict(
        Invoice.objects.filter(
            direction=InvoiceDirection.RECEIVABLE, issued_on__gte=market_date(since)
        )
        .values_list("organisation_id")
        .annotate(Sum("gross"))
        .order_by()
    )
    rows = AccountBalance.objects.filter(
        account__purpose="member_funds", account__organisation_id__in=spent
    ).select_related("account")
    for row in rows:
        pace = Decimal(spent[row.account.organisation_id]) / PACE_DAYS
        available = row.credit - row.debit + row.credit_limit - row.pending
        if pace > 0:
            yield row, available, available / pace


def _expiring_papers(now: datetime) -> Iterator[Announcement]:
    today = market_date(now)
    last = today + timedelta(days=max(EXPIRY_DAYS))
    licences = Organisation.objects.filter(
        state=OrganisationState.APPROVED,
        telecom_licence_expires_on__gte=today,
        telecom_licence_expires_on__lte=last,
    )
    for organisation in licences:
        yield _paper(
            now,
            organisation_id=organisation.pk,
            key=f"licence:{organisation.telecom_licence_number}",
            expires_on=cast(date, organisation.telecom_licence_expires_on),
            names=("电信业务经营许可证", "The telecom licence"),
            path=reverse("sign-up-status"),
        )
    for field, zh, en in (
        ("dengbao_expires_on", "等保证明", "the 等保 certificate"),
        ("xinchuang_expires_on", "信创证明", "the 信创 certificate"),
    ):
        pools = ResourcePool.objects.filter(**{f"{field}__gte": today, f"{field}__lte": last})
        for pool in pools:
            yield _paper(
                now,
                organisation_id=pool.organisation_id,
                key=f"{field}:{pool.identifier}",
                expires_on=getattr(pool, field),
                names=(f"{pool.name} {zh}", f"{pool.name_en or pool.name}: {en}"),
                path=reverse("pool", args=[pool.identifier]),
            )


def _expiring_cover(now: datetime) -> Iterator[Announcement]:
    """Limits, guarantees and deposits: whoever keeps the member's money hears of it in time."""
    today = market_date(now)
    last = today + timedelta(days=max(EXPIRY_DAYS))
    newest = (
        CreditLimit.objects.filter(state=RequestState.APPROVED)
        .order_by("organisation_id", "kind", "-decided_at", "-pk")
        .distinct("organisation_id", "kind")
    )
    for limit in newest:
        if limit.expires_on is None or not today <= limit.expires_on <= last or not limit.amount:
            continue
        is_guarantee = limit.kind == CreditKind.GUARANTEE
        yield _paper(
            now,
            organisation_id=limit.organisation_id,
            key=f"limit:{limit.public_id}",
            expires_on=limit.expires_on,
            names=(f"保函 {limit.guarantee_number}", f"Bank guarantee {limit.guarantee_number}")
            if is_guarantee
            else ("授信额度", "The credit limit"),
            path=reverse("balance"),
            roles=MONEY_ROLES,
        )
    deposits = SecurityDeposit.objects.filter(
        state=SecurityDepositState.LODGED, expires_on__gte=today, expires_on__lte=last
    )
    for deposit in deposits:
        yield _paper(
            now,
            organisation_id=deposit.organisation_id,
            key=f"deposit:{deposit.public_id}",
            expires_on=deposit.expires_on,
            names=("履约保证金", "The security deposit"),
            path=reverse("balance"),
            roles=MONEY_ROLES,
        )


def _paper(
    now: datetime,
    *,
    organisation_id: int,
    key: str,
    expires_on: date,
    names: tuple[str, str],
    path: str,
    roles: frozenset[str] = frozenset(),
) -> Announcement:
    left = (expires_on - market_date(now)).days
    level = next(each for each in EXPIRY_DAYS if left <= each)
    return Announcement(
        organisation_id=organisation_id,
        topic="certificate.expiring",
        key=f"{level}:{expires_on}:{key}"[:80],
        market_at=now,
        params={"name_zh": names[0], "name_en": names[1], "expires_on": expires_on.isoformat()},
        path=path,
        roles=roles,
    )
