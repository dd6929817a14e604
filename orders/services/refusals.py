"""The rules an order can break, by name. Texts are translated where they are shown."""

from marketplace.domain.errors import NotFound, RuleBroken, StateForbids, gettext_noop


class GateClosed(RuleBroken):
    """The order came after gate closure."""

    code = "gate_closed"
    message = gettext_noop("The gate of auction %(auction)s is closed.")
    status = 409


class GateNotOpen(RuleBroken):
    """The order came before gate opening."""

    code = "gate_not_open"
    message = gettext_noop("Auction %(auction)s does not take orders yet.")
    status = 409


class AuctionHalted(RuleBroken):
    """The operator has halted the auction."""

    code = "auction_halted"
    message = gettext_noop("Auction %(auction)s is halted.")
    status = 409


class AuctionCancelled(RuleBroken):
    """The auction does not take place."""

    code = "auction_cancelled"
    message = gettext_noop("Auction %(auction)s is cancelled.")
    status = 409


class AuctionNotFound(NotFound):
    """There is no such auction."""

    message = gettext_noop("There is no such auction.")


class OrderNotFound(NotFound):
    """The organisation has no such order."""

    message = gettext_noop("There is no such order.")


class ProductNotTraded(RuleBroken):
    """The auction does not trade the product."""

    code = "product_not_traded"
    message = gettext_noop("Auction %(auction)s does not trade the product %(product)s.")


class HubNotTraded(RuleBroken):
    """There is no such place, or it takes no part in the auctions."""

    code = "hub_not_traded"
    message = gettext_noop("The place %(hub)s takes no part in the auctions.")


class OffPriceTick(RuleBroken):
    """A price is not a whole number of ticks."""

    code = "off_price_tick"
    message = gettext_noop("The price must be a multiple of %(tick)s CNY.")


class OffQuantityLot(RuleBroken):
    """A quantity is not a whole number of lots."""

    code = "off_quantity_lot"
    message = gettext_noop("The quantity must be a multiple of %(lot)s.")


class PriceOutOfBand(RuleBroken):
    """A price is outside the band of the product."""

    code = "price_out_of_band"
    message = gettext_noop("The price must be between %(low)s and %(high)s CNY.")


class QuantityNotPositive(RuleBroken):
    """A quantity is zero, negative or not a number."""

    code = "quantity_not_positive"
    message = gettext_noop("The quantity must be above zero.")


class QuantityTooLarge(RuleBroken):
    """A quantity is beyond anything the market trades."""

    code = "quantity_too_large"
    message = gettext_noop("The quantity must be below %(limit)s.")


class WindowOutsideAuction(RuleBroken):
    """The delivery window is not inside the auction's."""

    code = "window_outside_auction"
    message = gettext_noop("The window must lie within the periods 1 to %(periods)s.")


class WindowInPast(RuleBroken):
    """The delivery window has begun."""

    code = "window_in_past"
    message = gettext_noop("The delivery window begins in the past.")


class StepsRequired(RuleBroken):
    """A curve order has no steps."""

    code = "steps_required"
    message = gettext_noop("A curve order needs at least one step of price and quantity.")


class TooManySteps(RuleBroken):
    """A curve order has too many steps."""

    code = "too_many_steps"
    message = gettext_noop("At most %(limit)s steps can be given.")


class StepPriceRepeated(RuleBroken):
    """Two steps have the same price."""

    code = "step_price_repeated"
    message = gettext_noop("Each step needs a price of its own; %(price)s appears twice.")


class LegsOverlap(RuleBroken):
    """Two parts of a block's profile cover the same period."""

    code = "legs_overlap"
    message = gettext_noop("The parts of the profile overlap in period %(period)s.")


class DurationOutsideWindow(RuleBroken):
    """A flexible order lasts longer than its window, or not at all."""

    code = "duration_outside_window"
    message = gettext_noop(
        "The work must last at least one period and at most %(periods)s, the length of its window."
    )


class FlexibleOrdersBuy(RuleBroken):
    """An ask cannot be flexible or interruptible."""

    code = "flexible_orders_buy"
    message = gettext_noop("Flexible and interruptible orders can only buy.")


class ParentNotLinkable(RuleBroken):
    """The order that a block shall hang on cannot carry it."""

    code = "parent_not_linkable"
    message = gettext_noop(
        "An order can only be linked to a block order of your organisation that is in the book of "
        "the same auction."
    )


class OptionsForBlocksOnly(RuleBroken):
    """Alternatives or a linked order are named on an order that is no block."""

    code = "options_for_blocks_only"
    message = gettext_noop("Only a block order has alternatives or is linked to another order.")


class OptionsAtOneListing(RuleBroken):
    """The alternatives of an ask are at another hub or of another product than its listing."""

    code = "options_at_one_listing"
    message = gettext_noop("All alternatives of a sell order are sold from its listing.")


class FieldRequired(RuleBroken):
    """An input is missing."""

    code = "required"
    message = gettext_noop("This value is required.")


class ChoiceUnknown(RuleBroken):
    """An input is none of the choices."""

    code = "choice_unknown"
    message = gettext_noop("%(value)s is not one of the choices.")


class ShareOutOfRange(RuleBroken):
    """A minimum acceptance is not between 0 and 1."""

    code = "share_out_of_range"
    message = gettext_noop(
        "The minimum acceptance must be between 0 and 1, with at most four decimals."
    )


class LatencyClassUnknown(RuleBroken):
    """No latency class of the product is as strict as the limit."""

    code = "latency_class_unknown"
    message = gettext_noop("The strictest latency class of this product is %(strictest)s ms.")


class CarbonClassUnknown(RuleBroken):
    """No carbon class of the product is as strict as the limit."""

    code = "carbon_class_unknown"
    message = gettext_noop(
        "No carbon class of this product is as strict as this limit. Its classes are %(classes)s "
        "g per unit-hour."
    )


class RequirementsNeedSinglePlacement(RuleBroken):
    """Requirements on the machines go with an order placed on one listing, never with a curve."""

    code = "requirements_need_single_placement"
    message = gettext_noop(
        "Requirements on the machines can only be set on an order that is placed on one listing as "
        "a whole."
    )


class SellOrderTakesNoLimits(RuleBroken):
    """An ask has limits that only a bid may have."""

    code = "sell_order_takes_no_limits"
    message = gettext_noop("A sell order has no latency or carbon limit and no requirements.")


class CapacityExceeded(RuleBroken):
    """The listing has less than the ask offers."""

    code = "capacity_exceeded"
    message = gettext_noop(
        "The listing has %(free)s units free in period %(period)s, the order offers %(offered)s."
    )


class ListingNotActive(StateForbids):
    """Only an active listing can be sold from."""

    code = "listing_not_active"
    message = gettext_noop("The listing is not active.")


class NotionalTooLarge(RuleBroken):
    """The order is worth more than one order may be."""

    code = "notional_too_large"
    message = gettext_noop(
        "The order is worth up to %(notional)s CNY; one order may be worth %(limit)s CNY."
    )


class CancellationTooLate(RuleBroken):
    """In the no-cancel phase an order stays in the book."""

    code = "no_cancel_phase"
    message = gettext_noop("Orders of auction %(auction)s can no longer be cancelled.")
    status = 409


class OrderNotActive(StateForbids):
    """The order has come to its end already."""

    code = "order_not_active"
    message = gettext_noop("The order is no longer in the book.")
