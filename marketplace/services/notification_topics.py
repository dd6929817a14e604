"""What members are told about: one row a topic, with its words and who gets it by default.

Placeholders are filled from the notification's parameters: `name_zh`/`name_en` become `name` in
the reader's language, `…_cny` an amount, `…_at` an instant in market time.
"""

from dataclasses import dataclass, field

from marketplace.domain.errors import gettext_noop
from marketplace.models import Role


@dataclass(frozen=True)
class Topic:
    """A kind of notification.

    Attributes:
        code: stable name; webhooks call the event so.
        label: what it is called in the settings.
        text: the sentence that people read.
        many: the sentence for several deliveries at once (the parameter `deliveries`).
        roles: who in the organisation gets it; empty: everybody.
        tone: info, success, warning or error.
        icon: its picture in the list.
        by_email: whether it comes by e-mail unless the person chose otherwise.
    """

    code: str
    label: str
    text: str
    roles: frozenset[str] = field(default_factory=frozenset)
    tone: str = "info"
    icon: str = "info-circle"
    by_email: bool = False
    many: str = ""


_TRADERS = frozenset({Role.BUYER.value, Role.SUPPLIER.value})
_BUYERS = frozenset({Role.BUYER.value})
_SUPPLIERS = frozenset({Role.SUPPLIER.value})
_MONEY = frozenset({Role.FINANCE.value, Role.BUYER.value})

_TABLE = (
    Topic(
        "organisation.approved",
        gettext_noop("Admission to the market"),
        gettext_noop("%(name)s is admitted to the market and may trade."),
        tone="success",
        icon="user-check",
        by_email=True,
    ),
    Topic(
        "gate.closing",
        gettext_noop("Gate closing soon"),
        gettext_noop("Orders for %(auction)s are taken until %(closes_at)s."),
        _TRADERS,
        icon="clock",
    ),
    Topic(
        "order.accepted",
        gettext_noop("Orders accepted"),
        gettext_noop("%(auction)s: %(accepted)s of your %(orders)s orders traded."),
        _TRADERS,
        tone="success",
        icon="circle-check",
    ),
    Topic(
        "order.rejected",
        gettext_noop("Orders not accepted"),
        gettext_noop("%(auction)s: %(rejected)s of your %(orders)s orders did not trade."),
        _TRADERS,
        icon="ban",
    ),
    Topic(
        "delivery.due",
        gettext_noop("Delivery to hand over"),
        gettext_noop(
            "%(unit_hours)s %(unit)s of %(product)s at %(hub)s: hand over before %(starts_at)s."
        ),
        _SUPPLIERS,
        tone="warning",
        icon="truck-delivery",
        by_email=True,
        many=gettext_noop("%(auction)s: hand over %(deliveries)s deliveries before %(starts_at)s."),
    ),
    Topic(
        "delivery.handed_over",
        gettext_noop("Delivery handed over"),
        gettext_noop(
            "%(unit_hours)s %(unit)s of %(product)s at %(hub)s: the supplier has given access."
        ),
        _BUYERS,
        tone="success",
        icon="truck-delivery",
        by_email=True,
        many=gettext_noop(
            "%(auction)s: access is given to %(deliveries)s of your %(bought)s deliveries."
        ),
    ),
    Topic(
        "delivery.short",
        gettext_noop("Delivery short"),
        gettext_noop(
            "%(unit_hours)s %(unit)s of %(product)s at %(hub)s: "
            "%(missing)s of %(contracted)s %(unit)s were not delivered."
        ),
        _TRADERS,
        tone="warning",
        icon="alert-triangle",
        by_email=True,
    ),
    Topic(
        "delivery.failed",
        gettext_noop("Delivery failed"),
        gettext_noop(
            "%(unit_hours)s %(unit)s of %(product)s at %(hub)s "
            "were not delivered and are not billed."
        ),
        _TRADERS,
        tone="error",
        icon="alert-circle",
        by_email=True,
    ),
    Topic(
        "bill.issued",
        gettext_noop("Bill issued"),
        gettext_noop("Bill %(number)s over %(gross_cny)s CNY (VAT included) is there."),
        frozenset({Role.FINANCE.value, Role.BUYER.value, Role.SUPPLIER.value}),
        icon="file-invoice",
        by_email=True,
    ),
    Topic(
        "bill.overdue",
        gettext_noop("Bill overdue"),
        gettext_noop(
            "Bill %(number)s was due on %(due_on)s and %(owed_cny)s CNY are unpaid: %(step)s."
        ),
        _MONEY,
        tone="warning",
        icon="alert-triangle",
        by_email=True,
    ),
    Topic(
        "default.declared",
        gettext_noop("Default declared"),
        gettext_noop("Your organisation is in default (%(number)s) over %(owed_cny)s CNY."),
        tone="error",
        icon="alert-circle",
        by_email=True,
    ),
    Topic(
        "dispute.moved",
        gettext_noop("Disputes"),
        gettext_noop("Dispute %(number)s about %(product)s: %(step)s."),
        frozenset({Role.FINANCE.value, Role.BUYER.value, Role.SUPPLIER.value}),
        icon="scale",
        by_email=True,
    ),
    Topic(
        "voucher.issued",
        gettext_noop("Compute voucher issued"),
        gettext_noop(
            "Compute voucher %(number)s of %(name)s over %(face_cny)s CNY is yours until %(until)s."
        ),
        _MONEY,
        tone="success",
        icon="receipt",
    ),
    Topic(
        "money.low",
        gettext_noop("Money running low"),
        gettext_noop(
            "%(available_cny)s CNY are available: at the pace of the last days enough for less "
            "than %(days)s days. Pay in before bids are refused."
        ),
        _MONEY,
        tone="warning",
        icon="wallet",
        by_email=True,
    ),
    Topic(
        "certificate.expiring",
        gettext_noop("Certificate or licence expiring"),
        gettext_noop("%(name)s expires on %(expires_on)s. Renew it in time."),
        _SUPPLIERS,
        tone="warning",
        icon="alert-triangle",
        by_email=True,
    ),
    Topic(
        "notice.published",
        gettext_noop("Notice of the market operator"),
        gettext_noop("Notice of the market operator: %(title)s"),
        icon="info-circle",
        by_email=True,
    ),
    Topic(
        "webhook.test",
        gettext_noop("Test of a webhook"),
        gettext_noop("This is a test of your webhook."),
        frozenset({"nobody"}),
    ),
)

TOPICS: dict[str, Topic] = {topic.code: topic for topic in _TABLE}
"""Every topic by its code, in the order of the settings page."""

SHOWN_TOPICS = tuple(topic for topic in _TABLE if topic.code != "webhook.test")
"""The topics that people choose among."""
