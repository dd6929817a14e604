"""The contract behind an allocation (算力服务合同) as a document to be signed."""

from typing import Any

from settlement.exports.documents import confirmation_context, number, percent
from settlement.exports.pdf import draw_pdf
from settlement.models import Contract
from settlement.selectors.banking.contracts import parties_of, sums_of


def contract_pdf(contract: Contract) -> bytes:
    """Return the contract in both languages; raises PdfUnavailable."""
    return draw_pdf("settlement/pdf/contract.html", contract_context(contract))


def contract_context(contract: Contract) -> dict[str, Any]:
    """Return what a contract states: its parties, what is delivered, for how much."""
    provider, receiver = (party for _role, party in parties_of(contract))
    sums = sums_of(contract)
    return {
        **confirmation_context(contract.allocation),
        "contract": contract,
        "provider": provider,
        "receiver": receiver,
        "sum_net": number(sums.net),
        "vat_rate": percent(sums.vat_rate),
        "sum_vat": number(sums.vat),
        "sum_gross": number(sums.gross),
    }
