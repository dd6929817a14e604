"""What every page of the portal needs: navigation, market clock, languages, theme, organisation.

Higher apps fill the parts that this app cannot know (which pages exist, which auction is open)
through the setting ``PORTAL_PROVIDERS``: name -> dotted path of a function that takes the request.

    PORTAL_PROVIDERS = {
        "navigation": "config.portal.navigation",        # list of sections, see below
        "auction_strip": "config.portal.auction_strip",  # dict, see includes/auction_strip.html
    }

Everything is lazy: a fragment that shows none of it pays nothing.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string
from django.utils.translation import get_language, gettext, pgettext

from marketplace.selectors.clock import ClockFace, clock_face

THEMES = ("auto", "light", "dark")
RISE_COLOURS = ("red", "green")
LANGUAGE_NAMES = {"zh-hans": "中文", "en": "English"}


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of base.html; see docs/explanation/design-language.md."""
    return {
        "navigation": lazily(lambda: provided("navigation", request, [])),
        "auction_strip": lazily(lambda: provided("auction_strip", request, {})),
        "market_clock": lazily(lambda: clock_of(request)),
        "bell": lazily(lambda: provided("bell", request, {})),
        "portal": lazily(lambda: describe_portal(request)),
    }


def lazily(make: Callable[[], Any]) -> Any:
    """Return an object that is made when a template first looks at it."""
    return SimpleLazyObject(make)


def clock_of(request: HttpRequest) -> ClockFace:
    """Return the market clock, read once a request."""
    face: ClockFace | None = getattr(request, "_clock_face", None)
    if face is None:
        face = clock_face()
        request._clock_face = face  # type: ignore[attr-defined]
    return face


def provided(name: str, request: HttpRequest, default: Any) -> Any:
    """Call the function that the setting names; without one, return the default."""
    path = getattr(settings, "PORTAL_PROVIDERS", {}).get(name)
    return import_string(path)(request) if path else default


def describe_portal(request: HttpRequest) -> dict[str, Any]:
    """Return language, theme, organisation and footer marks of this request."""
    language = (get_language() or settings.LANGUAGE_CODE).lower()
    rise = request.COOKIES.get("rise", "")
    theme = request.COOKIES.get("theme", "")
    return {
        "language": language,
        "html_language": "zh-Hans" if language.startswith("zh") else language,
        "languages": [
            {"code": code, "name": LANGUAGE_NAMES.get(code, code), "active": code == language}
            for code, _name in settings.LANGUAGES
        ],
        "theme": theme if theme in THEMES else "auto",
        "themes": theme_choices(),
        "rise": rise if rise in RISE_COLOURS else "red" if language.startswith("zh") else "green",
        "organisation": getattr(request, "organisation", None),
        "organisations": getattr(request, "organisations", ()),
        "icp_number": getattr(settings, "ICP_NUMBER", ""),
        "police_number": getattr(settings, "PUBLIC_SECURITY_NUMBER", ""),
        "texts": browser_texts(),
    }


def theme_choices() -> list[dict[str, str]]:
    """Return the three states of the theme switch."""
    return [
        {
            "code": "auto",
            "icon": "device-desktop-analytics",
            "name": pgettext("theme", "As the system"),
        },
        {"code": "light", "icon": "sun", "name": pgettext("theme", "Light")},
        {"code": "dark", "icon": "moon", "name": pgettext("theme", "Dark")},
    ]


def browser_texts() -> dict[str, str]:
    """Return the words that the scripts put on the page, in the page's language."""
    return {
        "day": pgettext("unit of time", "d"),
        "copied": gettext("Copied"),
        "refresh_failed": gettext("This part could not be refreshed. Reload the page."),
        "supply": gettext("Supply"),
        "demand": gettext("Demand"),
        "clearing_price": gettext("Clearing price"),
        "cleared_quantity": gettext("Cleared quantity"),
        "quantity": gettext("Quantity"),
        "price": gettext("Price"),
        "no_trade": gettext("no trade"),
        "flow": gettext("Flow"),
        "capacity": gettext("Capacity"),
        "load": gettext("Load"),
        "full": gettext("full"),
        "east": gettext("East"),
        "central": gettext("Central"),
        "west": gettext("West"),
        "city": gettext("Demand city"),
        "total": gettext("Total"),
    }
