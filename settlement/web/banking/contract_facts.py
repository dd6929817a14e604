"""What the page of a contract says of signatures, price, bills, terms and the document."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from marketplace.domain.periods import market_date
from marketplace.models import MarketRules, PaymentTermUnit
from marketplace.permissions import Actor
from marketplace.selectors.rules import rules_at
from marketplace.templatetags.market_ui import localname, market_time, percent, quantity
from settlement.domain.banking.signing import EnvelopeState, SignerAnswer
from settlement.models import Contract, ContractState
from settlement.selectors.banking.contracts import (
    bills_of,
    parties_of,
    service_terms_of,
    sums_of,
)
from settlement.services.banking.contract_answers import answers_on
from settlement.web.banking.tables import Cell, Facts, Head, Table, TableRow, as_given

PARTS = {"buyer": _("Buyer"), "supplier": _("Supplier"), "market": _("Market operator")}


def signatures_table(one: Contract) -> Table:
    """Return the parties and what each said."""
    said = answers_on(one)
    heads = [
        Head(_("Party")),
        Head(_("Credit code")),
        Head(_("Signature")),
        Head(_("Person")),
        Head(_("Time (real)")),
    ]
    rows = [
        TableRow(
            [
                Cell(localname(party), note=PARTS[role]),
                Cell(code=party.credit_code),
                _said(one, said.get(role)),
                *_by(said.get(role)),
            ]
        )
        for role, party in parties_of(one)
    ]
    return Table(gettext("Parties and signatures"), heads, rows)


def _said(one: Contract, answer: SignerAnswer | None) -> Cell:
    if answer is None:
        if one.state != ContractState.SENT:
            return Cell("–")
        return Cell(gettext("Waited for"), badge="waiting")
    if answer.state == EnvelopeState.REFUSED:
        return Cell(pgettext("contract", "Declined"), badge="rejected")
    return Cell(gettext("Signed"), badge="confirmed")


def _by(answer: SignerAnswer | None) -> list[Cell]:
    if answer is None:
        return [Cell(), Cell()]
    when = market_time(answer.given_at, "minute") if answer.given_at else ""
    return [Cell(as_given(answer.person)), Cell(when)]


def price_table(one: Contract) -> Table:
    """Return the price with and without tax."""
    sums = sums_of(one)
    allocation = one.allocation
    heads = [
        Head(_("Product")),
        Head(_("Unit-hours"), is_number=True),
        Head(_("Net, CNY"), is_number=True),
        Head(_("Tax rate"), is_number=True),
        Head(_("VAT, CNY"), is_number=True),
        Head(_("Total with VAT, CNY"), is_number=True),
    ]
    row = TableRow(
        [
            Cell(localname(allocation.product)),
            Cell(quantity(allocation.unit_hours, allocation.product)),
            Cell(figure=sums.net),
            Cell(percent(sums.vat_rate, 0)),
            Cell(figure=sums.vat),
            Cell(figure=sums.gross),
        ]
    )
    return Table(gettext("Price agreed"), heads, [row])


def bills_table(one: Contract, actor: Actor) -> Table:
    """Return what was billed of it."""
    heads = [
        Head(_("Bill")),
        Head(_("Kind")),
        Head(_("Issued on")),
        Head(_("State")),
    ]
    rows = [
        TableRow(
            [
                Cell(bill.number, url=reverse("bill", args=[bill.public_id])),
                Cell(bill.get_direction_display(), note=bill.get_kind_display()),
                Cell(bill.issued_on),
                Cell(badge=bill),
            ]
        )
        for bill in bills_of(one, actor)
    ]
    empty = gettext("Billed as metered, once the deliveries of the auction are settled.")
    return Table(gettext("Bills"), heads, rows, empty)


def terms_facts(one: Contract) -> Facts:
    """Return the terms that were in force when the gate closed."""
    gate = one.allocation.auction.gate_closes_at
    rules, on = rules_at(gate), market_date(gate)
    service = service_terms_of(one, on)
    pairs = [
        (gettext("In force on"), on),
        (gettext("Counterparty"), rules.get_counterparty_display()),
        (gettext("Payment"), _payment(rules)),
        (gettext("Hours to accept a delivery"), rules.acceptance_timeout_hours),
    ]
    if service is not None:
        pairs += [
            (gettext("Start may be late, minutes"), service.late_minutes),
            (gettext("Penalty: late, short, lost"), _rates(service)),
            (gettext("Penalty at most"), percent(service.cap_share, 0)),
        ]
    links = (("service-terms", gettext("Service terms")), ("case-rules", gettext("Rules in force")))
    shown = ((reverse(name), label) for name, label in links)
    texts = format_html_join(" · ", '<a href="{}">{}</a>', shown)
    pairs.append((gettext("Full texts"), texts))
    return Facts(gettext("Terms"), pairs, gettext("The price is settled as metered, tax added."))


def _payment(rules: MarketRules) -> str:
    days = rules.payment_term_days
    if rules.payment_term_unit == PaymentTermUnit.WORKDAYS:
        words = ngettext("%(days)s workday", "%(days)s workdays", days)
    else:
        words = ngettext("%(days)s calendar day", "%(days)s calendar days", days)
    return words % {"days": days}


def _rates(service: object) -> str:
    rates = (getattr(service, name) for name in ("late_rate", "short_rate", "lost_rate"))
    return " / ".join(percent(rate, 0) for rate in rates)


def document_facts(one: Contract) -> Facts:
    """Return what identifies the document."""
    pairs: list[tuple[str, Any]] = [(gettext("Drawn up on"), one.drawn_up_on)]
    if one.sent_at:
        pairs.append((gettext("Sent (real time)"), market_time(one.sent_at)))
    if one.signed_at:
        pairs.append((gettext("Signed by all (real time)"), market_time(one.signed_at)))
    if one.envelope:
        digest = format_html('<code class="wrap">{}</code>', one.content_sha256)
        pairs += [
            (gettext("Envelope"), format_html("<code>{}</code>", one.envelope)),
            (gettext("SHA-256 of the document"), digest),
        ]
    return Facts(pgettext("contract", "Document"), pairs)
