"""Holds on members' funds: the ledger's side of the port that orders declare."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, connection

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.money import round_up
from marketplace.domain.periods import market_date
from marketplace.models import ProductVatRate
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at, vat_rates
from orders.ports.collateral import HoldChange, InsufficientCollateral, WorstCase
from settlement.services.ledger import named_refusal

_ZERO = Decimal("0.00")
_PLACE_HOLD = """
SELECT reference, available FROM ledger_place_hold(
    (SELECT id FROM settlement_account
      WHERE purpose = 'member_funds' AND asset_id = 'CNY' AND organisation_id = %s),
    %s, %s, %s, %s::uuid)
"""
_AVAILABLE = """
SELECT b.credit - b.debit + b.credit_limit - b.pending
  FROM settlement_accountbalance b JOIN settlement_account a ON a.id = b.account_id
 WHERE a.purpose = 'member_funds' AND a.asset_id = 'CNY' AND a.organisation_id = %s
"""


class HoldAmountInvalid(RuleBroken):
    """A hold is above zero and in whole fen."""

    code = "hold_amount_invalid"
    message = gettext_noop("A hold must be above zero and in whole fen.")


class LedgerCollateral:
    """Implements `orders.ports.collateral.CollateralPort` on the ledger."""

    def worst_case(self, *, product_id: int, net_cny: Decimal) -> WorstCase:
        """Return net, buyer fee and the tax on both at today's rates, each rounded up to the fen.

        Each part is rounded up by itself, so that the parts shown to a buyer add up to the hold.
        """
        return self.worst_cases([(product_id, net_cny)])[0]

    def worst_cases(self, purchases: Sequence[tuple[int, Decimal]]) -> list[WorstCase]:
        """Return the same for many (product id, net CNY), in a fixed number of queries.

        Raises:
            ProductVatRate.DoesNotExist: a product has no tax rate today.
        """
        now = market_now()
        rules = rules_at(now)
        rates = vat_rates(market_date(now))
        found = []
        for product_id, net_cny in purchases:
            if product_id not in rates:
                raise ProductVatRate.DoesNotExist(f"product {product_id} has no VAT rate")
            exact_fee = multiply_exactly(net_cny, rules.buyer_fee_rate)
            exact_vat = multiply_exactly(net_cny, rates[product_id]) + multiply_exactly(
                exact_fee, rules.fee_vat_rate
            )
            net, fee, vat = round_up(net_cny), round_up(exact_fee), round_up(exact_vat)
            found.append(
                WorstCase(net_cny=net, fee_cny=fee, vat_cny=vat, total_cny=net + fee + vat)
            )
        return found

    def place_hold(
        self, *, organisation_id: int, amount_cny: Decimal, source_type: str, source_id: str
    ) -> uuid.UUID:
        """Set money aside and return the hold's reference; one hold a source.

        Locks the stored balance of the member's funds.

        Raises:
            InsufficientCollateral: nothing was held.
            HoldAmountInvalid: the amount is not above zero or has parts of a fen.
        """
        if amount_cny <= 0 or amount_cny != round_up(amount_cny):
            raise HoldAmountInvalid(field="amount")
        with connection.cursor() as cursor:
            cursor.execute(
                _PLACE_HOLD,
                [organisation_id, amount_cny, source_type, str(source_id), str(uuid.uuid4())],
            )
            reference, available = cursor.fetchone()
        if reference is None:
            free = _ZERO if available is None else max(available, _ZERO)
            raise InsufficientCollateral(
                required_cny=amount_cny, available_cny=free.quantize(_ZERO)
            )
        return uuid.UUID(str(reference))

    def release_hold(self, *, reference: uuid.UUID, event_key: str) -> None:
        """Free what remains of a hold; a repeated call does nothing.

        Raises:
            HoldNotOpen: there is no such hold.
        """
        reduce_holds(
            [HoldChange(reference=reference, keep_cny=Decimal(0), event_key=event_key)],
            kind="release",
        )

    def change_holds(self, changes: Sequence[HoldChange]) -> None:
        """Reduce many holds at once, in the caller's transaction; repeated keys do nothing.

        Locks the stored balances in id order, then the holds in id order.

        Raises:
            HoldNotOpen: a hold is unknown or named twice.
        """
        reduce_holds(changes, kind="release")

    def available_cny(self, *, organisation_id: int) -> Decimal:
        """Return the free funds of a member; zero when it has no account."""
        with connection.cursor() as cursor:
            cursor.execute(_AVAILABLE, [organisation_id])
            row = cursor.fetchone()
        return row[0].quantize(_ZERO) if row else _ZERO


def reduce_holds(changes: Sequence[HoldChange], *, kind: str, entry_id: int | None = None) -> int:
    """Bring holds down to what is kept and return how many moved.

    Args:
        changes: the holds, each named once.
        kind: `release`, `capture` or `expire`.
        entry_id: the journal entry that captures.

    Raises:
        HoldNotOpen: a hold is unknown or named twice.
    """
    if not changes:
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT ledger_reduce_holds(%s, %s::uuid[], %s::numeric[], %s, %s)",
                [
                    kind,
                    [str(change.reference) for change in changes],
                    [change.keep_cny for change in changes],
                    [change.event_key for change in changes],
                    entry_id,
                ],
            )
            return int(cursor.fetchone()[0])
    except IntegrityError as error:
        refusal = named_refusal(error)
        if refusal is None:
            raise
        raise refusal from error
