"""The demonstration's orders: drawn from a seed, and such as the market accepts."""

from decimal import Decimal

import pytest

from config.demo.appetite import Appetite, Buyer, Scenario, TradedProduct, draw_orders

PRODUCT = TradedProduct(
    code="AI-910B",
    resource_class="AI",
    reference_price=Decimal("7.50"),
    price_tick=Decimal("0.01"),
    quantity_lot=Decimal(8),
    price_max=Decimal(100),
    listed=Decimal(4000),
    green_class_g=Decimal(120),
)
TRAINING = Scenario("model_training", "L3", None, frozenset({"AI"}))
INFERENCE = Scenario("interactive_inference", "L1", Decimal(5), frozenset({"AI"}))
BUYERS = (Buyer("HANGHAI", "HZ", ("model_training", "interactive_inference")),)
APPETITE = Appetite(periods=24, orders_per_buyer=200, block_share=0.5, size_share=Decimal("0.02"))


def drawn(seed="a day"):
    return list(
        draw_orders(
            seed=seed,
            buyers=BUYERS,
            products=(PRODUCT,),
            scenarios=(TRAINING, INFERENCE),
            appetite=APPETITE,
        )
    )


def test_the_same_seed_draws_the_same_orders():
    assert drawn() == drawn()
    assert drawn() != drawn("another day")


def test_every_order_is_on_lot_on_tick_and_inside_the_day():
    for order in drawn():
        assert order.quantity > 0
        assert order.quantity % PRODUCT.quantity_lot == 0
        assert order.limit_price % PRODUCT.price_tick == 0
        assert 1 <= order.first_period <= order.last_period <= 24


def test_steps_of_a_curve_add_up_to_its_quantity_at_falling_prices():
    curves = [order for order in drawn() if not order.is_block]

    assert curves
    for order in curves:
        prices = [price for price, _ in order.steps]
        assert sum(quantity for _, quantity in order.steps) == order.quantity
        assert prices == sorted(set(prices), reverse=True)


def test_only_work_that_tolerates_distance_comes_in_blocks():
    blocks = [order for order in drawn() if order.is_block]

    assert blocks
    assert {order.scenario.latency_class for order in blocks} == {"L3"}
    assert {order.min_acceptance for order in blocks} == {Decimal(1), Decimal("0.5")}


@pytest.mark.parametrize("missing", ["HP", "GP"])
def test_a_scenario_without_a_product_it_can_run_on_draws_nothing(missing):
    other = Scenario("model_training", "L3", None, frozenset({missing}))

    orders = draw_orders(
        seed="a day",
        buyers=BUYERS,
        products=(PRODUCT,),
        scenarios=(other,),
        appetite=APPETITE,
    )

    assert list(orders) == []


def test_some_of_the_work_that_can_move_asks_for_green_capacity():
    limits = {scenario: [] for scenario in ("model_training", "interactive_inference")}
    for order in drawn():
        limits[order.scenario.code].append(order.max_carbon_g)

    assert set(limits["interactive_inference"]) == {None}
    green = limits["model_training"].count(Decimal(120))
    assert 0 < green < len(limits["model_training"]) / 3
