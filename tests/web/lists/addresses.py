"""Every address of the portal and of the interface, and things to put into those that name one."""

from collections.abc import Iterator

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from marketplace import models as places
from orders import models as market
from settlement import models as books
from settlement.exports.catalogue import REPORTS
from tests.web.lists.market_rows import World

# Addresses of one thing that show lists of what belongs to it -> the thing.
OF_ONE: dict[str, type[Model]] = {
    "admission": places.Organisation,
    "listing": places.Listing,
    "my-listing": places.Listing,
    "notice": places.Notice,
    "suggestion": places.Suggestion,
    "webhook": places.WebhookEndpoint,
    "api-webhook-deliveries": places.WebhookEndpoint,
    "api-listing": places.Listing,
    "approval": market.BidApproval,
    "order": market.Order,
    "project": market.Project,
    "standing-bid": market.StandingBid,
    "surveillance-case": market.SurveillanceAlert,
    "two-person-request": places.TwoPersonRequest,
    "api-allocation": market.Allocation,
    "api-clearing-run": market.ClearingRun,
    "api-order": market.Order,
    "bank-line": books.BankLine,
    "bank-statement": books.BankStatement,
    "bill": books.Invoice,
    "confirmation": books.Delivery,
    "contract": books.Contract,
    "default": books.DefaultCase,
    "delivery": books.Delivery,
    "dispute": books.Dispute,
    "factor-set": books.FactorSet,
    "journal-entry": books.JournalEntry,
    "monthly-statement": books.MonthlyStatement,
    "netting-cycle": books.NettingCycle,
    "payout-batch": books.PayoutBatch,
    "recognition-agreement": books.RecognitionAgreement,
    "recognition-record": books.Recognition,
    "registry-file": books.RegistryImport,
    "registry-project": books.Project,
    "retirement": books.Retirement,
    "settlement-run": books.SettlementRun,
    "settlement-run-comparison": books.SettlementRun,
    "tax-request": books.TaxInvoice,
    "unit-batch": books.UnitBatch,
    "voucher": books.Voucher,
    "voucher-programme": books.VoucherProgramme,
    "api-bill": books.Invoice,
    "api-contract": books.Contract,
    "api-delivery": books.Delivery,
    "api-delivery-corrections": books.Delivery,
    "api-delivery-readings": books.Delivery,
    "api-dispute": books.Dispute,
    "api-netting-cycle": books.NettingCycle,
    "api-recognition": books.Recognition,
    "api-retirement": books.Retirement,
    "api-unit-batch": books.UnitBatch,
}
OF_AN_AUCTION = (
    "auction",
    "auction-live",
    "auction-bid",
    "auction-control-detail",
    "auction-prices",
)
OF_AN_AUCTION_BY_PROGRAM = (
    "api-auction",
    "api-auction-prices",
    "api-auction-flows",
    "api-auction-curves",
    "api-auction-indicative",
)
# Reports and files by the name of what they hold, and what is known by a code.
OF_OTHERS = {
    "hub": ["WEST"],
    "price-band-new": ["AI-T"],
    "ledger-account": ["1002.01"],
    "period": ["2026-11"],
    "file-layout": ["yonyou"],
    "rulebook-page": ["market-rules"],
    "bulletin": ["2026-11-21"],
    "market-data-file": ["history"],
    "bill-register-file": ["csv"],
    "settlement-summary-file": ["csv"],
    "statement-file": ["csv"],
    "trial-balance-file": ["csv"],
}
OF_THE_WORLD = (
    "pool",
    "api-pool",
    "green-supply-pool",
    "green-supply-file",
    "sweep",
    "carbon-statement",
    "carbon-hours",
    "api-carbon-statement",
    "payout-batch-file",
    "report",
)
QUERIES = {
    "api-auction-prices": "?product=AI-T",
    "api-auction-curves": "?product=AI-T&period=1",
    "api-statement": "?since=2026-11-01&until=2026-11-30",
}
# The same page in another order or grouping, where that takes other questions.
VIEWS = {
    "deliveries": ("?view=bought", "?view=sold"),
    "settlement-summary": ("?by=member", "?by=product"),
    "carbon-statements": ("?subject=pool",),
    "market": ("?city=CITY",),
}


def patterns() -> dict[str, URLPattern]:
    """Return every named address but those of Django's own administration."""
    found: dict[str, URLPattern] = {}

    def walk(resolver: URLResolver) -> None:
        for one in resolver.url_patterns:
            if isinstance(one, URLResolver):
                if one.namespace != "admin":
                    walk(one)
            elif one.name:
                found[one.name] = one

    walk(get_resolver())
    return found


def measured() -> set[str]:
    """Return the names of the addresses that are measured: all without arguments, and those."""
    plain = {name for name, one in patterns().items() if not one.pattern.converters}
    return (
        plain | {*OF_ONE, *OF_AN_AUCTION, *OF_AN_AUCTION_BY_PROGRAM} | {*OF_OTHERS, *OF_THE_WORLD}
    )


def addresses(world: World) -> Iterator[tuple[str, str]]:
    """Yield what an address is called in the record of queries, and where it is."""
    given = _arguments(world)
    for name in sorted(measured()):
        url = reverse(name, args=given.get(name, [])) if name != "report" else ""
        for view in ("", *VIEWS.get(name, ())) if url else ():
            yield name + view, url + (view or QUERIES.get(name, ""))
    for report in REPORTS:
        yield f"report {report.code}", reverse("report", args=[report.code])


def _arguments(world: World) -> dict[str, list[object]]:
    auction = world.first_open
    assert auction is not None
    line = books.EmissionStatementLine.objects.order_by("pk")[0]
    pool = world.desk.delivery.allocation.listing.pool.identifier
    return {
        **{name: [_first(model, world).public_id] for name, model in OF_ONE.items()},  # type: ignore[attr-defined]
        **{name: [auction.code] for name in OF_AN_AUCTION},
        **{name: [auction.public_id] for name in OF_AN_AUCTION_BY_PROGRAM},
        **OF_OTHERS,
        "pool": [pool],
        "api-pool": [pool],
        "green-supply-pool": [pool],
        "green-supply-file": [pool],
        "sweep": [books.InvariantRun.objects.order_by("pk")[0].pk],
        "payout-batch-file": [books.PayoutBatch.objects.order_by("pk")[0].public_id],
        "carbon-statement": [line.statement.public_id],
        "carbon-hours": [line.statement.public_id, line.delivery.public_id],
        "api-carbon-statement": [line.statement.public_id],
    }


def _first(model: type[Model], world: World) -> Model:
    """Return the oldest thing of a kind, one of the member's own where members own them."""
    rows = model._default_manager.order_by("pk")
    names = {one.name for one in model._meta.get_fields()}
    for owner, organisation in (
        ("buyer", world.desk.buying),
        ("organisation", world.desk.buying),
        ("organisation", world.desk.selling),
    ):
        if owner in names and rows.filter(**{owner: organisation}).exists():
            return rows.filter(**{owner: organisation})[0]
    return rows[0]
