"""Hourly green supply of the demonstration: sun at noon in the north-west, wind by night.

Capacities follow the load of the data centre, hours follow a plain daily shape; all of it is an
example (示例). Hours until now are metered, the coming two days are forecast.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from config.demo.cast import Cast
from config.demo.stage import Stage
from marketplace.domain.money import round_money
from marketplace.domain.periods import MARKET_TIME_ZONE, day_window, market_date
from marketplace.models import ResourcePool
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.models import AllocationPeriod
from settlement.models import Delivery, DeliveryState, GreenSource, SourceKind, SupplyReading
from settlement.services.carbon.references import load_green_references
from settlement.services.carbon.supply import SupplyRow, record_supply, register_source

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FORECAST_DAYS = 2
# Percent of the capacity in each hour of the day.
SUN = (0, 0, 0, 0, 0, 0, 0, 4, 18, 38, 58, 74, 84, 86, 78, 62, 40, 17, 3, 0, 0, 0, 0, 0)
WIND = (72, 75, 76, 74, 70, 64, 55, 44, 35, 28, 24, 22, 21, 23, 26, 30, 36, 44, 52, 58, 62, 66, 69,
        71)  # fmt: skip
STEADY = (45,) * 24
DAILY = (100, 82, 94, 71, 89)  # no two days are the same


@dataclass(frozen=True)
class Plant:
    """A kind of source with its daily shape and its size against the data centre."""

    kind: SourceKind
    name: str
    name_en: str
    shape: tuple[int, ...]
    percent_of_load: int
    evidence: str


_SOLAR = Plant(
    SourceKind.SOLAR,
    "园区光伏（示例）",
    "Campus solar (example)",
    SUN,
    160,
    "并网验收意见书（示例-G01）",
)
_WIND = Plant(
    SourceKind.WIND,
    "配套风电（示例）",
    "Own wind farm (example)",
    WIND,
    120,
    "电力业务许可证（示例-G02）",
)
_DIRECT = Plant(
    SourceKind.DIRECT, "绿电直连专线（示例）", "Direct green line (example)", SUN, 90,
    "绿电直连项目备案（示例-G03）",
)  # fmt: skip
_CONTRACT = Plant(
    SourceKind.CONTRACT, "多年期购电协议（示例）", "Multi-year contract (example)", STEADY, 80,
    "绿电交易合同（示例-G04）",
)  # fmt: skip
# Hub -> its plants; other hubs have a contract only.
PLANTS = {
    "NX-ZW": (_SOLAR, _DIRECT),
    "GS-QY": (_SOLAR, _CONTRACT),
    "NM-HLGE": (_WIND, _CONTRACT),
    "JJJ-ZJK": (_WIND, _SOLAR),
}


def play_green_supply(cast: Cast, stage: Stage) -> list[str]:
    """Register sources of one data centre at each hub and record their hours, once."""
    load_green_references()
    if GreenSource.objects.exists():
        return []
    settled = Delivery.objects.filter(state=DeliveryState.SETTLED)
    newest = settled.order_by("-starts_at").values_list("starts_at", flat=True).first()
    if newest is None:
        return []
    hours = 0
    # The stated month is that of the newest delivery; earlier hours would serve nothing.
    since = day_window(market_date(newest)).starts_at
    chosen = _data_centres(cast, since)
    for pool, actor, load in chosen:
        sources = [
            (_register(pool, actor, plant, load, since), plant)
            for plant in PLANTS.get(pool.hub.code, (_CONTRACT,))
        ]
        hours += record_supply(actor=actor, rows=_rows(sources, since))
        stage.watch()
    return [
        f"绿电小时供应 hourly green supply: {len(chosen)} 个数据中心 data centres,"
        f" {GreenSource.objects.count()} 个电源 sources, {hours:,} 小时 hours"
    ]


def _data_centres(cast: Cast, since: datetime) -> list[tuple[ResourcePool, Actor, int]]:
    """Return the busiest data centre of each hub, who runs it, and its mean load in watts."""
    delivering = Delivery.objects.filter(state=DeliveryState.SETTLED).values(
        "allocation__listing__pool_id"
    )
    pools = ResourcePool.objects.filter(pk__in=delivering).select_related("hub", "organisation")
    found: dict[int, tuple[ResourcePool, Actor, int]] = {}
    load = {pool.pk: _mean_load(pool, since) for pool in pools}
    for pool in sorted(pools, key=lambda pool: (-load[pool.pk], pool.identifier)):
        actor = cast.supplying.get(pool.organisation_id)
        if actor is not None:
            found.setdefault(pool.hub_id, (pool, actor, load[pool.pk]))
    return list(found.values())


def _mean_load(pool: ResourcePool, since: datetime) -> int:
    """Return the mean facility power of what was sold in a day, watts."""
    periods = AllocationPeriod.objects.filter(
        allocation__listing__pool=pool, starts_at__gte=since, starts_at__lt=since + 24 * HOUR
    )
    unit_hours = sum(
        (row.quantity * ((row.ends_at - row.starts_at) // MINUTE) / 60 for row in periods),
        Decimal(0),
    )
    return int(round_money(unit_hours / 24 * pool.power_w_per_unit * pool.pue, 0))


def _register(
    pool: ResourcePool, actor: Actor, plant: Plant, load: int, since: datetime
) -> GreenSource:
    return register_source(
        actor=actor,
        pool=pool.identifier,
        kind=plant.kind,
        name=plant.name,
        name_en=plant.name_en,
        capacity_w=max(1, load * plant.percent_of_load // 100),
        valid_from=market_date(since),
        evidence=plant.evidence,
    )


def _rows(sources: list[tuple[GreenSource, Plant]], since: datetime) -> list[SupplyRow]:
    now = market_now()
    rows: list[SupplyRow] = []
    for source, plant in sources:
        at = day_window(market_date(since)).starts_at
        while at < now + FORECAST_DAYS * 24 * HOUR:
            local = at.astimezone(MARKET_TIME_ZONE)
            share = plant.shape[local.hour] * DAILY[local.toordinal() % len(DAILY)]
            is_over = at + HOUR <= now
            reading = SupplyReading.METERED if is_over else SupplyReading.FORECAST
            energy = source.capacity_w * share // 10_000
            rows.append(SupplyRow(len(rows) + 1, source.code, at, reading, energy))
            at += HOUR
    return rows
