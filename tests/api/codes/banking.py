"""Bank statements that cannot be read: refused whole, with the line and its code."""

from datetime import date

from marketplace.models import Role
from settlement.services.accounts import open_platform_accounts
from settlement.services.banking.profiles import seed_profiles
from settlement.services.banking.statements import register_bank_account
from tests.api.callers import browser_of
from tests.api.codes.statements import AFTER
from tests.api.refusing import CSV, Ask, reaches
from tests.factories.banking import HEAD
from tests.factories.marketplace import operator
from tests.factories.settlement import move_clock

LISTED = "记账日期,收支标志,交易金额,账户余额,流水号,对方名称,对方账户,附言"


def statement(profile: str, *lines: str) -> Ask:
    """Return the request to take in a bank's file of these lines."""
    move_clock(AFTER)
    open_platform_accounts()
    seed_profiles()
    finance = operator(Role.FINANCE)
    account = register_bank_account(
        actor=finance,
        code="MAIN",
        bank_name="示例银行",
        number="6222000000000001",
        profile_code=profile,
        reconciled_from=date(2026, 11, 1),
    )
    path = f"bank-accounts/{account.code}/statements/"
    return Ask(browser_of(finance), path, "\n".join(lines), CSV)


def two_columns(booking: str, *, closing: str = "100") -> Ask:
    """Return a file of one booking with an opening balance of nought."""
    return statement("two-columns", "期初余额,0", HEAD, booking, f"期末余额,{closing}")


@reaches("bank_day_invalid", line=3)
def a_day_that_is_none() -> Ask:
    return two_columns("2026-13-45,R1,,100,100,某某,1,x")


@reaches("bank_amount_invalid", line=3)
def an_amount_in_words() -> Ask:
    return two_columns("2026-11-20,R1,,一百,100,某某,1,x")


@reaches("bank_balance_broken", line=3)
def a_balance_that_does_not_follow() -> Ask:
    return two_columns("2026-11-20,R1,,100,90,某某,1,x")


@reaches("bank_totals_broken", line=0)
def a_closing_balance_that_does_not_follow() -> Ask:
    return two_columns("2026-11-20,R1,,100,100,某某,1,x", closing="90")


@reaches("bank_direction_invalid", line=2)
def money_that_goes_nowhere() -> Ask:
    return statement("one-column", LISTED, "20261120,某,100,100,R1,某某,1,x")


@reaches("bank_balances_missing", line=0)
def a_file_without_balances() -> Ask:
    return statement("one-column", LISTED, "20261120,收入,100,,R1,某某,1,x")
