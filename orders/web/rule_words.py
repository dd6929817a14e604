"""What the figures of market rules, bands and requests are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def rule_words() -> dict[str, str | Promise]:
    """Return the names of figures by their machine names."""
    return {
        "counterparty": _("Counterparty"),
        "buyer_fee_rate": _("Fee of buyers"),
        "seller_fee_rate": _("Fee of sellers"),
        "fee_vat_rate": _("VAT on fees"),
        "max_order_notional_cny": _("Largest order, CNY"),
        "acceptance_timeout_hours": _("Hours to accept a delivery"),
        "payment_term_days": _("Days to pay"),
        "payment_term_unit": _("Days to pay are"),
        "confirmation_workdays": _("Workdays to confirm a monthly statement"),
        "bundle_publication_delay_days": _("Days until bundles are public"),
        "resale_allowed": _("Resale allowed"),
        "note": _("Note"),
        "valid_from": _("Valid from"),
        "price_min": _("Lowest price"),
        "price_max": _("Highest price"),
        "minutes": _("Minutes of market time"),
    }
