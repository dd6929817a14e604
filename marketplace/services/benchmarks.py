"""Benchmark results of pools: uploaded by the supplier, compared with the catalogue."""

from decimal import Decimal

from django.db import transaction

from marketplace.domain.benchmarks import BenchmarkResult, efficiency_of, read_results
from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.domain.tables import ImportRefused, RowError
from marketplace.models import PoolBenchmark, ResourcePool, TrustLevel
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import require_seller
from marketplace.services.pools import PoolNotFound

# Which result stands for a pool, by class of its product; the first one that there is.
HEADLINES = {
    "AI": ("gemm_fp16", "gemm_bf16", "gemm_fp32"),
    "HP": ("hpl_fp64", "specrate2017_fp"),
    "GP": ("specrate2017_int", "specrate2017_fp"),
}


@transaction.atomic
def upload_benchmarks(
    *, actor: Actor, identifier: str, data: bytes, is_json: bool
) -> list[PoolBenchmark]:
    """Store the results of a file for a pool; the newest headline figure becomes the pool's.

    A pool whose acceptance test the operator had passed is "documents checked" again afterwards:
    what was tested is not what is stated now.

    Raises:
        NotAdmitted, NotPermitted, PoolNotFound: the actor does not own the pool.
        ImportRefused: with one error for each wrong result; nothing was stored.
    """
    owner = require_seller(actor)
    pool = (
        ResourcePool.objects.select_for_update(of=("self",))
        .select_related("product", "hardware")
        .filter(organisation=owner, identifier=identifier)
        .first()
    )
    if pool is None:
        raise PoolNotFound(field="pool")
    results = read_results(data, is_json=is_json, today=market_date(market_now()))
    rows = _rows(pool, results, actor)
    PoolBenchmark.objects.bulk_create(rows)
    before = _headline_of(pool)
    _apply_headline(pool)
    record_audit(
        action="pool.benchmarks_uploaded",
        subject=pool,
        actor=actor.user,
        organisation=owner,
        before=before,
        after={**_headline_of(pool), "results": len(rows)},
    )
    return rows


def nominal_of(pool: ResourcePool, field: str) -> Decimal | None:
    """Return the catalogue's figure of a pool's hardware, None where it has none."""
    return getattr(pool.hardware, field, None) if pool.hardware and field else None


def _rows(pool: ResourcePool, results: list[BenchmarkResult], actor: Actor) -> list[PoolBenchmark]:
    rows: list[PoolBenchmark] = []
    errors: list[RowError] = []
    for result in results:
        nominal = nominal_of(pool, result.kind.nominal_field)
        try:
            efficiency = efficiency_of(result.value, nominal)
        except RuleBroken as error:
            errors.append(RowError.of(result.line, error))
            continue
        rows.append(
            PoolBenchmark(
                pool=pool,
                benchmark=result.kind.code,
                value=result.value,
                nominal=nominal,
                efficiency=efficiency,
                units_tested=result.units_tested,
                measured_on=result.measured_on,
                tool=result.tool,
                note=result.note,
                recorded_by=actor.user,
            )
        )
    if errors:
        raise ImportRefused(errors)
    return rows


def _apply_headline(pool: ResourcePool) -> None:
    for code in HEADLINES.get(pool.product.resource_class, ()):
        newest = pool.benchmarks.filter(benchmark=code).order_by("-measured_on", "-id").first()
        if newest is not None:
            pool.benchmark_name = f"{code} · {newest.tool}"[:80]
            pool.benchmark_efficiency = newest.efficiency
            break
    if pool.trust_level == TrustLevel.TESTED:
        pool.trust_level = TrustLevel.DOCUMENTED
    pool.save(update_fields=["benchmark_name", "benchmark_efficiency", "trust_level"])


def _headline_of(pool: ResourcePool) -> dict[str, object]:
    efficiency = pool.benchmark_efficiency
    return {
        "benchmark_name": pool.benchmark_name,
        "benchmark_efficiency": None if efficiency is None else str(efficiency),
        "trust_level": int(pool.trust_level),
    }
