"""Who may call what: every address and method, for every role, with the status it gets.

400 and 415 mean that the door was open and the (empty) request then refused.
"""

import re

import pytest
from django.urls import get_resolver

from marketplace.models import OrganisationState, Role
from marketplace.services.webhooks import add_webhook
from settlement.models import Delivery
from settlement.services.deliveries import create_deliveries
from settlement.services.registry.seed import seed_registries
from tests.api.callers import Caller, Day, browser_of, program_of, stranger
from tests.factories.marketplace import OrganisationFactory, member, operator
from tests.factories.orders import published
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "buyer", "other", "supplier", "finance", "operator", "auditor")
#                                         anon buyer other suppl finan opera audit
TABLE = """
GET    api-hubs                            200  200  200  200  200  200  200
GET    api-links                           200  200  200  200  200  200  200
GET    api-products                        200  200  200  200  200  200  200
GET    api-scenarios                       200  200  200  200  200  200  200
GET    api-clock                           200  200  200  200  200  200  200
GET    api-auctions                        200  200  200  200  200  200  200
GET    api-auction                         200  200  200  200  200  200  200
GET    api-auction-prices                  200  200  200  200  200  200  200
GET    api-auction-flows                   200  200  200  200  200  200  200
GET    api-auction-curves                  200  200  200  200  200  200  200
GET    api-clearing-runs                   200  200  200  200  200  200  200
GET    api-clearing-run                    200  200  200  200  200  200  200
GET    api-me                              401  200  200  200  200  200  200
GET    api-tokens                          401  200  200  200  200  200  200
POST   api-tokens                          401  400  400  400  400  400  400
DELETE api-token                           401  404  404  404  404  404  404
GET    api-notifications                   401  200  200  200  200  200  200
POST   api-notifications-read              401  200  200  200  200  200  200
GET    api-webhooks                        401  200  200  200  200  403  403
POST   api-webhooks                        401  400  400  400  400  403  403
GET    api-webhook                         401  200  404  404  200  403  403
PATCH  api-webhook                         401  200  404  404  200  403  403
POST   api-webhook-test                    401  202  404  404  202  403  403
GET    api-webhook-deliveries              401  200  404  404  200  403  403
POST   api-webhook-redelivery              401  404  404  404  404  403  403
POST   api-organisations                   401  400  400  400  400  400  400
GET    api-admissions                      401  403  403  403  403  200  403
POST   api-admission-reject                401  403  403  403  403  400  403
POST   api-admission-suspend               401  403  403  403  403  400  403
POST   api-admission-approve               401  403  403  403  403  200  403
POST   api-auction-halt                    401  403  403  403  403  400  403
POST   api-auction-resume                  401  403  403  403  403  400  403
POST   api-auction-cancel                  401  403  403  403  403  400  403
POST   api-auction-extend                  401  403  403  403  403  400  403
POST   api-auction-rerun                   401  403  403  403  403  400  403
GET    api-auction-indicative              200  200  200  200  200  200  200
GET    api-operator-requests               401  403  403  403  403  200  403
POST   api-operator-request-approve        401  403  403  403  403  404  403
POST   api-operator-request-refuse         401  403  403  403  403  400  403
GET    api-orders                          401  200  200  200  200  403  403
POST   api-orders                          401  400  400  400  403  403  403
POST   api-order-preview                   401  400  400  400  403  403  403
GET    api-order                           401  200  404  404  200  403  403
POST   api-order-change                    401  400  404  404  403  403  403
POST   api-order-cancel                    401  400  404  404  403  403  403
GET    api-allocations                     401  200  200  200  200  403  403
GET    api-allocation                      401  200  404  200  200  403  403
GET    api-pools                           401  403  403  200  403  403  403
POST   api-pools                           401  403  403  400  403  403  403
GET    api-pool                            401  403  403  200  403  403  403
GET    api-listings                        401  403  403  200  403  403  403
POST   api-listings                        401  403  403  400  403  403  403
POST   api-listing-import                  401  403  403  415  403  403  403
GET    api-listing                         401  403  403  200  403  403  403
PATCH  api-listing                         401  403  403  200  403  403  403
POST   api-listing-pause                   401  403  403  200  403  403  403
POST   api-listing-resume                  401  403  403  200  403  403  403
POST   api-listing-withdraw                401  403  403  200  403  403  403
GET    api-deliveries                      401  200  200  200  200  403  403
GET    api-delivery                        401  200  404  200  200  403  403
POST   api-delivery-hand-over              401  403  403  400  403  403  403
POST   api-delivery-accept                 401  400  404  403  403  403  403
POST   api-delivery-reveal-access          401  400  404  403  403  403  403
GET    api-delivery-readings               401  200  404  200  200  403  403
GET    api-delivery-corrections            401  200  404  200  200  403  403
POST   api-delivery-readings               401  403  403  400  403  400  403
POST   api-readings                        401  403  403  400  403  400  403
POST   api-reading-import                  401  403  403  415  403  415  403
GET    api-disputes                        401  200  200  200  200  403  403
POST   api-disputes                        401  400  400  400  400  403  403
GET    api-dispute                         401  404  404  404  404  403  403
POST   api-dispute-answer                  401  404  404  404  404  403  403
POST   api-dispute-insist                  401  404  404  404  404  403  403
POST   api-dispute-withdraw                401  404  404  404  404  403  403
POST   api-dispute-messages                401  404  404  404  404  403  403
GET    api-vouchers                        401  200  200  200  200  403  403
POST   api-voucher-redeem                  401  400  400  400  400  403  403
GET    api-balance                         401  200  200  200  200  403  403
GET    api-bills                           401  200  200  200  200  403  403
GET    api-bill                            401  404  404  404  404  403  403
GET    api-monthly-statements              401  200  200  200  200  403  403
POST   api-monthly-statement-confirm       401  404  404  404  404  403  403
POST   api-monthly-statement-object        401  400  400  400  400  403  403
GET    api-tax-invoice-requests            401  200  200  200  200  403  403
POST   api-tax-invoice-requests            401  400  400  400  400  403  403
GET    api-contracts                       401  200  200  200  200  403  403
GET    api-contract                        401  404  404  404  404  403  403
POST   api-contract-sign                   401  404  404  404  404  403  403
POST   api-contract-decline                401  400  400  400  400  403  403
GET    api-payouts                         401  200  200  200  200  403  403
POST   api-bank-statements                 401  403  403  403  403  403  403
GET    api-statement                       401  200  200  200  200  403  403
GET    api-registries                      200  200  200  200  200  200  200
GET    api-registry-projects               200  200  200  200  200  200  200
GET    api-unit-batches                    200  200  200  200  200  200  200
GET    api-unit-batch                      404  404  404  404  404  404  404
GET    api-serials                         404  404  404  404  404  404  404
GET    api-holdings                        401  200  200  200  200  403  403
POST   api-unit-transfers                  401  400  400  400  400  403  403
POST   api-unit-reservations               401  400  400  400  400  403  403
POST   api-unit-reservation-release        401  404  404  404  404  403  403
GET    api-retirements                     401  200  200  200  200  200  200
POST   api-retirements                     401  400  400  400  400  403  403
GET    api-retirement                      401  404  404  404  404  404  404
POST   api-registry-files                  401  403  403  403  403  400  403
POST   api-registry-file-confirm           401  403  403  403  403  404  403
POST   api-registry-file-discard           401  403  403  403  403  404  403
POST   api-registry-project-register-ccer  401  403  403  403  403  400  403
POST   api-registry-project-issue-ccer     401  403  403  403  403  400  403
POST   api-unit-locks                      401  403  403  403  403  400  403
POST   api-unit-unlocks                    401  403  403  403  403  400  403
POST   api-unit-invalidations              401  403  403  403  403  400  403
POST   api-replacement-duty-meet           401  403  403  403  403  400  403
GET    api-carbon-statements               401  200  200  200  200  200  200
GET    api-carbon-statement                401  404  404  404  404  404  404
GET    api-carbon-evidence                 401  404  404  404  404  404  404
POST   api-carbon-statement-close          401  404  404  404  404  404  403
POST   api-carbon-statements               401  400  400  400  400  400  403
POST   api-carbon-statement-correct        401  404  404  404  404  404  403
GET    api-factor-sets                     401  403  403  403  403  200  200
POST   api-factor-sets                     401  403  403  403  403  400  403
POST   api-factor-set-approve              401  403  403  403  403  404  403
POST   api-factor-set-refuse               401  403  403  403  403  404  403
POST   api-pue-files                       401  403  403  415  403  415  403
GET    api-green-sources                   401  403  403  200  403  200  200
POST   api-green-sources                   401  403  403  400  403  403  403
GET    api-green-supply                    401  403  403  200  403  200  200
POST   api-green-supply                    401  403  403  400  403  403  403
POST   api-green-supply-files              401  403  403  415  403  403  403
GET    api-green-references                401  200  200  200  200  200  200
POST   api-green-references                401  403  403  403  403  400  403
GET    api-agreements                      401  200  200  200  200  200  200
POST   api-agreements                      401  403  403  403  403  400  403
POST   api-agreement-change                401  403  403  403  403  400  403
POST   api-agreement-status                401  403  403  403  403  400  403
GET    api-agreement-versions              401  403  403  403  403  200  403
POST   api-agreement-version-approve       401  403  403  403  403  404  403
POST   api-agreement-version-refuse        401  403  403  403  403  404  403
POST   api-scheme-memberships              401  403  403  403  403  400  403
POST   api-corresponding-adjustments       401  403  403  403  403  400  403
GET    api-recognitions                    401  200  200  200  200  200  200
POST   api-recognitions                    401  400  400  400  400  403  403
GET    api-recognition                     401  404  404  404  404  404  404
GET    api-netting-cycles                  401  200  200  200  200  200  200
GET    api-netting-cycle                   401  404  404  404  404  404  404
POST   api-netting-cycles                  401  403  403  403  403  400  403
POST   api-netting-cycle-obligations       401  403  403  403  403  400  403
POST   api-netting-cycle-freeze            401  403  403  403  403  404  403
POST   api-netting-cycle-compute           401  403  403  403  403  404  403
POST   api-netting-cycle-settle            401  403  403  403  403  404  403
POST   api-netting-cycle-failures          401  403  403  403  403  400  403
"""
QUERIES = {
    "api-auction-prices": "?product=AI-T",
    "api-auction-curves": "?product=AI-T&period=1",
    "api-statement": "?since=2026-11-01&until=2026-11-30",
    "api-serials": "?serial=NONE-1",
    "api-registry-files": "?registry=GEC",
    "api-pue-files": "?measured_by=DCIM",
    "api-green-supply": "?month=2026-11-01",
}
SILENT = {"schema", "api-wrong-address"}


def _rows() -> list[tuple[str, str, list[int]]]:
    lines = [line.split() for line in TABLE.strip().splitlines()]
    return [(method, name, [int(status) for status in rest]) for method, name, *rest in lines]


def _patterns() -> dict[str, tuple[str, object]]:
    found = {}
    for group in get_resolver("config.api_urls").url_patterns:
        for pattern in getattr(group, "url_patterns", [group]):
            found[pattern.name] = (str(pattern.pattern), pattern.callback.view_class)
    return found


def _callers(day: Day) -> tuple[dict[str, Caller], dict[str, str]]:
    seed_registries()
    actor = buyer()
    order = program_of(actor).post("orders/", day.curve()).json()
    published(day.auction)
    create_deliveries(day.auction.pk)
    delivery = Delivery.objects.select_related("allocation__run").get()
    pending = OrganisationFactory(state=OrganisationState.PENDING)
    callers = {
        "anonymous": stranger(),
        "buyer": browser_of(actor),
        "other": browser_of(buyer()),
        "supplier": browser_of(day.market.west_seller),
        "finance": browser_of(member(actor.organisation, Role.FINANCE)),
        "operator": browser_of(operator()),
        "auditor": browser_of(operator(Role.AUDITOR)),
    }
    listing = day.market.west_listing
    webhook, _secret = add_webhook(
        actor=actor, url="https://example.org/hook", topics=["bill.issued"]
    )
    ids = {
        "api-order": order["id"],
        "api-auction": day.auction.public_id,
        "api-clearing-run": delivery.allocation.run.public_id,
        "api-allocation": delivery.allocation.public_id,
        "api-delivery": delivery.public_id,
        "api-admission": pending.public_id,
        "api-listing": listing.public_id,
        "api-pool": listing.pool.identifier,
        "api-token": "0" * 15,
        "api-webhook": webhook.public_id,
        "api-bank": "MAIN",
        "api-monthly-statement": delivery.public_id,
        "api-bill": delivery.public_id,
        "api-contract": delivery.public_id,
        "api-dispute": delivery.public_id,
        "api-voucher": delivery.public_id,
        "api-operator-request": delivery.public_id,
        "api-unit-batch": delivery.public_id,
        "api-unit-reservation": delivery.public_id,
        "api-retirement": delivery.public_id,
        "api-registry-file": delivery.public_id,
        "api-registry-project": delivery.public_id,
        "api-carbon-statement": delivery.public_id,
        "api-carbon-evidence": delivery.public_id,
        "api-recognition": delivery.public_id,
        "api-netting-cycle": delivery.public_id,
        "api-agreement": delivery.public_id,
        "api-factor-set": delivery.public_id,
        "api-replacement-duty": delivery.public_id,
    }
    return callers, {name: str(value) for name, value in ids.items()}


def _address(name: str, ids: dict[str, str]) -> str:
    route = _patterns()[name][0]
    if "<" not in route:
        return route + QUERIES.get(name, "")
    kind = next(kind for kind in sorted(ids, key=len, reverse=True) if name.startswith(kind))
    address = re.sub(r"<\w+:(?!file_format)\w+>", ids[kind], route)
    return address.replace("<slug:file_format>", "csv") + QUERIES.get(name, "")


def test_every_role_gets_what_the_table_says(day) -> None:
    callers, ids = _callers(day)
    wrong = []

    for method, name, statuses in _rows():
        for role, expected in zip(ROLES, statuses, strict=True):
            body = None if method == "GET" else {}
            answer = callers[role].send(method, _address(name, ids), body)
            if answer.status_code != expected:
                wrong.append((method, name, role, expected, answer.status_code, answer.content))
            if answer.status_code >= 400:
                assert set(answer.json()) == {"error"}, (method, name, role)

    assert wrong == [], "\n".join(map(str, wrong))


def test_the_table_names_every_address_and_method() -> None:
    methods = ("get", "post", "put", "patch", "delete")
    offered = {
        (method.upper(), name)
        for name, (_route, view) in _patterns().items()
        if name not in SILENT
        for method in methods
        if hasattr(view, method)
    }

    assert {(method, name) for method, name, _ in _rows()} == offered


def test_no_route_takes_a_sequential_id() -> None:
    assert [route for route, _ in _patterns().values() if "<int:" in route] == []
