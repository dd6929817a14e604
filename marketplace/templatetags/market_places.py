"""Names of places where there is little room."""

from typing import Any

from django import template

from marketplace.templatetags.market_ui import is_chinese, localname

register = template.Library()


@register.filter
def shortname(hub: Any) -> str:
    """Return the short name of a hub in the page's language, else its full one."""
    if hub is None:
        return localname(hub)
    short = getattr(hub, "short_zh" if is_chinese() else "short_en", "")
    return str(short) or localname(hub)
