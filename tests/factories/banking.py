"""Bank files and a bank account, for tests of money in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from marketplace.permissions import Actor
from settlement.models import BankAccount
from settlement.services.banking.profiles import seed_profiles
from settlement.services.banking.statements import register_bank_account
from settlement.services.banking.workdays import seed_calendar

HEAD = "交易日期,交易流水号,借方发生额,贷方发生额,余额,对方户名,对方账号,摘要"


@dataclass(frozen=True)
class Booking:
    """A booking of the bank: money in above zero."""

    day: date
    amount: str
    reference: str = ""
    name: str = ""
    account: str = ""
    purpose: str = ""


def statement_csv(bookings: Sequence[Booking], *, opening: str = "0") -> bytes:
    """Return the bookings as a bank's own CSV file, with running balances."""
    balance = Decimal(opening)
    rows = ["账号,6222000000000001", f"期初余额,{opening}", HEAD]
    for one in bookings:
        amount = Decimal(one.amount)
        balance += amount
        out, came = (-amount, "") if amount < 0 else ("", amount)
        cells = [one.day, one.reference, out, came, balance, one.name, one.account, one.purpose]
        rows.append(",".join(str(cell) for cell in cells))
    rows.append(f"期末余额,{balance}")
    return "\r\n".join(rows).encode("gb18030")


def bank_account(actor: Actor, *, since: date = date(2026, 11, 1)) -> BankAccount:
    """Return the market's bank account, with the shipped layouts and calendar."""
    seed_profiles()
    seed_calendar()
    return register_bank_account(
        actor=actor,
        code="MAIN",
        bank_name="示例银行北京分行",
        number="6222000000000001",
        profile_code="two-columns",
        reconciled_from=since,
    )
