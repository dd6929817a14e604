"""The independent verifier: rules 1 to 8 and the bound, from the bundle and the result alone."""

from decimal import Decimal, localcontext

from orders.clearing.bundle import bundle_sha256
from orders.clearing.types import Auction, Result, Violation
from orders.clearing.verification_bound import bound_at_vector
from orders.clearing.verification_facts import Facts, Tolls, known_routes
from orders.clearing.verification_flexible import FlexibleChecks
from orders.clearing.verification_network import NetworkChecks
from orders.clearing.verification_orders import OrderChecks
from orders.clearing.verification_volume import VolumeCheck

_BOUND_TOLERANCE = Decimal("0.000001")
_DIGITS = 60


def verify(auction: Auction, result: Result) -> list[Violation]:
    """Check a result against its auction and return every violation found.

    All comparisons are exact decimals on the published numbers; where the rules allow it, within
    one lot per cell and one clearing tick per price. An empty list means that the result is valid.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        return _verify(auction, result)


def _verify(auction: Auction, result: Result) -> list[Violation]:
    facts = Facts(auction, result)
    routes = known_routes(auction)
    tolls = Tolls(auction, facts.rent, routes)
    orders = OrderChecks(facts, routes, tolls)
    orders.run()
    FlexibleChecks(facts, orders).run()
    network = NetworkChecks(facts, routes, tolls)
    network.run(orders)
    VolumeCheck(facts, routes, tolls, network.flow).run(orders.marginal)
    _check_summary(facts, orders, network)
    _check_bound(facts, bound_at_vector(facts, routes))
    return facts.violations


def _check_summary(facts: Facts, orders: OrderChecks, network: NetworkChecks) -> None:
    summary = facts.result.summary
    tariffs = network.tariffs()
    expected = {
        "welfare": orders.value - orders.cost - tariffs,
        "buyer_payments": orders.paid,
        "seller_receipts": orders.received,
        "tariffs": tariffs,
        "congestion_rent": orders.paid - orders.received - tariffs,
    }
    for name, value in expected.items():
        if getattr(summary, name) != value:
            facts.report("8", f"summary {name}", f"{getattr(summary, name)}; exact {value}")
    if summary.bundle_sha256 != bundle_sha256(facts.auction):
        facts.report("8", "summary bundle_sha256", "the result belongs to another bundle")
    if summary.status not in ("cleared", "time_limit"):
        facts.report("8", "summary status", f"unknown status {summary.status}")
    share = summary.share_of_block_gain
    if share is not None and not 0 <= share <= 1:
        facts.report("bound", "summary share_of_block_gain", f"{share} is not a share")
    _check_rents(facts, network, expected["congestion_rent"])


def _check_rents(facts: Facts, network: NetworkChecks, total: Decimal) -> None:
    """The congestion rent is what is left over; it must agree with flow × rent but for ticks."""
    rents, allowance = Decimal(0), Decimal(0)
    for (link, direction, product, period), quantity in network.flow.items():
        rent = facts.rent.get((link, direction, period), Decimal(0))
        rents += quantity * facts.products[product].bandwidth * rent
    for product, quantity in facts.assigned_in_all().items():
        if product in facts.products:
            allowance += 2 * quantity * facts.products[product].clearing_price_tick
    if abs(total - rents) > allowance:
        facts.report("8", "summary congestion_rent", f"{total}, but flows times rents are {rents}")


def _check_bound(facts: Facts, value: Decimal) -> None:
    summary, bound = facts.result.summary, facts.result.bound
    allowance = _BOUND_TOLERANCE * max(Decimal(1), abs(value))
    if abs(bound.upper_bound - value) > allowance:
        facts.report("bound", "bound.json", f"U is {bound.upper_bound}, evaluated {value}")
    if abs(summary.upper_bound - bound.upper_bound) > allowance:
        facts.report("bound", "summary upper_bound", "differs from bound.json")
    if summary.welfare > value + allowance:
        facts.report("bound", "summary welfare", f"{summary.welfare} is above the bound {value}")
    upper = summary.upper_bound
    gap = (upper - summary.welfare) / upper if upper else Decimal(0)
    if abs(summary.gap - gap) > _BOUND_TOLERANCE:
        facts.report("bound", "summary gap", f"{summary.gap}, exact {gap}")
