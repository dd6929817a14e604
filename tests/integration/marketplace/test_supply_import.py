"""Price lists become asks: the four formats, the stated assumptions, and all or nothing."""

import gzip
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from marketplace.domain.credit_code import is_credit_code
from marketplace.domain.decimals import on_lot, on_tick
from marketplace.domain.tables import ImportRefused
from marketplace.models import Listing, ListingPriceStep, Organisation, OutboxEvent, ResourcePool
from marketplace.services.supply_import import import_supply

pytestmark = pytest.mark.usefixtures("market")

SAMPLES = Path(__file__).parents[2] / "fixtures" / "imports"
GCP = SAMPLES / "gcp-like_2026-07-01.csv"
AWS = SAMPLES / "aws-like.csv"
MULTICLOUD = SAMPLES / "multicloud-like_2025-07.csv"
QUOTES = SAMPLES / "card-quotes-like.csv"
ON = date(2026, 7, 1)
DATA = os.environ.get("HENGSUAN_DATA", "")


def _import(path: Path, **options: object) -> None:
    call_command("import_supply", path, verbosity=0, **options)


def test_machine_types_of_a_family_and_region_are_one_rising_ask() -> None:
    _import(GCP)
    listing = Listing.objects.get(name__startswith="us-central1")
    assert listing.pool.hub.code == "GZ-GA"
    assert listing.pool.product.code == "GP-VCPU"
    steps = list(listing.price_steps.order_by("step"))
    # 0.05 and 0.07 USD a vCPU-hour at 7.00 CNY, rounded up to the tick.
    assert [step.price.amount for step in steps] == [Decimal("0.35"), Decimal("0.49")]
    assert sum(step.quantity for step in steps) == listing.quantity == listing.pool.unit_count


def test_cards_are_scaled_to_the_product_by_their_peak() -> None:
    _import(GCP)
    listing = Listing.objects.get(pool__product__code="AI-A800")
    assert listing.price_steps.get().price.amount == Decimal("28.00")
    _import(QUOTES)
    quoted = Listing.objects.get(pool__product__code="AI-P800")
    prices = [step.price.amount for step in quoted.price_steps.order_by("step")]
    assert prices == [Decimal("5.86"), Decimal("6.11")]


def test_what_names_nothing_tradable_is_left_out_and_counted() -> None:
    made = import_supply(path=GCP, on=ON)
    assert made.left_out == {"spot price without the card": 1, "card without a product": 1}
    made = import_supply(path=AWS)
    assert made.left_out == {
        "accelerator of unknown kind and number": 1,
        "size of the machine type unknown": 1,
    }


def test_each_currency_is_converted_at_its_dated_rate() -> None:
    _import(AWS)
    yuan = Listing.objects.get(name__startswith="cn-north-1")
    assert yuan.price_steps.get().price.amount == Decimal("0.300")
    _import(MULTICLOUD)
    won = Listing.objects.get(organisation__name_zh__contains="NHNCLOUD")
    assert won.price_steps.get().price.amount == Decimal("0.260")


def test_everything_made_meets_the_rules_of_the_market() -> None:
    for path in (GCP, AWS, MULTICLOUD, QUOTES):
        _import(path)
    for step in ListingPriceStep.objects.select_related("listing__pool__product"):
        product = step.listing.pool.product
        assert on_tick(step.price.amount, product.price_tick)
        assert on_lot(step.quantity, product.quantity_lot)
        assert product.price_min <= step.price.amount <= product.price_max
    for organisation in Organisation.objects.all():
        assert is_credit_code(organisation.credit_code)
        assert "示例" in organisation.name_zh
        assert organisation.state == "approved"
    assert OutboxEvent.objects.filter(topic="organisation.approved").count() == (
        Organisation.objects.count()
    )


def test_importing_again_replaces_the_offers_of_the_provider() -> None:
    _import(AWS)
    pools = set(ResourcePool.objects.values_list("identifier", flat=True))
    first = list(ListingPriceStep.objects.order_by("id").values_list("quantity", "price"))
    _import(AWS)
    active = ListingPriceStep.objects.filter(listing__state="active").order_by("id")
    assert list(active.values_list("quantity", "price")) == first
    assert set(ResourcePool.objects.values_list("identifier", flat=True)) == pools
    assert Organisation.objects.count() == 1


def test_quantities_follow_the_seed() -> None:
    _import(AWS, seed=1)
    one = list(Listing.objects.filter(state="active").values_list("name", "quantity"))
    _import(AWS, seed=2)
    two = list(Listing.objects.filter(state="active").values_list("name", "quantity"))
    assert [name for name, _ in one] == [name for name, _ in two]
    assert one != two


def test_a_limit_keeps_so_many_asks() -> None:
    _import(GCP, limit=2)
    assert Listing.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("aws.csv", "0.36,USD", "0.36,XYZ", "line 3: currency"),
        ("aws.csv", "us-east-1,c7i.2xlarge", "mars-1,c7i.2xlarge", "line 3: region"),
        ("aws.csv", "0.36", "-0.36", "line 3: on_demand_hour"),
        ("aws.csv", "0.36", "NaN", "line 3: on_demand_hour"),
        ("aws.csv", "0.36", "0", "line 3: on_demand_hour"),
        ("aws.csv", "2026-07-01\nus-east-1,c7i.metal", "soon\nus-east-1,c7i.metal", "line 3"),
        ("aws.csv", "currency", "money", "line 1"),
        ("aws.csv", ",0.36,USD", "", "line 3"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, reason: str
) -> None:
    path = tmp_path / name
    text = AWS.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CommandError) as caught:
        _import(path)
    assert f"{name}, {reason}" in str(caught.value)
    assert not Listing.objects.exists()
    assert not Organisation.objects.exists()


def test_files_that_are_no_price_list_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(AWS.read_bytes())[:60])
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for path in (broken, binary, tmp_path / "missing.csv"):
        with pytest.raises((CommandError, ImportRefused)):
            _import(path)


def test_a_list_without_a_date_asks_for_one(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(GCP.read_bytes())
    with pytest.raises(CommandError, match="which date"):
        _import(path)
    _import(path, date=ON)
    assert Listing.objects.exists()


def test_a_map_without_the_region_or_with_a_wrong_hub_is_named(tmp_path: Path) -> None:
    hub_map = tmp_path / "map.csv"
    hub_map.write_text("provider,region,hub_code\naws,us-east-1,BJ\naws,cn-north-1,BJ\n")
    with pytest.raises(CommandError, match="BJ"):
        _import(AWS, hub_map=hub_map)
    hub_map.write_text("provider,region,hub_code\naws,us-east-1,NX-ZW\n")
    with pytest.raises(CommandError, match="cn-north-1"):
        _import(AWS, hub_map=hub_map)


def test_the_published_lists_give_five_hundred_asks() -> None:
    """With the published lists at hand those are read, else the samples in the same formats."""
    published = [
        Path(DATA) / "supply" / name
        for name in (
            "gcp_instance_prices_2026-07-30.csv.gz",
            "aws_ondemand_us-east-1_and_cn.csv",
            "multicloud_specs_prices_2025-06.csv",
            "gpu_rental_quotes_2026-09-29.csv",
        )
    ]
    for path in published if DATA else (GCP, AWS, MULTICLOUD, QUOTES):
        _import(path)
    asks = Listing.objects.filter(source__startswith="import:", state="active").count()
    assert asks >= (500 if DATA else 8)
