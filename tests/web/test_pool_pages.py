"""A pool after its registration: correction, history, benchmarks, evidence, offline and back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import (
    HardwareModel,
    Listing,
    ListingState,
    PoolBenchmark,
    ResourcePool,
    Role,
    TrustLevel,
)
from marketplace.permissions import Actor
from marketplace.selectors.evidence import WARN_DAYS
from marketplace.services.pool_changes import bring_pool_online, revise_pool, take_pool_offline
from tests.factories.market import (
    MARKET_START,
    make_actor,
    make_listing,
    make_pool,
    market_with_reference,
)
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db
HEAD = "benchmark,value,units_tested,measured_on,tool\n"


@pytest.fixture
def seller() -> Actor:
    """A supplier in a market with the reference data."""
    market_with_reference()
    return make_actor(Role.SUPPLIER)


@pytest.fixture
def pool(seller: Actor) -> ResourcePool:
    """Ascend cards, tested by the operator."""
    hardware = HardwareModel.objects.get(name__startswith="Ascend 910B2")
    made = make_pool(actor=seller, hardware=hardware)
    ResourcePool.objects.filter(pk=made.pk).update(trust_level=TrustLevel.TESTED)
    made.refresh_from_db()
    return made


def form_of(pool: ResourcePool, **changes: str) -> dict[str, str]:
    """Return the filled form of a pool."""
    return {
        "name": pool.name,
        "name_en": "Example pool",
        "hardware": str(pool.hardware_id or ""),
        "unit_count": "1024",
        "power_w_per_unit": "500",
        "pue": "1.19",
        "green_share": "55",
        "dengbao_level": "0",
        **changes,
    }


def send(seller: Actor, pool: ResourcePool, content: str, name: str = "results.csv") -> object:
    """Upload results."""
    file = SimpleUploadedFile(name, content.encode())
    return browser(seller).post(reverse("pool-benchmarks", args=[pool.identifier]), {"file": file})


def test_correction_is_kept_with_what_was_before(seller, pool):
    url = reverse("pool-edit", args=[pool.identifier])

    shown = browser(seller).get(url)
    answer = browser(seller).post(url, form_of(pool, name="改名"), follow=True)

    pool.refresh_from_db()
    assert shown.context["form"]["unit_count"].value() == "1024"
    assert (pool.name, pool.name_en, pool.pue) == ("改名", "Example pool", Decimal("1.1900"))
    assert pool.trust_level == TrustLevel.TESTED
    assert "示例资源池 → 改名" in text_of(answer)


def test_declared_carbon_names_its_evidence(seller, pool):
    url = reverse("pool-edit", args=[pool.identifier])
    claim = {"carbon_g_per_unit_hour": "0"}

    bare = browser(seller).post(url, form_of(pool, **claim))
    proved = form_of(pool, **claim, carbon_evidence="绿证 1")
    answer = browser(seller).post(url, proved, follow=True)

    pool.refresh_from_db()
    assert bare.status_code == 422
    assert "carbon_evidence" in bare.context["form"].errors
    assert (pool.carbon_g_per_unit_hour, pool.carbon_evidence) == (0, "绿证 1")
    assert pool.trust_level == TrustLevel.DECLARED
    assert "绿证 1" in text_of(answer)


def test_new_evidence_puts_trust_back_to_declared(seller, pool):
    changes = {"dengbao_level": "3", "dengbao_evidence": "备案证明 1"}

    browser(seller).post(reverse("pool-edit", args=[pool.identifier]), form_of(pool, **changes))

    pool.refresh_from_db()
    assert (pool.dengbao_level, pool.trust_level) == (3, TrustLevel.DECLARED)


def test_pool_does_not_shrink_below_its_listings(seller, pool):
    make_listing(actor=seller, pool=pool)
    url = reverse("pool-edit", args=[pool.identifier])

    answer = browser(seller).post(url, form_of(pool, unit_count="32"))

    pool.refresh_from_db()
    assert answer.status_code == 422
    assert "offers 64 units" in answer.context["form"].errors["unit_count"][0]
    assert pool.unit_count == 1024


def test_offline_pauses_the_listings_and_online_brings_back_only_those(seller, pool):
    make_listing(actor=seller, pool=pool, name="甲")
    drafted = make_listing(actor=seller, pool=pool, name="乙", activate=False)
    client = browser(seller)

    refused = client.post(reverse("pool-offline", args=[pool.identifier]), {"reason": ""})
    client.post(reverse("pool-offline", args=[pool.identifier]), {"reason": "换电源"})
    paused = set(Listing.objects.values_list("name", "state"))
    stopped = client.post(reverse("listing-resume", args=[drafted.public_id]), follow=True)
    client.post(reverse("pool-online", args=[pool.identifier]))

    assert refused.status_code == 422
    assert paused == {("甲", "paused"), ("乙", "draft")}
    assert "The pool is offline; bring it online first." in text_of(stopped)
    assert set(Listing.objects.values_list("name", "state")) == {("甲", "active"), ("乙", "draft")}


def test_what_the_owner_paused_stays_paused(seller, pool):
    listing = make_listing(actor=seller, pool=pool)
    take_pool_offline(actor=seller, identifier=pool.identifier, reason="检修")
    browser(seller).post(reverse("listing-withdraw", args=[listing.public_id]))

    assert bring_pool_online(actor=seller, identifier=pool.identifier) == 0
    assert Listing.objects.get().state == ListingState.WITHDRAWN


def test_results_are_compared_with_the_catalogue(seller, pool):
    answer = send(seller, pool, f"{HEAD}gemm_fp16,313.2,8,2026-11-01,FlagPerf 1.0\n")

    pool.refresh_from_db()
    assert answer.status_code == 302
    assert pool.benchmark_efficiency == Decimal("0.8330")
    assert pool.trust_level == TrustLevel.DOCUMENTED
    page = text_of(browser(seller).get(reverse("pool", args=[pool.identifier])))
    assert "83.3 %" in page


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        (f"{HEAD}gemm_fp16,900,8,2026-11-01,FlagPerf\n", "r.csv", "more than the nominal"),
        (f"{HEAD}gemm_fp16,300,8,2026-11-01,=1+1\n", "r.csv", "no formula, no markup"),
        ("{}", "r.json", "must follow the schema"),
        ("x", "r.exe", "must end in .csv or .json"),
    ],
)
def test_wrong_results_are_named_and_nothing_is_kept(seller, pool, content, name, part):
    answer = send(seller, pool, content, name)

    assert answer.status_code == 422
    assert part in text_of(answer)
    assert not PoolBenchmark.objects.exists()


def test_evidence_is_announced_before_it_runs_out(seller, pool):
    day = (MARKET_START + timedelta(days=WARN_DAYS - 1)).date()
    revise_pool(
        actor=seller,
        identifier=pool.identifier,
        dengbao_level=3,
        dengbao_evidence="备案证明 1",
        dengbao_expires_on=day,
    )
    for name, arguments in (("pool", [pool.identifier]), ("pools", [])):
        page = text_of(browser(seller, language="zh-hans").get(reverse(name, args=arguments)))

        assert day.isoformat() in page


def test_catalogue_names_its_sources(seller):
    page = browser().get(reverse("hardware"), {"q": "910B2"})

    assert page.context["page_obj"].paginator.count == 1
    assert "FlagPerf vendor run" in text_of(page)
