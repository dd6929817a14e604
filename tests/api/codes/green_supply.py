"""Hourly green supply, its sources and stated shares that are refused."""

from settlement.services.carbon.supply import COLUMNS
from tests.api.callers import browser_of
from tests.api.refusing import CSV, Ask, reaches
from tests.factories.marketplace import operator
from tests.factories.settlement import DELIVERY_STARTS, as_seller
from tests.integration.settlement.carbon.floor import settled_day


def source(**given: object) -> Ask:
    """Return the request to register a source of a settled data centre."""
    day = settled_day()
    body = {
        "pool": day.deliveries[0].allocation.listing.pool.identifier,
        "kind": "own_solar",
        "name": "光伏一期",
        "capacity_w": 1000,
        "valid_from": "2026-01-01",
        "evidence": "并网验收意见书 1",
    }
    return Ask(browser_of(as_seller(day.seller)), "green-sources/", {**body, **given})


@reaches("green_source_refused")
def a_source_that_ends_before_it_begins() -> Ask:
    return source(valid_to="2025-12-31")


def recorded(energy_wh: int, *, as_file: bool) -> Ask:
    """Return the request to record an hour of a registered source of 1 kW."""
    ask = source()
    code = ask.caller.post(ask.path, ask.body).json()["code"]
    hour = DELIVERY_STARTS.isoformat()
    if as_file:
        text = "\n".join([",".join(COLUMNS), f"{code},{hour},metered,{energy_wh},"])
        return Ask(ask.caller, "green-supply-files/", text, CSV)
    row = {"source": code, "hour": hour, "reading": "metered", "energy_wh": energy_wh}
    return Ask(ask.caller, "green-supply/", {"hours": [row]})


@reaches("green_supply_refused")
def more_than_the_capacity_in_a_file() -> Ask:
    return recorded(1001, as_file=True)


@reaches("green_supply_refused")
def energy_below_zero() -> Ask:
    return recorded(-1, as_file=False)


@reaches("green_supply_refused")
def an_unknown_source() -> Ask:
    ask = recorded(1, as_file=False)
    (row,) = ask.body["hours"]
    return Ask(ask.caller, ask.path, {"hours": [{**row, "source": "NOBODY-01"}]})


@reaches("green_reference_refused")
def a_share_of_a_grid_nobody_knows() -> Ask:
    body = {
        "kind": "grid_share",
        "area": "Atlantis",
        "valid_from": "2026-01-01",
        "share": "0.5",
        "source": "A",
    }
    return Ask(browser_of(operator()), "green-references/", body)
