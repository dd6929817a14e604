"""Members with accounts and money, for tests of the ledger."""

from datetime import date
from decimal import Decimal
from itertools import count

from marketplace.models import Organisation, OrganisationState, User
from settlement.models import JournalEntry
from settlement.services.accounts import account_for, open_member_accounts, open_platform_accounts
from settlement.services.ledger import PostingLine, post_entry

_NUMBERS = count(1)
TODAY = date(2026, 11, 23)


def make_user(name: str = "user") -> User:
    """Return a new user."""
    return User.objects.create_user(f"{name}{next(_NUMBERS)}@example.cn", display_name=name)


def make_member(*, funds: str = "0", code: str | None = None, **fields: object) -> Organisation:
    """Return an approved member with open accounts and a deposit."""
    number = next(_NUMBERS)
    open_platform_accounts()
    member = Organisation.objects.create(
        **{
            "code": code or f"T{number:04}",
            "name_zh": f"测试会员{number}",
            "credit_code": f"92110000{number:010}",
            "is_buyer": True,
            "is_supplier": True,
            "state": OrganisationState.APPROVED,
            **fields,
        }
    )
    open_member_accounts(member)
    if Decimal(funds):
        deposit(member, funds)
    return member


def deposit(member: Organisation, amount: str, *, key: str | None = None) -> JournalEntry:
    """Put money on a member's funds account."""
    return post_entry(
        kind="deposit",
        effective_on=TODAY,
        source_type="test",
        source_id=str(member.pk),
        idempotency_key=key or f"test-deposit:{next(_NUMBERS)}",
        postings=[
            PostingLine(account_for("bank").pk, Decimal(amount)),
            PostingLine(account_for("member_funds", organisation=member).pk, -Decimal(amount)),
        ],
    )
