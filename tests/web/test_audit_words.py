"""Every action of the audit trail has words in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import translation

from marketplace.models import AuditEvent, ListingState, OrganisationState, RequestState
from marketplace.templatetags.audit_words import STEPS, audit_text
from settlement.models import (
    ContractState,
    CounterResetState,
    DefaultState,
    DisputeState,
    MonthlyStatementState,
    PayoutBatchState,
    SecurityDepositState,
    SupplierInvoiceState,
    TaxInvoiceState,
    VoucherState,
)

# A text that ends in "_" is the beginning of one whose end is a state.
ACTION = re.compile(r"^[a-z_]+(\.[a-z_]*[a-z])+$")
# Steps that are the state which something was moved to; nothing moves to its first state.
MOVED = (
    *(set(ListingState) - {ListingState.DRAFT}),
    *(set(OrganisationState) - {OrganisationState.PENDING}),
    *(set(RequestState) - {RequestState.PENDING}),
    *("ruling_approved", "ruling_rejected"),
    *ContractState,
    *CounterResetState,
    *DefaultState,
    *SecurityDepositState,
    *DisputeState,
    *MonthlyStatementState,
    *PayoutBatchState,
    *SupplierInvoiceState,
    *TaxInvoiceState,
    *VoucherState,
)


def _calls() -> Iterator[ast.Call]:
    for app in ("marketplace", "orders", "settlement"):
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield node


def _actions_in_code() -> set[str]:
    """Return the literal actions that are handed to a function which writes the trail."""
    found = set()
    for call in _calls():
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        texts = [word.value for word in call.keywords if word.arg == "action"]
        texts += call.args if "audit" in name else []
        for text in texts:
            for part in ast.walk(text):
                if isinstance(part, ast.Constant) and ACTION.match(str(part.value)):
                    found.add(str(part.value))
    return found


def test_every_step_that_the_code_writes_has_words() -> None:
    actions = _actions_in_code()
    steps = {step for action in actions for step in action.split(".")[1:]}

    assert len(actions) > 80  # the search finds them at all
    assert steps - STEPS.keys() == set()
    assert {str(state) for state in MOVED} - STEPS.keys() == set()


def test_every_step_has_chinese_words() -> None:
    with translation.override("zh-hans"):
        foreign = {step for step, text in STEPS.items() if not re.search(r"[一-鿿]", str(text))}

    assert foreign == set()


def test_the_text_names_what_it_was_done_to() -> None:
    event = AuditEvent(action="organisation.approved", object_type="marketplace.Organisation")
    gone = AuditEvent(action="thing.melted", object_type="orders.Vanished")

    with translation.override("en"):
        assert audit_text(event) == "Organisation: approved"
        assert audit_text(gone) == "orders.Vanished: melted"
    with translation.override("zh-hans"):
        assert audit_text(event) == "市场主体：已批准"
