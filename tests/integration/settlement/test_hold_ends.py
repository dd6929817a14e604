"""A hold is used once: every second end of it is refused by name and changes nothing."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders.ports.collateral import HoldChange, InsufficientCollateral
from settlement.models import Hold, JournalEntry
from settlement.services.accounts import account_for
from settlement.services.collateral import LedgerCollateral, reduce_holds
from settlement.services.invariants import broken_invariants
from settlement.services.ledger import HoldNotOpen, PostingLine, post_entry
from tests.factories.ledger import TODAY, make_member

pytestmark = pytest.mark.django_db


class Stage:
    """A member with 100.00, 60.00 of it held."""

    def __init__(self) -> None:
        self.member = make_member(funds="100")
        self.reference = LedgerCollateral().place_hold(
            organisation_id=self.member.pk,
            amount_cny=Decimal(60),
            source_type="order",
            source_id="1",
        )

    def capture(self, key: str, *, keep: str = "0", reference: UUID | None = None) -> JournalEntry:
        """Pay 20.00 out of the hold."""
        return post_entry(
            kind="test",
            effective_on=TODAY,
            source_type="test",
            source_id=key,
            idempotency_key=key,
            postings=[
                PostingLine(account_for("member_funds", organisation=self.member).pk, Decimal(20)),
                PostingLine(account_for("bank").pk, Decimal(-20)),
            ],
            captures=[HoldChange(reference or self.reference, Decimal(keep), f"hold:{key}")],
        )

    def end(self, kind: str) -> None:
        """Let go of the hold."""
        reduce_holds([HoldChange(self.reference, Decimal(0), kind)], kind=kind)


def _facts() -> tuple[object, ...]:
    hold = Hold.objects.get()
    return hold.state, hold.remaining, hold.events.count(), JournalEntry.objects.count()


@pytest.mark.parametrize(
    ("before", "again"),
    [
        ("captured", {}),
        ("released", {}),
        ("expired", {}),
        ("open", {"keep": "-0.01"}),
        ("open", {"reference": uuid4()}),
    ],
    ids=["twice", "after release", "after expiry", "above", "unknown"],
)
def test_a_second_end_of_a_hold_is_refused_by_name(before: str, again: dict[str, object]) -> None:
    """S-13: captured twice, after its end, above it: refused by name; I-06 holds."""
    stage = Stage()
    if before.startswith("captured"):
        stage.capture("first")
    elif before != "open":
        stage.end("release" if before == "released" else "expire")
    facts = _facts()

    with pytest.raises(HoldNotOpen):
        stage.capture("second", **again)

    assert _facts() == facts
    assert broken_invariants() == []


def test_the_same_capture_sent_again_is_the_first_one() -> None:
    stage = Stage()
    first = stage.capture("first")

    assert stage.capture("first") == first
    assert _facts() == ("captured", 0, 2, 2)


def test_a_refused_hold_cannot_be_captured() -> None:
    """S-13: a hold that was refused does not exist, whatever name it was to have."""
    stage = Stage()
    with pytest.raises(InsufficientCollateral):
        LedgerCollateral().place_hold(
            organisation_id=stage.member.pk,
            amount_cny=Decimal("40.01"),
            source_type="order",
            source_id="2",
        )

    with pytest.raises(HoldNotOpen):
        stage.capture("refused", reference=uuid4())

    assert Hold.objects.count() == 1
    assert broken_invariants() == []
