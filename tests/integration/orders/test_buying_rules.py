"""Projects keep to their budget, and bids above a threshold wait for a second person."""

from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted
from marketplace.models import OutboxEvent, Role
from orders.models import ApprovalState, BidApproval, BudgetAlert, Order, OrderState
from orders.selectors.projects import project_commitments
from orders.services import approvals, buying_rules
from orders.services.request_record import record_of, request_of
from orders.services.submission import submit_order
from settlement.models import Hold
from tests.factories.marketplace import member
from tests.factories.orders import (
    block_request,
    curve_request,
    open_auction_now,
    published,
    stop_clock,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(db: None) -> Market:
    stop_clock()
    return two_hub_market()


def _bid(market, auction, actor, *steps, **fields):
    request = curve_request(auction, market.product, market.city, steps or ((8, 10),), **fields)
    return submit_order(actor=actor, request=request)


def test_a_project_holds_what_its_orders_may_cost_and_then_what_they_bought(market: Market) -> None:
    actor = buyer()
    auction = open_auction_now()
    project = buying_rules.open_project(actor=actor, name="Training", budget_cny=Decimal(1000))

    order = _bid(market, auction, actor, project=project.public_id)
    held = project_commitments(projects=[project])[project.pk]

    assert order.project == project
    assert (held.held_cny, held.bought_cny) == (order.worst_case_cny, Decimal(0))

    published(auction)
    bought = project_commitments(projects=[project])[project.pk]

    # 10 cards x 4 h at 5 CNY plus two tariffs of 0.002 CNY a unit; 1 % fee, 6 % tax.
    assert bought.held_cny == 0
    assert Decimal(214) < bought.bought_cny < Decimal("214.5")


def test_a_bid_beyond_the_budget_is_refused_and_holds_nothing(market: Market) -> None:
    actor = buyer()
    auction = open_auction_now()
    project = buying_rules.open_project(actor=actor, name="Small", budget_cny=Decimal(400))
    _bid(market, auction, actor, project=project.public_id)  # 342.60 of 400

    with pytest.raises(buying_rules.BudgetExceeded) as refusal:
        _bid(market, auction, actor, (8, 2), project=project.public_id)

    assert refusal.value.params["left"] == "57.40"
    assert Order.objects.count() - Order.objects.filter(side="sell").count() == 1
    assert Hold.objects.count() == 1


def test_alerts_come_once_at_80_and_100_percent(market: Market) -> None:
    actor = buyer()
    auction = open_auction_now()
    project = buying_rules.open_project(
        actor=actor, name="Soft", budget_cny=Decimal(400), refuses_beyond_budget=False
    )
    for _ in range(3):
        _bid(market, auction, actor, project=project.public_id)

    alerts = BudgetAlert.objects.order_by("id").values_list("percent", flat=True)
    assert list(alerts) == [80, 100]
    assert OutboxEvent.objects.filter(topic="project.budget_reached").count() == 2


def test_another_members_project_is_not_found(market: Market) -> None:
    project = buying_rules.open_project(actor=buyer(), name="Theirs")
    auction = open_auction_now()

    with pytest.raises(buying_rules.ProjectNotFound):
        _bid(market, auction, buyer(), project=project.public_id)


def test_only_finance_sets_the_threshold(market: Market) -> None:
    actor = buyer()
    only_buys = member(actor.organisation, Role.BUYER)

    with pytest.raises(NotPermitted):
        buying_rules.set_approval_threshold(actor=only_buys, above_cny=Decimal(5))


def test_a_bid_above_the_threshold_waits_without_a_hold_until_a_second_person_agrees(
    market: Market,
) -> None:
    actor = buyer()
    second = member(actor.organisation, Role.BUYER)
    auction = open_auction_now()
    buying_rules.set_approval_threshold(actor=actor, above_cny=Decimal(100))
    request = curve_request(auction, market.product, market.city)

    with pytest.raises(buying_rules.ApprovalRequired):
        submit_order(actor=actor, request=request)
    approval = approvals.request_approval(actor=actor, request=request)

    assert not Hold.objects.exists()
    with pytest.raises(approvals.OwnBidNotApproved):
        approvals.approve_bid(actor=actor, public_id=approval.public_id)

    order = approvals.approve_bid(actor=second, public_id=approval.public_id)

    approval.refresh_from_db()
    assert (order.state, order.submitted_by) == (OrderState.ACTIVE, actor.user)
    assert (approval.state, approval.order, approval.decided_by) == (
        ApprovalState.APPROVED,
        order,
        second.user,
    )
    assert Hold.objects.count() == 1
    with pytest.raises(approvals.ApprovalDecided):
        approvals.approve_bid(actor=second, public_id=approval.public_id)


def test_a_declined_or_withdrawn_bid_never_enters_the_book(market: Market) -> None:
    actor = buyer()
    second = member(actor.organisation, Role.FINANCE)
    auction = open_auction_now()
    buying_rules.set_approval_threshold(actor=actor, above_cny=Decimal(0))
    request = curve_request(auction, market.product, market.city)
    declined = approvals.request_approval(actor=actor, request=request)
    withdrawn = approvals.request_approval(actor=actor, request=request)

    approvals.decline_bid(actor=second, public_id=declined.public_id, reason="too dear")
    approvals.withdraw_bid_request(actor=actor, public_id=withdrawn.public_id)

    assert set(BidApproval.objects.values_list("state", flat=True)) == {"declined", "withdrawn"}
    assert not Order.objects.filter(side="buy").exists()


def test_a_stranger_finds_no_bid_to_approve(market: Market) -> None:
    actor = buyer()
    auction = open_auction_now()
    buying_rules.set_approval_threshold(actor=actor, above_cny=Decimal(0))
    approval = approvals.request_approval(
        actor=actor, request=curve_request(auction, market.product, market.city)
    )

    with pytest.raises(approvals.ApprovalNotFound):
        approvals.approve_bid(actor=buyer(), public_id=approval.public_id)


def test_a_request_is_read_back_as_it_was_written_down(market: Market) -> None:
    auction = open_auction_now()
    curve = curve_request(auction, market.product, market.city, ((8, 10), (6, 5)), note="n")
    block = block_request(auction, market.product, market.city, max_rtt_ms=Decimal(10))

    assert request_of(record_of(curve)) == curve
    assert request_of(record_of(block)) == block
