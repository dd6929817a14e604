"""Listings from an uploaded CSV file: all of them, or none and a list of what is wrong.

One row is one listing. `price_curve` holds `units@price` steps and `windows` holds
`start/end` or `start/end*units`, both separated by semicolons; times without an offset are
market time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from django.db import transaction

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.domain.tables import ImportRefused, Row, RowError, read_upload
from marketplace.models import Listing, Organisation, ResourcePool
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import require_seller
from marketplace.services.error_texts import MESSAGES_BY_CODE
from marketplace.services.listing_drafts import ListingDraft, PriceStep, check_draft
from marketplace.services.listing_rows import PoolOversold, insert_listings, require_units
from marketplace.services.listings import lock_pools
from marketplace.services.pools import PoolNotFound

REQUIRED_COLUMNS = ("pool", "name", "quantity", "price_curve", "windows")
OPTIONAL_COLUMNS = ("min_run_hours", "standing", "note")
COLUMN_ALIASES = {
    "资源池标识": "pool",
    "名称": "name",
    "数量": "quantity",
    "价格曲线": "price_curve",
    "可用时段": "windows",
    "最短时长": "min_run_hours",
    "常备": "standing",
    "备注": "note",
}
Part = TypeVar("Part")

_YES = {"1", "yes", "true", "是", ""}
_NO = {"0", "no", "false", "否"}


class CellRefused(RuleBroken):
    """A cell is not written as the format wants it."""

    code = "wrong_format"
    message = gettext_noop("This must be written as %(form)s.")


def import_listings(*, actor: Actor, data: bytes) -> list[Listing]:
    """List everything in a file, or nothing.

    Raises:
        NotAdmitted, NotPermitted: the actor does not sell.
        ImportRefused: with one error for each wrong cell, row or pool.
    """
    owner = require_seller(actor)
    rows = read_upload(
        data, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, aliases=COLUMN_ALIASES
    )
    pools = _pools(owner)
    now = market_now()
    drafts: list[ListingDraft] = []
    errors: list[RowError] = []
    for row in rows:
        try:
            draft = _draft_from(row, pools)
            check_draft(draft, now=now)
        except RuleBroken as error:
            errors.append(RowError.of(row.line, error))
        else:
            drafts.append(draft)
    if errors:
        raise ImportRefused(errors)
    return _store(owner, actor, drafts, [row.line for row in rows])


@transaction.atomic
def _store(
    owner: Organisation, actor: Actor, drafts: Sequence[ListingDraft], lines: Sequence[int]
) -> list[Listing]:
    lock_pools({draft.pool.pk for draft in drafts})
    listings = insert_listings(owner=owner, actor=actor, drafts=drafts)
    last_line = {draft.pool.pk: line for draft, line in zip(drafts, lines, strict=True)}
    errors = []
    for pool_id, line in sorted(last_line.items(), key=lambda pair: pair[1]):
        try:
            require_units(pool_id)
        except PoolOversold as error:
            errors.append(RowError.of(line, error))
    if errors:
        raise ImportRefused(errors)
    return listings


def _pools(owner: Organisation) -> dict[str, ResourcePool]:
    pools = ResourcePool.objects.filter(organisation=owner).select_related("product")
    return {pool.identifier: pool for pool in pools}


def _draft_from(row: Row, pools: dict[str, ResourcePool]) -> ListingDraft:
    cells = row.cells
    pool = pools.get(cells["pool"])
    if pool is None:
        raise PoolNotFound(field="pool")
    quantity = _number(cells["quantity"], "quantity", places=3)
    return ListingDraft(
        pool=pool,
        name=cells["name"],
        quantity=quantity,
        price_steps=tuple(_each(cells["price_curve"], _step)),
        windows=tuple(_each(cells["windows"], lambda text: _window(text, quantity))),
        min_run_hours=int(_number(cells.get("min_run_hours") or "1", "min_run_hours", places=0)),
        is_standing=_yes_or_no(cells.get("standing", "")),
        note=cells.get("note", ""),
        source="csv",
    )


def _each(text: str, read: Callable[[str], Part]) -> list[Part]:
    return [read(part.strip()) for part in text.split(";") if part.strip()]


def _step(text: str) -> PriceStep:
    quantity, at, price = text.partition("@")
    if not at:
        raise CellRefused(field="price_curve", form="64@7.50;32@8.20")
    return (
        _number(quantity.strip(), "price_curve", places=3),
        _number(price.strip(), "price_curve", places=6),
    )


def _window(text: str, quantity: Decimal) -> CapacityWindow:
    span, star, units = text.partition("*")
    start, slash, end = span.partition("/")
    if not slash:
        raise CellRefused(field="windows", form="2026-12-01T00:00/2026-12-08T00:00*64")
    return CapacityWindow(
        _instant(start.strip()),
        _instant(end.strip()),
        _number(units.strip(), "windows", places=3) if star else quantity,
    )


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CellRefused(field="windows", form="2026-12-01T08:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=MARKET_TIME_ZONE)


def _number(text: str, field: str, *, places: int) -> Decimal:
    try:
        return parse_decimal(text, max_digits=9, places=places, allow_negative=True)
    except DecimalRefused as error:
        message = MESSAGES_BY_CODE.get(error.code)
        raise CellRefused(error.code, message, field, **error.params) from None


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise CellRefused(field="standing", form="yes / no")
