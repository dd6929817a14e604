"""Listings from CSV: the encodings people send, every error with its line, all or nothing."""

import pytest

from marketplace.domain.errors import NotPermitted
from marketplace.domain.tables import ImportRefused
from marketplace.models import Listing, ResourcePool, Role
from marketplace.permissions import Actor
from marketplace.services.listing_import import import_listings
from tests.factories.market import make_actor, make_pool

HEADER = "pool,name,quantity,price_curve,windows,min_run_hours,standing"
HEADER_ZH = "资源池标识,名称,数量,价格曲线,可用时段,最短时长,常备"
DAY = "2026-12-01T00:00/2026-12-02T00:00"


@pytest.fixture
def pool(seller: Actor) -> ResourcePool:
    return make_pool(actor=seller)


def _file(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> bytes:
    return "\r\n".join([header, *rows, ""]).encode(encoding)


def _good(pool: ResourcePool, name: str = "夜间空闲") -> str:
    return f"{pool.identifier},{name},64,32@7.00;32@7.50,{DAY}*64,2,是"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("header", [HEADER, HEADER_ZH])
def test_files_of_real_spreadsheets_are_read(
    seller: Actor, pool: ResourcePool, encoding: str, header: str
) -> None:
    listings = import_listings(
        actor=seller, data=_file(_good(pool), header=header, encoding=encoding)
    )
    assert [listing.name for listing in listings] == ["夜间空闲"]
    window = listings[0].availability.get()
    assert window.starts_at.isoformat() == "2026-11-30T16:00:00+00:00"
    assert listings[0].source == "csv"
    assert listings[0].price_steps.count() == 2


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ("CN,x,64,64@7.5,{day},,", "pool", "not_found"),
        ("{pool},,64,64@7.5,{day},,", "name", "missing"),
        ("{pool},x,-64,64@7.5,{day},,", "quantity", "not_positive"),
        ("{pool},x,NaN,64@7.5,{day},,", "quantity", "not_a_number"),
        ("{pool},x,1e3,64@7.5,{day},,", "quantity", "not_a_number"),
        ("{pool},x,６４,64@7.5,{day},,", "quantity", "not_ascii"),
        ("{pool},x,60,60@7.5,{day},,", "quantity", "off_quantity_lot"),
        ("{pool},x,64,64,{day},,", "price_curve", "wrong_format"),
        ("{pool},x,64,64@7.505,{day},,", "price_steps", "off_price_tick"),
        ("{pool},x,64,64@7.12345678,{day},,", "price_curve", "too_precise"),
        ("{pool},x,64,64@7.5,2026-12-01,,", "windows", "wrong_format"),
        ("{pool},x,64,64@7.5,2026-12-01T00:00/soon,,", "windows", "wrong_format"),
        ("{pool},x,64,64@7.5,2020-01-01T00:00/2026-12-02T00:00,,", "windows", "window_in_past"),
        ("{pool},x,64,64@7.5,{day};{day},,", "windows", "windows_overlap"),
        ("{pool},x,64,64@7.5,{day},0,", "min_run_hours", "out_of_range"),
        ("{pool},x,64,64@7.5,{day},,maybe", "standing", "wrong_format"),
        ("{pool},x,64", "", "wrong_cell_count"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_stored(
    seller: Actor, pool: ResourcePool, row: str, field: str, code: str
) -> None:
    data = _file(_good(pool), row.format(pool=pool.identifier, day=DAY))
    with pytest.raises(ImportRefused) as caught:
        import_listings(actor=seller, data=data)
    assert [(e.line, e.field, e.code) for e in caught.value.rows] == [(3, field, code)]
    assert not Listing.objects.exists()


def test_every_wrong_row_is_reported_at_once(seller: Actor, pool: ResourcePool) -> None:
    bad = f"{pool.identifier},x,60,60@7.5,{DAY},,"
    with pytest.raises(ImportRefused) as caught:
        import_listings(actor=seller, data=_file(bad, "", _good(pool), bad))
    assert [error.line for error in caught.value.rows] == [2, 5]


def test_a_pool_listed_twice_in_one_file_is_refused(seller: Actor) -> None:
    small = make_pool(actor=seller, units="64")
    with pytest.raises(ImportRefused) as caught:
        import_listings(actor=seller, data=_file(_good(small), _good(small)))
    assert [(e.line, e.code) for e in caught.value.rows] == [(3, "pool_oversold")]
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (HEADER.encode(), "file_empty"),
        (b"\xff\xfe\x00p", "file_not_text"),
        (b"PK\x03\x04\x00\x00", "file_not_text"),
        (b"pool,name\nx,y", "columns_missing"),
        ((HEADER + ",colour\n").encode(), "columns_unknown"),
        ((HEADER + ",pool\n").encode(), "columns_repeated"),
        (b"x" * 2_000_001, "file_too_large"),
    ],
)
def test_files_that_are_no_table_are_refused(seller: Actor, data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        import_listings(actor=seller, data=data)
    assert [error.code for error in caught.value.rows] == [code]


def test_foreign_pools_are_not_found_and_buyers_import_nothing(seller: Actor, buyer: Actor) -> None:
    foreign = make_pool(actor=make_actor(Role.SUPPLIER))
    with pytest.raises(ImportRefused) as caught:
        import_listings(actor=seller, data=_file(_good(foreign)))
    assert caught.value.rows[0].code == "not_found"
    with pytest.raises(NotPermitted):
        import_listings(actor=buyer, data=_file(_good(foreign)))
