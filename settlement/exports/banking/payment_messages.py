"""An approved batch as a message for the bank, beside the file in the columns of its layout."""

from datetime import datetime

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import Organisation
from settlement.domain.formats.adapter import MessageAdapter, write_checked
from settlement.domain.formats.pain001 import BankParty, Payment, PaymentOrder
from settlement.exports.banking.payout_files import purpose_of
from settlement.models import BankAccount, Payout, PayoutBatch


class PayerAccountMissing(RuleBroken):
    """A payment message names the account that pays, and none is registered."""

    code = "payer_account_missing"
    message = gettext_noop("Name the market's bank account first: the file says who pays.")
    status = 409


def payment_message(batch: PayoutBatch, adapter: MessageAdapter[PaymentOrder]) -> bytes:
    """Return the message of an approved batch, the same bytes each time.

    Raises:
        PayerAccountMissing: no bank account of the market is registered.
        PaymentNotExpressible: something is longer than the standard allows.
    """
    return write_checked(adapter, payment_order(batch))


def payment_order(batch: PayoutBatch) -> PaymentOrder:
    """Return what an approved batch orders from the bank; raises PayerAccountMissing."""
    account = BankAccount.objects.order_by("pk").first()
    if account is None:
        raise PayerAccountMissing
    market = Organisation.objects.get(is_platform=True)
    return PaymentOrder(
        number=batch.number,
        ordered_at=_to_the_second(batch.decided_at or batch.made_at),
        pay_on=batch.pay_on,
        payer=_party(market.invoice_title or market.name_zh, account.number, account.bank_name),
        payments=tuple(_payment(payout) for payout in batch.payouts.order_by("number")),
    )


def _payment(payout: Payout) -> Payment:
    return Payment(
        reference=payout.number,
        amount=payout.amount_cny,
        payee=_party(payout.payee_name, payout.bank_account, payout.bank_name),
        purpose=purpose_of(payout),
    )


def _party(name: str, account: str, bank: str) -> BankParty:
    return BankParty(name.strip(), account.strip(), bank.strip())


def _to_the_second(instant: datetime) -> datetime:
    return instant.astimezone(MARKET_TIME_ZONE).replace(microsecond=0)
