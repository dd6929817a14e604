"""The demonstration's certificates and recognition: retire, hit a cap, net; the books balance."""

from decimal import Decimal

import pytest

from config.demo.recognition import play_recognition
from config.demo.registry import play_registry
from settlement.models import (
    EmissionStatement,
    JournalEntry,
    NettingCycle,
    NettingState,
    Recognition,
    RecognitionEvent,
    UnitMovement,
)
from settlement.services.invariants import recognition as rules
from settlement.services.invariants.registry import check_invariant
from tests.factories.cases import assert_ledger_clean
from tests.factories.recognition_month import Quiet, three_data_centres

pytestmark = pytest.mark.django_db


def test_three_data_centres_retire_recognise_hit_a_cap_and_net():
    cast = three_data_centres()
    certificates = play_registry(cast, Quiet())

    lines = play_recognition(cast, Quiet())

    registries = set(
        RecognitionEvent.objects.values_list("retirement_line__batch__registry__code", flat=True)
    )
    assert registries == {"PHCER", "CQCER", "CCER"}
    assert Recognition.objects.count() == 3
    assert NettingCycle.objects.get().state == NettingState.SETTLED
    assert sum("cap reached" in line for line in lines) == 3
    assert any("trial balance 为零 zero" in line and "CCER, CNY" in line for line in lines)
    assert not any(check_invariant(check).finding_count for check in rules.CHECKS)
    for statement in EmissionStatement.objects.filter(subject="pool"):
        made = Recognition.objects.get(statement=statement)
        assert Decimal(0) < made.applied_t < statement.market_based_t == made.market_based_t
    assert_ledger_clean()
    _tells_again(cast, certificates, lines)


def _tells_again(cast, certificates, lines):
    before = (JournalEntry.objects.count(), UnitMovement.objects.count())

    assert len(play_registry(cast, Quiet())) == len(certificates) == 6
    assert play_recognition(cast, Quiet()) == lines
    assert (JournalEntry.objects.count(), UnitMovement.objects.count()) == before
