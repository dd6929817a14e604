"""Contracts of the demonstration: some signed by all, some waiting for their parties."""

from config.demo.cast import Cast, platform_actor
from config.demo.stage import Stage
from marketplace.models import Role
from marketplace.permissions import Actor
from orders.models import Allocation
from settlement.exports.banking.contract_pdf import contract_pdf
from settlement.exports.pdf import PdfUnavailable
from settlement.models import Contract, ContractState
from settlement.services.banking.contract_answers import sign_contract
from settlement.services.banking.contracts import draw_up_contracts, send_contract

BUYERS = 4


def play_contracts(cast: Cast, stage: Stage) -> list[str]:
    """Let a few buyers sign one contract each and leave their next one waiting."""
    if Contract.objects.exists():
        return []
    maker = platform_actor(Role.FINANCE)
    try:
        for buyer in list(cast.buying.values())[:BUYERS]:
            _sign_and_leave(buyer, cast, maker)
            stage.watch()
    except PdfUnavailable:
        return []
    signed = Contract.objects.filter(state=ContractState.SIGNED).count()
    waiting = Contract.objects.filter(state=ContractState.SENT).count()
    return [f"合同 contracts: {signed} 份已签署 signed, {waiting} 份待签署 waiting"]


def _sign_and_leave(buyer: Actor, cast: Cast, maker: Actor) -> None:
    bought = Allocation.objects.filter(buyer=buyer.organisation).order_by("pk")[:2]
    for number, allocation in enumerate(bought):
        sale, purchase = draw_up_contracts(actor=maker, allocation=allocation)
        send_contract(actor=maker, public_id=sale.public_id, draw=contract_pdf)
        if number:
            continue
        for party in (buyer, maker):
            sign_contract(actor=party, public_id=sale.public_id)
        send_contract(actor=maker, public_id=purchase.public_id, draw=contract_pdf)
        supplier = cast.supplying.get(allocation.seller_id)
        if supplier is not None:
            sign_contract(actor=supplier, public_id=purchase.public_id)
