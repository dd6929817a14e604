"""The sentence of a notification in a reader's language."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import override as in_language

from marketplace.models import Notification
from marketplace.services.notification_topics import TOPICS

UNIT_HOURS = ("unit_hours", "missing", "contracted")


def notification_text(notification: Notification) -> str:
    """Return the sentence in the active language."""
    topic = TOPICS.get(notification.topic)
    if topic is None:
        return notification.topic
    is_many = bool(topic.many) and int(notification.params.get("deliveries", 1)) > 1
    return gettext(topic.many if is_many else topic.text) % shown_params(notification.params)


def texts_in_both(notification: Notification) -> dict[str, str]:
    """Return the sentence in every language of the portal, by language code."""
    texts = {}
    for code, _name in settings.LANGUAGES:
        with in_language(code):
            texts[code] = notification_text(notification)
    return texts


def shown_params(params: dict[str, Any]) -> dict[str, str]:
    """Return parameters as people read them in the active language."""
    is_chinese = (get_language() or settings.LANGUAGE_CODE).startswith("zh")
    ending, other = ("_zh", "_en") if is_chinese else ("_en", "_zh")
    # Older notices do not name the unit of their product.
    shown = {"unit": gettext("unit-hours")}
    for name, value in params.items():
        if name.endswith(ending):
            stem = name.removesuffix(ending)
            shown[stem] = str(value or params.get(stem + other, ""))
        else:
            shown[name] = _shown(name, value)
    return shown


def _shown(name: str, value: Any) -> str:
    if name.endswith("_at"):
        moment = datetime.fromisoformat(str(value))
        zone = ZoneInfo(settings.MARKET_TIME_ZONE)
        return timezone.localtime(moment, zone).strftime("%Y-%m-%d %H:%M")
    if name.endswith("_cny"):
        return f"{Decimal(str(value)):,.2f}"
    if name in UNIT_HOURS:
        return f"{Decimal(str(value)):,}"
    return str(value)
