"""The day's summary, as printed at the end of the demonstration."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from django.db.models import Count, Max, Min, Sum

from config.demo import facts
from orders.models import Allocation, Auction, ClearingPrice, ClearingRun, FlowType
from orders.selectors.prices import product_volumes
from settlement.models import Invoice, InvoiceDirection, SettlementRun

FLOW_NAMES = {
    FlowType.EAST_WEST: "东数西算 east data, west compute",
    FlowType.EAST_EAST: "东数东算 east data, east compute",
    FlowType.WEST_WEST: "西数西算 west data, west compute",
    FlowType.OTHER: "其他方向 other directions",
}
RULE = "─" * 78


def print_summary(say: Callable[[str], None], auction: Auction) -> list[facts.Check]:
    """Print the day's figures and checks; return the checks."""
    run = facts.published_run(auction)
    for line in _lines(auction, run):
        say(line)
    found = list(facts.checks(auction))
    say(f"{RULE}\n核对 Checks")
    for check in found:
        mark = "✓" if check.passed else "✗"
        say(f"  {mark} {check.name_zh} {check.name_en}: {check.detail}")
    say(RULE)
    return found


def _lines(auction: Auction, run: ClearingRun) -> Iterator[str]:
    yield f"{RULE}\n交易日小结 The day's summary · {auction.code} · {run.bundle_sha256[:16]}…"
    yield from _book(auction, run)
    yield from _welfare(run)
    yield from _products(run)
    yield from _hubs(run)
    yield from _flows(auction)
    yield from _money(auction)
    yield from _carbon(auction)


def _book(auction: Auction, run: ClearingRun) -> Iterator[str]:
    counts, lively = facts.count_orders(auction), facts.liveliness(auction)
    yield (
        f"  申报 orders          {counts.asks} 供给 asks, {counts.bids} 需求 bids"
        f" ({counts.blocks} 块 blocks)"
    )
    yield (
        f"  成交 accepted        {counts.accepted_bids} 笔 bids, 未成交 rejected"
        f" {counts.rejected_bids}; 块申报 blocks {lively.blocks_accepted} 成交 accepted,"
        f" {lively.blocks_paradoxically_rejected} 价格达标未成交 paradoxically rejected"
    )
    if lively.real_asks:
        yield (
            f"  真实输入 real input  {lively.real_asks} 供给 asks, {lively.real_orders} 需求 bids,"
            f" {_share(lively.real_orders_accepted, lively.real_orders)} 至少部分成交 accepted"
        )
    yield (
        f"  范围 reach           {lively.hubs_trading} 个节点 hubs trade,"
        f" {lively.full_links} 条链路满载 link directions full,"
        f" {lively.short_deliveries} 笔交付不足 deliveries short"
    )


def _welfare(run: ClearingRun) -> Iterator[str]:
    yield (
        f"  社会福利 welfare     {_cny(run.welfare_cny)}, 上界 bound {_cny(run.upper_bound_cny)},"
        f" 差距 gap {_percent(run.gap)}"
    )


def _products(run: ClearingRun) -> Iterator[str]:
    yield "  产品 product    成交 unit-hours    均价 average CNY/h   节点 hubs"
    for volume in product_volumes(run=run):
        price = "—" if volume.average_price is None else f"{volume.average_price:.4f}"
        yield (
            f"    {volume.product.code:<10} {volume.unit_hours:>16,.0f} {price:>18}"
            f" {volume.hubs:>10}"
        )


def _hubs(run: ClearingRun) -> Iterator[str]:
    yield "  节点 hub        供给 supplied unit-hours by product, 价格 price from – to"
    rows = (
        ClearingPrice.objects.filter(run=run, is_delivered=False, supplied__gt=0)
        .values("hub__code", "product__code")
        .annotate(volume=Sum("supplied"), low=Min("price"), high=Max("price"))
        .order_by("hub__code", "product__code")
    )
    hours = Decimal(run.auction.period_minutes) / 60
    for row in rows:
        yield (
            f"    {row['hub__code']:<10} {row['product__code']:<8} {row['volume'] * hours:>12,.0f}"
            f"   {row['low']:.4f} – {row['high']:.4f}"
        )


def _flows(auction: Auction) -> Iterator[str]:
    rows = dict(
        Allocation.objects.filter(auction=auction)
        .values_list("flow_type")
        .annotate(Sum("buyer_net_cny"))
    )
    total = sum(rows.values(), Decimal(0))
    shares = [
        f"{name} {_share(rows.get(code, Decimal(0)), total)}" for code, name in FLOW_NAMES.items()
    ]
    yield "  流向（按成交额） flows by value: " + "; ".join(shares)


def _money(auction: Auction) -> Iterator[str]:
    settled = SettlementRun.objects.get(auction=auction, sequence=1)
    bills = {
        row["direction"]: row
        for row in Invoice.objects.filter(run=settled)
        .values("direction")
        .annotate(count=Count("id"), gross=Sum("gross"))
    }
    for direction, name in (
        (InvoiceDirection.RECEIVABLE, "买方结算单 bills"),
        (InvoiceDirection.PAYABLE, "供方结算单 suppliers' statements"),
    ):
        row = bills.get(direction, {"count": 0, "gross": Decimal(0)})
        yield f"  {name:<20} {row['count']} 张, 含税合计 gross {_cny(row['gross'])}"
    yield (
        f"  资金去向 money       买方 buyers {_cny(settled.buyer_net_cny)} = 供方 sellers"
        f" {_cny(settled.seller_net_cny)} + 网络使用费 tariffs {_cny(settled.tariffs_cny)}"
        f" + 阻塞盈余 congestion rent {_cny(settled.congestion_rent_cny)};"
        f" 服务费 fees {_cny(settled.fees_cny)}"
    )


def _carbon(auction: Auction) -> Iterator[str]:
    total = facts.emissions(auction)
    yield (
        f"  用电与碳排放 carbon    IT {total['it_wh'] / 1_000_000:,.2f} MWh, 设施 facility"
        f" {total['facility_wh'] / 1_000_000:,.2f} MWh, 基于位置 location-based"
        f" {total['tonnes']:,.3f} tCO2"
    )


def _cny(amount: Decimal | None) -> str:
    return "—" if amount is None else f"{amount:,.2f} CNY"


def _percent(share: Decimal | None) -> str:
    return "—" if share is None else f"{share * 100:.4f} %"


def _share(part: Decimal | int, whole: Decimal | int) -> str:
    return "—" if not whole else f"{Decimal(part) / Decimal(whole) * 100:.1f} %"
