"""Job traces become orders: four formats, stated rules for size, window and price, or nothing."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from marketplace.services.member_seed import seed_members
from marketplace.services.reference_seed import seed_reference
from orders.models import Auction, Order, OrderKind
from orders.services.auctions import ensure_default_calendars
from orders.services.demand_import import NoDemoBuyers, import_demand
from orders.services.gates import open_auction
from settlement.services.accounts import open_member_accounts, open_platform_accounts
from tests.factories.ledger import deposit
from tests.factories.orders import AuctionFactory, pass_gate, stop_clock

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "fixtures" / "imports"
PODS = SAMPLES / "pods-like.csv"
MACHINES = SAMPLES / "machines-like.csv"
BATCH = SAMPLES / "batch-like.swf"
PLAIN = SAMPLES / "orders-like.csv"
DATA = os.environ.get("HENGSUAN_DATA", "")


@pytest.fixture
def auction() -> Auction:
    """An open day of 24 hours with the demonstration's members, their offers and their money."""
    stop_clock()
    seed_reference()
    seed_members(password="a long password", days=4)
    open_platform_accounts()
    for organisation in Organisation.objects.filter(is_buyer=True):
        open_member_accounts(organisation)
        deposit(organisation, "50000000")
    ensure_default_calendars()
    opens_at = market_now() - timedelta(minutes=1)
    auction = AuctionFactory(periods=24, gate_opens_at=opens_at)
    assert open_auction(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def _imported() -> list[Order]:
    rows = Order.objects.filter(source="import").select_related("product", "scenario", "hub")
    return list(rows.order_by("note"))


def test_pods_become_orders_by_the_written_rules(auction: Auction) -> None:
    made = import_demand(path=PODS, auction_code=auction.code)
    assert made.orders == 5
    assert made.left_out == {"job without a duration": 1}
    orders = {order.note.split()[0]: order for order in _imported()}
    latency_bound = orders["pod:own-pod-0001"]
    assert latency_bound.kind == OrderKind.BLOCK
    assert (latency_bound.first_period, latency_bound.last_period) == (2, 3)
    assert latency_bound.min_acceptance == 1
    assert latency_bound.product.code == "AI-P800"
    assert latency_bound.max_rtt_ms == 20
    part_of_a_card = orders["pod:own-pod-0002"]
    assert part_of_a_card.product.code == "AI-K100"
    assert part_of_a_card.quantity == 1
    best_effort = orders["pod:own-pod-0003"]
    assert best_effort.kind == OrderKind.CURVE
    assert best_effort.max_rtt_ms is None
    assert (best_effort.first_period, best_effort.last_period) == (3, 7)
    no_card = orders["pod:own-pod-0004"]
    assert (no_card.product.code, no_card.quantity) == ("GP-VCPU", Decimal(16))
    assert orders["pod:own-pod-0005"].first_period == 2


def test_limit_prices_lie_in_the_share_of_their_tier(auction: Auction) -> None:
    import_demand(path=PODS, auction_code=auction.code)
    orders = {order.note.split()[0]: order for order in _imported()}
    # The median of the seeded offers' cheapest steps for these cards is 4.79 CNY.
    firm = orders["pod:own-pod-0001"].limit_price
    best_effort = orders["pod:own-pod-0003"].limit_price
    assert Decimal("0.89") < firm / Decimal("4.79") <= Decimal("1.10")
    assert Decimal("0.24") < best_effort / Decimal("4.79") <= Decimal("0.60")


def test_the_seed_alone_decides_prices_and_buyers(auction: Auction) -> None:
    runs = []
    for seed in (1, 1, 2):
        Order.objects.all().delete()
        import_demand(path=MACHINES, auction_code=auction.code, seed=seed)
        runs.append([(o.note, o.limit_price, o.organisation_id) for o in _imported()])
    assert runs[0] == runs[1] != runs[2]


def test_batch_logs_and_machines_are_read(auction: Auction) -> None:
    made = import_demand(path=BATCH, auction_code=auction.code)
    assert (made.format, made.orders) == ("batch", 3)
    assert {order.product.code for order in _imported()} == {"HP-CORE"}
    assert {order.scenario.code for order in _imported()} == {"scientific_computing"}
    users = {o.note.split()[0]: o.organisation_id for o in _imported()}
    assert users["batch:1"] == users["batch:2"]
    made = import_demand(path=MACHINES, auction_code=auction.code)
    assert (made.format, made.orders) == ("machines", 4)


def test_plain_orders_keep_their_place_and_price(auction: Auction) -> None:
    made = import_demand(path=PLAIN, auction_code=auction.code)
    assert made.left_out == {"offer to sell: list it with its supplier": 1}
    orders = {order.note.split()[0]: order for order in _imported()}
    assert orders["order:o1"].hub.code == "BJ"
    assert orders["order:o1"].limit_price == Decimal("0.2")
    assert orders["order:o2"].limit_price == Decimal("3.50")
    assert orders["order:o4"].limit_price > 0


def test_limits_on_orders_and_blocks_are_kept(auction: Auction) -> None:
    made = import_demand(path=PODS, auction_code=auction.code, limit=3, most_blocks=0)
    assert (made.orders, made.blocks) == (3, 0)
    assert made.left_out["beyond the limit"] == 2


def test_what_nobody_can_cover_is_left_out_and_counted(auction: Auction) -> None:
    poor = Organisation.objects.create(
        code="POOR", name_zh="无保证金", credit_code="91110000000000000X", is_buyer=True,
        is_demo_bot=True, state="approved",
    )  # fmt: skip
    Organisation.objects.exclude(pk=poor.pk).update(is_demo_bot=False)
    with pytest.raises(NoDemoBuyers):
        import_demand(path=PODS, auction_code=auction.code)
    open_member_accounts(poor)
    source = Organisation.objects.exclude(pk=poor.pk).filter(memberships__role="buyer").first()
    assert source is not None
    poor.memberships.create(user=source.memberships.first().user, role="buyer")
    made = import_demand(path=PODS, auction_code=auction.code)
    assert made.orders == 0
    assert made.left_out["more than the buyers can cover"] == 5


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        (PODS, "LS,Running,3600", "??,Running,3600", "line 2: qos"),
        (PODS, "8000,16384,2", "8000,16384,-2", "line 4: num_gpu"),
        (PODS, "gpu_spec,qos", "spec,qos", "line 1"),
        (MACHINES, "30", "NaN", "line 4: cpus"),
        (MACHINES, "1.25,2.0,30", "1.25,2.0", "line 4"),
        (BATCH, "1000000100 5 600", "soon 5 600", "line 4"),
        (PLAIN, "0.50,USD", "0.50,XYZ", "line 3: currency"),
        (PLAIN, "buy,hpc,XA,5,8", "buy,hpc,MARS,5,8", "line 5: hub"),
        (PLAIN, "buy,hpc,XA,5,8", "buy,hpc,XA,8,5", "line 5: last_hour"),
        (PLAIN, "buy,cpu,BJ", "buy,qpu,BJ", "line 2: class"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    auction: Auction, tmp_path: Path, path: Path, old: str, new: str, reason: str
) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / path.name
    wrong.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CommandError) as caught:
        call_command("import_demand", wrong, auction=auction.code)
    assert f"{path.name}, {reason}" in str(caught.value)
    assert not _imported()


def test_a_closed_or_unknown_auction_takes_nothing(auction: Auction) -> None:
    with pytest.raises(CommandError, match="no such auction"):
        call_command("import_demand", PODS, auction=str(uuid4()))
    pass_gate(auction)
    with pytest.raises(CommandError):
        call_command("import_demand", PODS, auction=auction.code)
    assert not _imported()


def test_published_traces_give_a_thousand_orders_in_time(auction: Auction) -> None:
    """With the published traces at hand those are read, else the samples in the same formats."""
    published = [
        (Path(DATA) / "demand" / "openb_pod_list_gpuspec33.csv", 400),
        (Path(DATA) / "demand" / "azure_vm_100k.csv.gz", 400),
        (Path(DATA) / "demand" / "cerit_wagap_2013.swf.gz", 300),
    ]
    samples = [(PODS, 5), (MACHINES, 4), (BATCH, 3)]
    for path, limit in published if DATA else samples:
        call_command("import_demand", path, auction=auction.code, limit=limit)
    assert len(_imported()) >= (1000 if DATA else 12)
