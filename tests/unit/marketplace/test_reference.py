"""The reference tables keep the rules stated in docs/reference/reference-data.md."""

import heapq
from decimal import Decimal
from itertools import combinations

import pytest

from marketplace.domain.credit_code import is_credit_code
from marketplace.domain.decimals import on_lot, on_tick
from marketplace.domain.money import round_money
from marketplace.domain.reference import load_table, table_names
from marketplace.domain.resource_identifier import parse_resource_identifier
from marketplace.domain.units import ResourceClass, Unit

Graph = dict[str, dict[str, Decimal]]

HUBS = {row["code"]: row for row in load_table("hubs")}
CITIES = {row["code"]: row for row in load_table("demand_cities")}
PRODUCTS = {row["code"]: row for row in load_table("products")}
MEMBERS = {row["code"]: row for row in load_table("members")}


def least_rtt_ms(graph: Graph, start: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    queue = [(Decimal(0), start)]
    while queue:
        rtt_ms, place = heapq.heappop(queue)
        if place in found:
            continue
        found[place] = rtt_ms
        for neighbour, step_ms in graph[place].items():
            heapq.heappush(queue, (rtt_ms + step_ms, neighbour))
    return found


def graph_of(rows: list[dict[str, str]]) -> Graph:
    graph: Graph = {code: {} for code in (*HUBS, *CITIES)}
    for row in rows:
        graph[row["from_code"]][row["to_code"]] = Decimal(row["rtt_ms"])
        graph[row["to_code"]][row["from_code"]] = Decimal(row["rtt_ms"])
    return graph


def test_tables_are_read_as_text_and_may_be_changed() -> None:
    first = load_table("hubs")
    first[0]["code"] = "changed"

    assert load_table("hubs")[0]["code"] == "JJJ-ZJK"
    assert "members" in table_names()


@pytest.mark.parametrize("name", ["nothing", "../reference/hubs", "", "hubs.csv"])
def test_an_unknown_table_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        load_table(name)


@pytest.mark.parametrize("name", table_names())
def test_every_table_has_rows_of_full_width_and_no_blank_edges(name: str) -> None:
    rows = load_table(name)

    assert rows
    assert all(value == value.strip() for row in rows for value in row.values())


def test_ten_clusters_of_eight_nodes_and_eleven_cities() -> None:
    nodes = {row["code"] for row in load_table("hub_nodes")}

    assert len(HUBS) == 10
    assert len(CITIES) == 11
    assert {row["node_code"] for row in HUBS.values()} == nodes
    assert len(nodes) == 8
    assert len({row["id4"] for row in HUBS.values()}) == 10


def test_every_place_has_a_policy_side_and_names_in_both_languages() -> None:
    for row in (*HUBS.values(), *CITIES.values()):
        assert row["side"] in {"east", "central", "west"}
        assert row["short_zh"]
        assert row["short_en"].isascii()
    assert {code for code, row in CITIES.items() if row["side"] == "central"} == {"WH", "ZZ", "GZH"}
    assert CITIES["XA"]["side"] == "west"


def test_the_drawing_keeps_places_and_their_labels_apart() -> None:
    for one, other in combinations((*HUBS.values(), *CITIES.values()), 2):
        apart_x = abs(int(one["schema_x"]) - int(other["schema_x"]))
        apart_y = abs(int(one["schema_y"]) - int(other["schema_y"]))
        assert apart_x >= 14 or apart_y >= 8, (one["code"], other["code"])


def test_every_hub_has_a_published_grid_factor() -> None:
    factors = {
        (row["area_en"], row["year"])
        for row in load_table("grid_emission_factors")
        if row["level"] == "province"
    }

    for row in (*HUBS.values(), *CITIES.values()):
        assert (row["grid_province"], "2023") in factors


def test_round_trip_times_follow_the_written_rule() -> None:
    for row in load_table("hub_rtt_estimates"):
        by_rule = 2 * Decimal(row["fibre_km"]) / Decimal("204.19") + 1
        assert abs(by_rule - Decimal(row["rtt_est_ms"])) <= Decimal("0.07")


def test_link_tariffs_follow_the_written_rule_and_the_pairings() -> None:
    discounts = {
        frozenset((row["hub_code"], row["partner_code"])): Decimal(row["tariff_discount"])
        for row in load_table("hub_pairings")
        if row["partner_code"]
    }
    seen = 0

    for row in load_table("links"):
        discount = discounts.get(frozenset((row["from_code"], row["to_code"])), Decimal(0))
        listed = round_money(Decimal("1.5") + Decimal("0.003") * int(row["fibre_km"]))
        assert Decimal(row["tariff_discount"]) == discount
        assert Decimal(row["list_tariff_cny_per_gbps_hour"]) == listed
        assert Decimal(row["tariff_cny_per_gbps_hour"]) == round_money(listed * (1 - discount))
        assert int(row["forward_gbps"]) > 0
        assert int(row["reverse_gbps"]) > 0
        seen += bool(discount)
    assert seen == len(discounts)


def test_the_active_network_keeps_every_place_within_its_latency_class() -> None:
    links = load_table("links")
    full, active = graph_of(links), graph_of([row for row in links if row["active"] == "1"])

    for city in CITIES:
        by_full, by_active = least_rtt_ms(full, city), least_rtt_ms(active, city)
        for hub in HUBS:
            for limit_ms in (1, 5, 20):
                assert (by_full[hub] <= limit_ms) == (by_active[hub] <= limit_ms)


@pytest.mark.parametrize("code", PRODUCTS)
def test_product_figures_fit_together(code: str) -> None:
    row = PRODUCTS[code]
    tick, reference = Decimal(row["price_tick"]), Decimal(row["reference_price_cny"])

    assert code.startswith(row["resource_class"])
    assert ResourceClass(row["resource_class"])
    assert row["unit_zh"] == Unit(row["unit"]).zh.volume
    assert row["unit_en"] == Unit(row["unit"]).en.volume
    assert Decimal(row["clearing_price_tick"]) * 100 == tick
    assert Decimal(row["reference_price_low_cny"]) <= reference
    assert reference <= Decimal(row["reference_price_high_cny"])
    for price in ("price_min", "price_max", "reference_price_cny"):
        assert on_tick(Decimal(row[price]), tick)
    assert Decimal(row["price_min"]) < reference < Decimal(row["price_max"])
    assert row["default_hardware"] in {model["name"] for model in load_table("accelerators")}


def test_cards_under_export_control_are_not_a_default_listing() -> None:
    models = {row["name"]: row for row in load_table("accelerators")}

    for row in PRODUCTS.values():
        controlled = models[row["default_hardware"]]["export_controlled"] == "1"
        assert (row["default_listing"] == "0") == controlled
    assert {code for code, row in PRODUCTS.items() if row["default_listing"] == "0"} == {
        "AI-H20",
        "AI-A800",
    }


def test_scenarios_name_their_latency_class_and_limit() -> None:
    limits = {"L0": "1", "L1": "5", "L2": "20", "L3": ""}
    scenarios = load_table("workload_scenarios")

    assert {row["latency_class"] for row in scenarios} == set(limits)
    for row in scenarios:
        assert row["max_rtt_ms"] == limits[row["latency_class"]]
        assert set(row["resource_classes"].split(";")) <= set(ResourceClass)


def test_members_can_be_told_apart_and_identified() -> None:
    scenarios = {row["code"] for row in load_table("workload_scenarios")}

    for field in ("code", "name_zh", "name_en", "credit_code", "bank_account"):
        assert len({row[field] for row in MEMBERS.values()}) == len(MEMBERS)
    for row in MEMBERS.values():
        assert is_credit_code(row["credit_code"])
        assert row["home_code"] in HUBS or row["home_code"] in CITIES
        assert (row["operator_number"] != "") == (row["is_supplier"] == "1")
        assert (row["telecom_licence_number"] != "") == (row["is_supplier"] == "1")
        assert set(filter(None, row["scenarios"].split(";"))) <= scenarios
        assert (row["scenarios"] != "") == (row["is_buyer"] == "1")


def test_the_market_has_enough_members_of_every_kind() -> None:
    suppliers = [row for row in MEMBERS.values() if row["is_supplier"] == "1"]
    buyers = [row for row in MEMBERS.values() if row["is_buyer"] == "1"]

    assert len(suppliers) >= 14
    assert len(buyers) >= 12
    assert {row["home_code"] for row in suppliers} == set(HUBS)
    assert sum(row["is_supplier"] == row["is_buyer"] == "1" for row in MEMBERS.values()) >= 3
    assert sum(row["is_platform"] == "1" for row in MEMBERS.values()) == 1


def test_users_have_reserved_addresses_and_the_roles_of_their_member() -> None:
    users = load_table("member_users")

    assert len({row["email"] for row in users}) == len(users)
    assert len({row["mobile"] for row in users}) == len(users)
    for row in users:
        member, roles = MEMBERS[row["member_code"]], set(row["roles"].split(";"))
        assert row["email"].endswith(".example")
        assert "supplier" not in roles or member["is_supplier"] == "1"
        assert "buyer" not in roles or member["is_buyer"] == "1"
        assert not roles & {"operator", "auditor"} or member["is_platform"] == "1"
    for code in MEMBERS:
        assert any("finance" in row["roles"] for row in users if row["member_code"] == code)
    operators = [row for row in users if "operator" in row["roles"].split(";")]
    assert len(operators) == 2


def test_pools_are_consistent_with_their_member_hub_and_product() -> None:
    models = {row["name"] for row in load_table("accelerators")}
    pools = load_table("pools")

    assert len({row["identifier"] for row in pools}) == len(pools) >= 40
    assert {row["hub_code"] for row in pools} == set(HUBS)
    assert {row["product_code"] for row in pools} == set(PRODUCTS)
    for row in pools:
        identifier = parse_resource_identifier(row["identifier"])
        assert identifier.cluster == HUBS[row["hub_code"]]["id4"]
        assert identifier.operator == int(MEMBERS[row["member_code"]]["operator_number"])
        assert identifier.resource_class == PRODUCTS[row["product_code"]]["resource_class"]
        assert MEMBERS[row["member_code"]]["home_code"] == row["hub_code"]
        assert Decimal(1) <= Decimal(row["pue"]) <= Decimal(HUBS[row["hub_code"]]["pue_cap"])
        assert row["hardware"] in models
        assert (row["benchmark_efficiency"] != "") == (row["trust_level"] == "2")


def test_price_curves_rise_on_ticks_and_lots_and_fill_the_listed_quantity() -> None:
    for row in load_table("pools"):
        product = PRODUCTS[row["product_code"]]
        steps = [step.split("@") for step in row["price_steps"].split(";")]
        quantities = [Decimal(quantity) for quantity, _ in steps]
        prices = [Decimal(price) for _, price in steps]

        assert sum(quantities) == Decimal(row["listed_quantity"]) <= Decimal(row["unit_count"])
        assert all(on_lot(quantity, Decimal(product["quantity_lot"])) for quantity in quantities)
        assert all(on_tick(price, Decimal(product["price_tick"])) for price in prices)
        assert prices == sorted(set(prices))
        assert prices[-1] < Decimal(product["price_max"])


def test_declared_carbon_is_the_uncovered_energy_at_the_residual_factor() -> None:
    residual = {
        row["factor_kg_per_kwh"]
        for row in load_table("grid_emission_factors")
        if row["basis"] == "average_excl_market_traded_non_fossil" and row["year"] == "2023"
    }
    assert residual == {"0.6096"}

    for row in load_table("pools"):
        energy_wh = Decimal(row["power_w_per_unit"]) * Decimal(row["pue"])
        grams = energy_wh * (1 - Decimal(row["green_share"])) * Decimal("0.6096")
        assert Decimal(row["carbon_g_per_unit_hour"]) == round_money(grams, 3)
