"""Layout tags: data tables, cards, sortable heads."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from marketplace.templatetags.market_ui import icon

register = template.Library()


@register.simple_block_tag
def datatable(
    content: str, caption: str, cards: bool = False, show_caption: bool = False, extra: str = ""
) -> SafeString:
    """Wrap thead and tbody into a captioned table in a focusable scroll region.

    `cards` turns each row into a labelled card on a phone; otherwise the region scrolls.
    """
    return format_html(
        '<div class="table-region" role="region" tabindex="0" aria-label="{0}">'
        '<table class="table hs-table{1}{2}"><caption class="{3}">{0}</caption>{4}</table></div>',
        caption,
        " hs-table-cards" if cards else "",
        f" {extra}" if extra else "",
        "" if show_caption else "visually-hidden",
        content,
    )


@register.simple_block_tag
def card(
    content: str, title: str = "", note: str = "", extra: str = "", html_id: str = ""
) -> SafeString:
    """Wrap content into a card with an optional heading; `extra` adds classes."""
    head = (
        format_html(
            '<div class="card-header"><h2 class="card-title">{}</h2>{}</div>',
            title,
            format_html('<p class="card-note">{}</p>', note) if note else "",
        )
        if title
        else ""
    )
    return format_html(
        '<section class="card {}"{}>{}<div class="card-body">{}</div></section>',
        extra,
        format_html(' id="{}"', html_id) if html_id else "",
        head,
        content,
    )


@register.simple_tag(takes_context=True)
def sort_head(context: dict[str, Any], field: str, label: str, numeric: bool = False) -> SafeString:
    """Print a column head that sorts by a plain link (?sort=field, ?sort=-field)."""
    query = context["request"].GET.copy()
    current = query.get("sort", "")
    direction = {field: "ascending", f"-{field}": "descending"}.get(current, "none")
    query["sort"] = f"-{field}" if direction == "ascending" else field
    query.pop("page", None)
    icons = {"ascending": "sort-ascending", "descending": "sort-descending", "none": "arrows-sort"}
    return format_html(
        '<th scope="col"{}{}><a class="sort-link" href="?{}">{} {}'
        '<span class="visually-hidden"> {}</span></a></th>',
        SafeString(' class="num"') if numeric else "",
        "" if direction == "none" else format_html(' aria-sort="{}"', direction),
        query.urlencode(),
        label,
        icon(icons[direction], size="xs"),
        gettext("sort by this column"),
    )
