"""Contracts (合同): who may see which, between whom, for how much, under which terms."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_money, vat_of
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.organisations import platform
from marketplace.selectors.rules import vat_rate_for
from settlement.models import (
    Contract,
    ContractSide,
    Delivery,
    Invoice,
    InvoiceDirection,
    SlaTerms,
)

PARTS = (
    "allocation__auction",
    "allocation__buyer",
    "allocation__seller",
    "allocation__product",
    "allocation__hub",
    "allocation__supply_hub",
)


@dataclass(frozen=True, slots=True)
class ContractSums:
    """The price agreed, CNY; what is billed is metered."""

    net: Decimal
    vat_rate: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        """With tax."""
        return add_exactly([self.net, self.vat])


def reads_all_contracts(actor: Actor) -> bool:
    """Tell whether the actor keeps or audits the market's books."""
    return actor.is_platform_finance or actor.is_platform_auditor


def contracts_for(actor: Actor) -> QuerySet[Contract]:
    """Return the contracts an actor may see, the newest first.

    The books see all; a member those it is party to, once they were sent to be signed.
    """
    rows = Contract.objects.select_related(*PARTS).order_by("-pk")
    if reads_all_contracts(actor):
        return rows
    own = actor.organisation
    is_party = (
        Q(side=ContractSide.SALE, allocation__buyer=own)
        | Q(side=ContractSide.PURCHASE, allocation__seller=own)
        | Q(side=ContractSide.DIRECT, allocation__buyer=own)
        | Q(side=ContractSide.DIRECT, allocation__seller=own)
    )
    return rows.filter(is_party, sent_at__isnull=False)


def parties_of(
    contract: Contract, market: Organisation | None = None
) -> list[tuple[str, Organisation]]:
    """Return who signs a contract, who provides first, with the part each one plays."""
    allocation = contract.allocation
    buyer, supplier = ("buyer", allocation.buyer), ("supplier", allocation.seller)
    if contract.side == ContractSide.DIRECT:
        return [supplier, buyer]
    between = ("market", market or platform())
    return [between, buyer] if contract.side == ContractSide.SALE else [supplier, between]


def with_party(text: str) -> Q:
    """Return the condition that a party is named like this; the market's name is in all but one."""
    buyer, seller = _named("allocation__buyer", text), _named("allocation__seller", text)
    found = (
        Q(Q(side=ContractSide.SALE) & buyer)
        | Q(Q(side=ContractSide.PURCHASE) & seller)
        | Q(Q(side=ContractSide.DIRECT) & (buyer | seller))
    )
    if Organisation.objects.filter(_named("", text), is_platform=True).exists():
        found |= ~Q(side=ContractSide.DIRECT)
    return found


def _named(path: str, text: str) -> Q:
    start = f"{path}__" if path else ""
    found = Q()
    for name in ("name_zh", "name_en", "code"):
        found |= Q(**{f"{start}{name}__icontains": text})
    return found


def net_of(contract: Contract) -> Decimal:
    """Return the price agreed before tax, as this contract's parties see it."""
    allocation = contract.allocation
    is_bought = contract.side != ContractSide.PURCHASE
    return round_money(allocation.buyer_net_cny if is_bought else allocation.seller_net_cny)


def sums_of(contract: Contract) -> ContractSums:
    """Return the price agreed with its tax."""
    allocation = contract.allocation
    rate = vat_rate_for(allocation.product, on=market_date(allocation.starts_at))
    net = net_of(contract)
    return ContractSums(net=net, vat_rate=rate, vat=vat_of(net, rate))


def delivery_of(contract: Contract) -> Delivery | None:
    """Return the delivery of the contract's allocation."""
    return Delivery.objects.filter(allocation=contract.allocation_id).first()


def bills_of(contract: Contract, actor: Actor) -> list[Invoice]:
    """Return the bills and statements of the delivery, as far as parties and actor have them."""
    directions = {
        ContractSide.SALE: (InvoiceDirection.RECEIVABLE,),
        ContractSide.PURCHASE: (InvoiceDirection.PAYABLE,),
    }
    found = Invoice.objects.filter(
        lines__delivery__allocation=contract.allocation_id,
        direction__in=directions.get(ContractSide(contract.side), InvoiceDirection.values),
    )
    if not reads_all_contracts(actor):
        found = found.filter(organisation=actor.organisation)
    return list(found.distinct().order_by("pk"))


def service_terms_of(contract: Contract, on: date) -> SlaTerms | None:
    """Return the service terms of the contract's product in force on a day."""
    rows = SlaTerms.objects.filter(product=contract.allocation.product_id, valid_from__lte=on)
    return rows.order_by("-valid_from").first()
