"""Tax of credit notes: exact at every step, nothing left when everything is credited (S-26)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.money import TaxableLine, vat_of, vat_summary
from settlement.domain.corrections.tax import TaxedShare, correct_tax

RATES = st.sampled_from([Decimal("0.06"), Decimal("0.13"), Decimal("0.005"), Decimal(1) / 8])
FEN = st.integers(0, 100_000).map(lambda fen: Decimal(fen).scaleb(-2))


def _bill(rate: Decimal, nets: list[Decimal]) -> dict[int, TaxedShare]:
    taxed = vat_summary([TaxableLine(net, rate) for net in nets])
    return {
        key: TaxedShare(net, vat)
        for key, (net, vat) in enumerate(zip(nets, taxed.line_vats, strict=True))
    }


def test_a_credit_in_full_gives_back_the_tax_of_the_line() -> None:
    billed = _bill(Decimal("0.13"), [Decimal("10.01"), Decimal("10.02")])

    tax = correct_tax(
        rate=Decimal("0.13"),
        billed=billed,
        changes=[(0, Decimal("-10.01")), (1, Decimal("-10.02"))],
    )

    assert tax.line_vats == tuple(-share.vat for share in billed.values())
    assert tax.rest == 0


def test_a_fen_that_no_line_can_carry_stands_apart() -> None:
    # 0.05 + 0.05 at 10 % are taxed 0.01 together; half of it is taxed 0.01 too.
    billed = _bill(Decimal("0.1"), [Decimal("0.05"), Decimal("0.05")])

    tax = correct_tax(rate=Decimal("0.1"), billed=billed, changes=[(0, Decimal("-0.05"))])

    assert (tax.line_vats, tax.rest, tax.vat) == ((Decimal("-0.01"),), Decimal("0.01"), 0)


def test_a_line_is_corrected_once_in_a_document() -> None:
    with pytest.raises(ValueError, match="once"):
        correct_tax(rate=Decimal("0.1"), billed={}, changes=[(0, Decimal(1)), (0, Decimal(1))])


@given(rate=RATES, nets=st.lists(FEN, min_size=1, max_size=12), data=st.data())
def test_documents_always_add_up_to_the_tax_of_their_sum(
    rate: Decimal, nets: list[Decimal], data: st.DataObject
) -> None:
    """S-26: partial credit notes until full; the last one takes the rest."""
    billed = _bill(rate, nets)
    for _ in range(data.draw(st.integers(1, 4))):
        keys = data.draw(st.lists(st.sampled_from(range(len(nets))), unique=True, min_size=1))
        _correct(rate, billed, [(key, data.draw(FEN) - billed[key].net) for key in keys])

    _correct(rate, billed, [(key, -billed[key].net) for key in range(len(nets))])

    assert all(share == TaxedShare(Decimal(0), Decimal(0)) for share in billed.values())


def _correct(
    rate: Decimal, billed: dict[object, TaxedShare], changes: list[tuple[int, Decimal]]
) -> None:
    tax = correct_tax(rate=rate, billed=billed, changes=changes)
    for (key, net), vat in zip(changes, tax.line_vats, strict=True):
        before = billed[key]
        billed[key] = TaxedShare(before.net + net, before.vat + vat)
    rest = billed.get("rest", TaxedShare(Decimal(0), Decimal(0)))
    billed["rest"] = TaxedShare(rest.net, rest.vat + tax.rest)
    total = sum((share.net for share in billed.values()), Decimal(0))
    assert sum(share.vat for share in billed.values()) == vat_of(total, rate)
