"""Lists and codes in the words of the reader's language."""

from collections.abc import Iterable
from typing import Any

from django import template

from marketplace.models import ResourceClass
from marketplace.templatetags.market_ui import localname
from settlement.templatetags.registry_words import province_name

register = template.Library()


@register.filter
def resource_class_names(codes: Iterable[str]) -> list[str]:
    """Return the names of classes of compute."""
    names = dict(ResourceClass.choices)
    return [str(names.get(code, code)) for code in codes]


@register.filter
def province_names(names: Iterable[str]) -> list[str]:
    """Return the name of each province in the page's language."""
    return [province_name(name) for name in names]


@register.filter
def local_names(things: Iterable[Any]) -> list[str]:
    """Return the name of each thing in the page's language."""
    return [localname(thing) for thing in things]
