"""Money for the demonstration's buyers: entered by one person, confirmed by another."""

from decimal import Decimal

from config.demo.cast import platform_actor
from marketplace.domain.periods import market_date
from marketplace.domain.reference import load_table
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.models import Account, CreditLimit, DepositReceipt
from settlement.services.credit_limits import approve_credit_limit, propose_credit_limit
from settlement.services.funds import confirm_deposit, record_deposit


def unfunded_members() -> list[tuple[Organisation, Decimal, Decimal]]:
    """Return members of the shipped tables without money yet, with deposit and credit limit."""
    rows = {row["code"]: row for row in load_table("members") if row["is_buyer"] == "1"}
    members = (
        Organisation.objects.filter(code__in=rows)
        .exclude(pk__in=DepositReceipt.objects.values("organisation"))
        .exclude(pk__in=CreditLimit.objects.values("organisation"))
        .order_by("code")
    )
    return [
        (member, Decimal(rows[member.code]["deposit_cny"]), _credit(rows[member.code]))
        for member in members
    ]


def accounts_open(members: list[Organisation]) -> bool:
    """Tell whether settlement has opened the members' accounts."""
    opened = Account.objects.filter(purpose="member_funds", organisation__in=members).count()
    return opened == len(members)


def fund(
    member: Organisation, *, deposit_cny: Decimal, credit_cny: Decimal, note: str = "DEMO"
) -> None:
    """Book a deposit and set a credit limit, each by two persons; the note starts its reference."""
    maker, checker = _two_persons()
    if deposit_cny:
        receipt = record_deposit(
            actor=maker,
            organisation=member,
            amount_cny=deposit_cny,
            bank_reference=f"{note}-{member.code}-{market_date(market_now()):%Y%m%d}",
            received_on=market_date(market_now()),
        )
        confirm_deposit(actor=checker, deposit_public_id=receipt.public_id)
    if credit_cny:
        limit = propose_credit_limit(actor=maker, organisation=member, amount_cny=credit_cny)
        approve_credit_limit(actor=checker, limit_public_id=limit.public_id)


def _credit(row: dict[str, str]) -> Decimal:
    return Decimal(row["credit_limit_cny"])


def _two_persons() -> tuple[Actor, Actor]:
    return platform_actor(Role.FINANCE), platform_actor(Role.FINANCE, number=1)
