"""Recognition end to end: the worked example, the codes of refusal, and what never changes."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from marketplace.domain.errors import NotFound
from settlement.domain.carbon import errors
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import (
    AgreementStatus,
    CapUsage,
    CorrespondingAdjustment,
    Recognition,
    RecognitionAgreement,
    RecognitionEvent,
    Retirement,
    SerialRange,
    StatementClosing,
    UnitMovement,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.ledger import IdempotencyConflict
from settlement.services.recognition.agreements import decide_version, propose_status
from settlement.services.recognition.choosing import ChosenUnits
from settlement.services.recognition.planning import MoreThanNeeded
from settlement.services.recognition.recognising import (
    NothingNeeded,
    recognise,
    recognise_retirement,
)
from settlement.services.registry.holdings import retire_units
from tests.factories.ledger import make_member
from tests.factories.marketplace import member
from tests.factories.recognition import (
    MONTH,
    TODAY,
    Region,
    issue,
    make_registry,
    state,
    terms,
    unchanged,
)

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).parents[4] / "docs/explanation/carbon-examples.toml"


@pytest.fixture
def region() -> Region:
    return Region()


def _rows(table):
    names = [column[0] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def _span(text):
    return tuple(int(part) for part in text.split("-"))


def _held(centre, registry):
    rows = SerialRange.objects.filter(
        organisation=centre, state="held", batch__registry__code=registry
    ).order_by("batch_id", "serials")
    return [f"{row.first_serial}-{row.last_serial}" for row in rows]


def test_two_agreements_give_what_the_worked_example_says(region):
    example = tomllib.loads(EXAMPLES.read_text())["E4"]
    facts = {row[0]: row[3] for row in example["facts"]}
    wanted = {row[0]: row[3] for row in example["results"]}
    for number, row in enumerate(_rows(example["tables"]["agreements"]), 1):
        region.agree(
            row["code"],
            row["registry"],
            terms(
                row["type"].lower(),
                factor_k=Decimal(row["k"]),
                discount_d=Decimal(row["d"]),
                relative_cap=Decimal(row["relative_cap"]),
                absolute_cap_t=Decimal(row["absolute_t"]) if row["absolute_t"] else None,
                vintage_min=int(row["vintage_min"]),
                vintage_max=int(row["vintage_max"]),
                priority=number,
            ),
        )
    for row in _rows(example["tables"]["holdings"]):
        first, last = _span(row["serials"])
        issue(region.centre, row["registry"], vintage=int(row["vintage"]), first=first, last=last)
    statement = state(region.centre, facts["need_t"])

    done = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="e4"
    )

    events = list(RecognitionEvent.objects.order_by("version__priority"))
    lines = _rows(example["tables"]["lines"])
    assert [(e.credits, e.applied_t) for e in events] == [
        (int(line["credits"]), Decimal(line["applied_t"])) for line in lines
    ]
    assert done.residual_t == Decimal(wanted["net_residual_t"])
    assert done.over_coverage_t == 0
    left = [row["left"] for row in _rows(example["tables"]["holdings"]) if row["left"]]
    assert _held(region.centre, "PHCER") + _held(region.centre, "CCER") == left
    usage = CapUsage.objects.filter(organisation=None).order_by("agreement__code")
    assert [row.used_t for row in usage] == [Decimal("60.000000"), Decimal("49.500000")]


def test_the_figures_of_the_statement_stay_as_they_were(region):
    """INV-09: recognition changes neither figure of the statement."""
    region.agree("AGR-C", "CCER")
    issue(region.centre, "CCER", vintage=2024, first=1, last=100)
    statement = state(region.centre, "10")

    recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="k")

    before = (statement.location_based_t, statement.market_based_t, statement.sha256)
    statement.refresh_from_db()
    assert (statement.location_based_t, statement.market_based_t, statement.sha256) == before


def test_the_same_request_is_answered_once(region):
    region.agree("AGR-C", "CCER")
    batch = issue(region.centre, "CCER", vintage=2024, first=1, last=100)
    statement = state(region.centre, "10")
    request = {"statement_public_id": statement.public_id, "idempotency_key": "once"}

    first = recognise(actor=region.person, **request)
    again = recognise(actor=region.person, **request)

    assert again == first
    assert Retirement.objects.get().units == 10
    with pytest.raises(IdempotencyConflict):
        recognise(actor=region.person, chosen=[ChosenUnits(batch.public_id, 50, 50)], **request)


def test_a_covered_statement_needs_nothing(region):
    region.agree("AGR-C", "CCER")
    issue(region.centre, "CCER", vintage=2024, first=1, last=100)
    statement = state(region.centre, "9.5")
    done = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="a"
    )

    assert (done.applied_t, done.over_coverage_t) == (Decimal("9.5"), Decimal("0.5"))
    with pytest.raises(NothingNeeded):
        recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="b")


def test_a_second_recognition_of_a_statement_finds_the_rest_of_its_relative_cap(region):
    region.agree("AGR-C", "CCER", terms("reduction", relative_cap=Decimal("0.1")))
    batch = issue(region.centre, "CCER", vintage=2024, first=1, last=100)
    statement = state(region.centre, "100")
    recognise(
        actor=region.person,
        statement_public_id=statement.public_id,
        idempotency_key="a",
        chosen=[ChosenUnits(batch.public_id, 1, 4)],
    )

    rest = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="b"
    )

    assert rest.applied_t == 6
    with pytest.raises(errors.CapExceeded):
        recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="c")


def test_several_pieces_add_up_to_the_gram(region):
    region.agree("AGR-P", "PHCER", terms(discount_d=Decimal("0.3333"), factor_k=Decimal("0.7777")))
    for first in (1, 21, 41):
        issue(region.centre, "PHCER", vintage=2023, first=first, last=first + 6)
    statement = state(region.centre, "10")

    done = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="k"
    )

    events = list(done.events.all())
    assert sum(e.applied_t for e in events) == done.applied_t == 10
    assert sum(e.recognised_t for e in events) == done.applied_t + done.over_coverage_t
    assert sum(e.credits for e in events) == 20
    assert len(events) == 3


def _ready(region, **changes):
    region.agree("AGR-P", "PHCER", terms(**changes))
    batch = issue(region.centre, "PHCER", vintage=2023, first=1, last=100)
    return batch, state(region.centre, "100")


REFUSALS = [
    ("valid_to", {"valid_to": date(2026, 3, 30)}, errors.AgreementNotInForce),
    ("valid_from", {"valid_from": date(2026, 4, 1)}, errors.AgreementNotInForce),
    ("vintage", {"vintage_min": 2024}, errors.VintageOutOfWindow),
    ("type", {"instrument_types": ("reduction",)}, errors.InstrumentNotEligible),
    ("programme", {"programmes": ("PHCER-OTHER",)}, errors.InstrumentNotEligible),
    ("absolute cap", {"absolute_cap_t": Decimal("0.5")}, errors.CapExceeded),
    ("party cap", {"party_cap_t": Decimal("0.5")}, errors.CapExceeded),
    ("relative cap", {"relative_cap": Decimal("0.0001")}, errors.CapExceeded),
    ("adjustment", {"adjustment_required": True}, errors.AdjustmentRequired),
]


@pytest.mark.parametrize(
    ("changes", "refusal"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
@pytest.mark.parametrize("is_chosen", [False, True], ids=["freely", "chosen"])
def test_each_term_refuses_with_its_code_and_changes_nothing(region, changes, refusal, is_chosen):
    home = make_registry("PHCER")
    home.programmes.create(
        code="PHCER-OTHER", name_zh="其他", name_en="Other", instrument_type="sink_removal"
    )
    batch, statement = _ready(region, **changes)
    chosen = [ChosenUnits(batch.public_id, 1, 2)] if is_chosen else []

    with unchanged(Recognition, RecognitionEvent, Retirement, UnitMovement), pytest.raises(refusal):
        recognise(
            actor=region.person,
            statement_public_id=statement.public_id,
            idempotency_key="k",
            chosen=chosen,
        )


def test_an_adjusted_batch_is_taken_where_the_adjustment_is_required(region):
    batch, statement = _ready(region, adjustment_required=True)
    CorrespondingAdjustment.objects.create(
        batch=batch, reference="CA-1", adjusted_on=TODAY, entered_by=region.first.user
    )

    done = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="k"
    )

    assert done.applied_t == 100


def test_a_suspended_agreement_is_not_in_force(region):
    _, statement = _ready(region)
    version = propose_status(
        actor=region.first,
        agreement_public_id=RecognitionAgreement.objects.get(code="AGR-P").public_id,
        status=AgreementStatus.SUSPENDED,
        reason="look again",
    )
    decide_version(actor=region.second, version_public_id=version.public_id, approve=True)

    with pytest.raises(errors.AgreementNotInForce):
        recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="k")


def test_agreements_are_never_chained(region):
    # PHCER counts in CCER's scheme, CCER in ours; PHCER therefore does not count in ours (R19).
    region.agree("AGR-C", "CCER")
    other = make_registry("CCER")
    assert other != region.scheme
    issue(region.centre, "PHCER", vintage=2023, first=1, last=10)

    with pytest.raises(errors.NoAgreement):
        recognise(
            actor=region.person,
            statement_public_id=state(region.centre, "5").public_id,
            idempotency_key="k",
        )


def test_without_credits_the_holding_is_what_is_missing(region):
    region.agree("AGR-C", "CCER")

    with pytest.raises(errors.InsufficientHeld):
        recognise(
            actor=region.person,
            statement_public_id=state(region.centre, "5").public_id,
            idempotency_key="k",
        )


def test_a_closed_statement_takes_nothing(region):
    _, statement = _ready(region)
    StatementClosing.objects.create(statement=statement)

    with pytest.raises(errors.StatementClosed):
        recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="k")


def test_more_than_the_need_is_not_taken(region):
    region.agree("AGR-P", "PHCER")
    batch = issue(region.centre, "PHCER", vintage=2023, first=1, last=100)

    with pytest.raises(MoreThanNeeded):
        recognise(
            actor=region.person,
            statement_public_id=state(region.centre, "5").public_id,
            idempotency_key="k",
            chosen=[ChosenUnits(batch.public_id, 1, 6)],
        )


def test_units_of_somebody_else_are_refused(region):
    region.agree("AGR-P", "PHCER")
    batch = issue(make_member(), "PHCER", vintage=2023, first=1, last=100)

    with pytest.raises(errors.NotOwner):
        recognise(
            actor=region.person,
            statement_public_id=state(region.centre, "5").public_id,
            idempotency_key="k",
            chosen=[ChosenUnits(batch.public_id, 1, 2)],
        )


def _retire(region, batch, first, last, **changes):
    return retire_units(
        actor=region.person,
        ranges=[UnitBlock(batch.pk, first, last)],
        **{
            "beneficiary": region.centre,
            "purpose": "recognition",
            "claim_month": MONTH,
            **changes,
        },
    )


def test_a_retirement_is_recognised_at_most_once(region):
    batch, statement = _ready(region)
    retirement = _retire(region, batch, 1, 10)
    request = {
        "actor": region.person,
        "statement_public_id": statement.public_id,
        "retirement_public_id": retirement.public_id,
    }

    done = recognise_retirement(idempotency_key="a", **request)

    assert done.applied_t == 10
    with pytest.raises(errors.AlreadyRecognised):
        recognise_retirement(idempotency_key="b", **request)


def test_a_retirement_for_another_beneficiary_is_not_ours(region):
    batch, statement = _ready(region)
    retirement = _retire(region, batch, 1, 10, beneficiary=make_member())

    with pytest.raises(errors.NotOwner):
        recognise_retirement(
            actor=region.person,
            statement_public_id=statement.public_id,
            retirement_public_id=retirement.public_id,
            idempotency_key="a",
        )


def test_a_person_of_another_organisation_does_not_find_the_statement(region):
    _, statement = _ready(region)

    with pytest.raises(NotFound):
        recognise(
            actor=member(make_member()),
            statement_public_id=statement.public_id,
            idempotency_key="k",
        )
    with pytest.raises(NotFound):
        recognise(actor=region.person, statement_public_id=uuid4(), idempotency_key="k")


def test_every_instrument_still_balances(region):
    _, statement = _ready(region)
    recognise(actor=region.person, statement_public_id=statement.public_id, idempotency_key="k")

    rows = trial_balance(date(2026, 1, 1), date(2026, 12, 31))
    assert set(differences_by_asset(rows).values()) == {Decimal(0)}
    assert "PHCER" in differences_by_asset(rows)
