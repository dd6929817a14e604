"""The demonstration's default: reminders run out, two persons declare, the order is kept."""

from decimal import Decimal

import pytest

from config.demo.arrears import Debtor, join, leave_unpaid
from config.demo.cast import Cast, gather_cast
from config.demo.defaults import play_default
from config.demo.month import EPISODES
from marketplace.models import OrganisationState, Role
from settlement.models import (
    DefaultCase,
    DunningStep,
    Invoice,
    InvoiceKind,
    InvoiceState,
    JournalEntry,
    Posting,
)
from settlement.selectors.cases.debts import balance_of
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from tests.factories.cases import assert_ledger_clean
from tests.factories.recognition_month import Quiet
from tests.factories.settlement import Market, Trade, as_seller, funded, published_auction
from tests.web.desks import colleague, platform_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def played() -> tuple[Debtor, Invoice, Cast]:
    """Forty units for four hours at 9.00, half of them counted at first.

    All of it: net 1,440.00, fee 0.5 % 7.20, tax 6 % of 1,447.20 is 86.832: 86.83, gross 1,534.03.
    The first bill: 720.00 + 3.60 + 43.42 (43.416) = 767.02. So the additional bill is 767.01.
    """
    market = Market()
    operator = platform_people()["operator"]
    assert operator.organisation
    colleague(operator.organisation, Role.OPERATOR)
    debtor = join(password="a-sign-in-for-tests-only")
    seller = funded(is_buyer=False, is_demo_bot=True)
    as_seller(seller)
    auction = published_auction(
        market, [Trade(debtor.organisation, seller, ["40"] * 4, "9", "7", "1")]
    )
    cast = gather_cast()
    return debtor, leave_unpaid(debtor, auction, cast), cast


def test_the_debtor_s_bill_runs_through_its_reminders(
    played: tuple[Debtor, Invoice, Cast],
) -> None:
    debtor, bill, _cast = played

    bills = Invoice.objects.filter(organisation=debtor.organisation).order_by("pk")
    assert [(b.kind, b.state, b.gross.amount) for b in bills] == [
        (InvoiceKind.BILL, InvoiceState.PAID, Decimal("767.02")),
        (InvoiceKind.ADDITIONAL, InvoiceState.ISSUED, Decimal("767.01")),
    ]
    steps = DunningStep.objects.order_by("step")
    assert [(s.invoice_id, s.step, s.owed_cny) for s in steps] == [
        (bill.pk, step, Decimal("767.01")) for step in (1, 2, 3)
    ]
    # Each on its own day: nothing is told late or together.
    assert len({s.market_at.date() for s in steps}) == 3
    assert balance_of("member_funds", debtor.organisation) == 0


def test_two_operators_declare_and_the_written_order_covers(
    played: tuple[Debtor, Invoice, Cast],
) -> None:
    debtor, bill, cast = played

    [line] = play_default(cast, Quiet())

    case = DefaultCase.objects.get()
    assert case.entered_by_id != case.decided_by_id
    assert line == (
        f"违约 default {case.number} 洛阳伊屿短视频制作有限公司"
        " (Luoyang Yiyu Short Video Co., Ltd.): 欠款 owed 767.01 CNY ="
        " 履约保证金 security deposit 500.00, 违约损失 loss 267.01;"
        f" 违约金 penalty {case.penalty_cny} CNY"
    )
    assert _journal(case) == [
        ("member_deposit", "500.00"),
        ("member_receivable", "-500.00"),
        ("default_loss", "267.01"),
        ("member_receivable", "-267.01"),
    ]
    bill.refresh_from_db()
    debtor.organisation.refresh_from_db()
    assert (bill.state, debtor.organisation.state) == (
        InvoiceState.PAID,
        OrganisationState.SUSPENDED,
    )
    assert balance_of("member_receivable", debtor.organisation) == 0
    off = differences_by_asset(trial_balance(bill.issued_on, case.declared_on or bill.due_on))
    assert not any(off.values())
    assert_ledger_clean()
    _tells_again(cast, line)


def test_the_month_plays_every_episode() -> None:
    assert [play.__name__ for play in EPISODES] == [
        "play_corrections",
        "play_cases",
        "play_default",
        "play_banking",
        "play_contracts",
        "play_registry",
        "play_green_supply",
        "play_carbon",
        "play_recognition",
    ]


def _journal(case: DefaultCase) -> list[tuple[str, str]]:
    entries = [step.entry_id for step in case.steps.order_by("position")]
    rows = Posting.objects.filter(entry__in=entries).order_by("entry_id", "line")
    return [(p.account.purpose, f"{p.amount:.2f}") for p in rows.select_related("account")]


def _tells_again(cast: Cast, line: str) -> None:
    entries = JournalEntry.objects.count()

    assert play_default(cast, Quiet()) == [line]
    assert JournalEntry.objects.count() == entries
    assert DefaultCase.objects.count() == 1
