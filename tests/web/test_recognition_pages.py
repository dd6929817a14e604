"""Pages of mutual recognition: who may open them, what they say, and what they do."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.urls import reverse

from marketplace.models import Role
from settlement.exports.catalogue import REPORTS
from settlement.models import (
    AgreementVersion,
    NettingCycle,
    NettingState,
    Recognition,
    RecognitionAgreement,
)
from settlement.services.recognition.netting import compute_cycle, settle_cycle
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.recognising import recognise
from tests.factories.ledger import make_member
from tests.factories.marketplace import member, operator
from tests.factories.recognition import Region, issue, state, terms
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> SimpleNamespace:
    """A data centre that recognised credits and owes another, an agreement, a computed cycle."""
    region = Region()
    version = region.agree("AGR-P", "PHCER", terms(absolute_cap_t=Decimal(200)))
    proposal = region.agree("AGR-C", "CCER", approve=False)
    issue(region.centre, "PHCER", vintage=2023, first=1, last=100)
    statement = state(region.centre, "50")
    made = recognise(
        actor=region.person, statement_public_id=statement.public_id, idempotency_key="k"
    )
    open_statement = state(region.centre, "20", month=date(2026, 2, 1))
    other = make_member(funds="1000")
    cycle = open_cycle(
        actor=region.first,
        draft=CycleDraft(
            "N-2026-03", "PHCER", "sink_removal", 2023, date(2026, 3, 31), Decimal("78.60")
        ),
    )
    draft = ObligationDraft(region.centre.code, other.code, Decimal("2.5"), "C-1")
    add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=draft)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    cycle.refresh_from_db()
    return SimpleNamespace(
        region=region,
        version=version,
        proposal=proposal,
        made=made,
        statement=statement,
        open_statement=open_statement,
        other=other,
        cycle=cycle,
    )


def _addresses(scene):
    agreement = scene.version.agreement.public_id
    return {
        "recognition": [],
        "recognition-agreements": [],
        "recognition-agreement": [agreement],
        "recognition-record": [scene.made.public_id],
        "recognition-cover": [scene.open_statement.public_id],
        "recognition-agreement-new": [],
        "recognition-agreement-change": [agreement],
        "recognition-agreement-suspend": [agreement],
        "recognition-agreement-resume": [agreement],
        "recognition-version-approve": [scene.proposal.public_id],
        "recognition-version-reject": [scene.proposal.public_id],
        "netting-cycles": [],
        "netting-cycle": [scene.cycle.public_id],
        "netting-cycle-new": [],
        "netting-obligation-new": [scene.cycle.public_id],
        "netting-cycle-freeze": [scene.cycle.public_id],
        "netting-cycle-compute": [scene.cycle.public_id],
        "netting-cycle-settle": [scene.cycle.public_id],
        "netting-cycle-take-out": [scene.cycle.public_id],
    }


READ = {"anonymous": 302, "own": 200, "stranger": 200, "finance": 200, "auditor": 200}
MINE = {"anonymous": 302, "own": 200, "stranger": 404, "finance": 200, "auditor": 200}
COVER = {"anonymous": 302, "own": 200, "stranger": 404, "finance": 403, "auditor": 403}
KEEP = {"anonymous": 302, "own": 403, "stranger": 403, "finance": 200, "auditor": 403}
TABLE = {
    "recognition": READ,
    "recognition-agreements": READ,
    "recognition-agreement": READ,
    "netting-cycles": READ,
    "recognition-record": MINE,
    "netting-cycle": MINE,
    "recognition-cover": COVER,
}


def test_every_role_gets_what_the_table_says(scene):
    people = {
        "anonymous": None,
        "own": scene.region.person,
        "stranger": member(make_member(), Role.FINANCE),
        "finance": scene.region.second,
        "auditor": operator(Role.AUDITOR),
    }
    browsers = {name: browser(actor) for name, actor in people.items()}
    found = {
        (name, who): browsers[who].get(reverse(name, args=args)).status_code
        for name, args in _addresses(scene).items()
        for who in people
    }
    expected = {
        (name, who): TABLE.get(name, KEEP)[who] for name in _addresses(scene) for who in people
    }

    # Acts of the desk may first ask for the password again.
    wrong = {
        key: (found[key], expected[key])
        for key in expected
        if found[key] != expected[key] and not (expected[key] == 200 and found[key] == 302)
    }
    assert wrong == {}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_show_the_figures_in_both_languages(scene, language):
    desk = browser(scene.region.second, language=language)
    own = browser(scene.region.person, language=language)
    for name in ("recognition", "recognition-agreements", "netting-cycles"):
        assert own.get(reverse(name)).status_code == 200
        assert desk.get(reverse(name)).status_code == 200

    record = text_of(own.get(reverse("recognition-record", args=[scene.made.public_id])))
    agreement = text_of(own.get(_addresses_url(scene, "recognition-agreement")))
    cycle = text_of(desk.get(_addresses_url(scene, "netting-cycle")))

    assert "50.000000" in record
    assert "2022–2025" in agreement
    assert "2.500000" in cycle
    assert scene.cycle.computations.get().input_sha256 in cycle


def _addresses_url(scene, name):
    return reverse(name, args=_addresses(scene)[name])


def test_a_member_covers_a_statement_after_reading_what_dies(scene):
    own = browser(scene.region.person)
    url = reverse("recognition-cover", args=[scene.open_statement.public_id])

    question = text_of(own.get(url))
    answer = own.post(url, {"confirmed": "yes"})

    assert "20.000000 t" in question
    assert answer.status_code == 302
    assert Recognition.objects.filter(statement=scene.open_statement).get().applied_t == 20


def test_a_statement_that_nothing_can_cover_says_why(scene):
    own = browser(scene.region.person)
    scheme = state(scene.region.centre, "5", month=date(2026, 1, 1))
    AgreementVersion.objects.filter(pk=-1)
    own.post(reverse("recognition-cover", args=[scene.open_statement.public_id]))
    text = text_of(own.get(reverse("recognition-cover", args=[scheme.public_id])))

    assert "5.000000 t" in text


def test_a_member_sees_its_own_obligations_only(scene):
    third = make_member()
    cycle = open_cycle(
        actor=scene.region.first,
        draft=CycleDraft("N-2", "PHCER", "sink_removal", 2023, date(2026, 3, 31), Decimal(80)),
    )
    for payer, payee, tonnes in (
        (scene.region.centre.code, scene.other.code, "1.111"),
        (scene.other.code, third.code, "2.222"),
    ):
        draft = ObligationDraft(payer, payee, Decimal(tonnes), f"{payer}{payee}")
        add_obligation(actor=scene.region.first, cycle_public_id=cycle.public_id, draft=draft)

    text = text_of(
        browser(scene.region.person).get(reverse("netting-cycle", args=[cycle.public_id]))
    )

    assert "1.111000" in text
    assert "2.222000" not in text


def test_an_agreement_is_proposed_on_the_page_and_decided_by_another(scene):
    form = {
        "code": "AGR-N",
        "name_zh": "新协议",
        "name_en": "New",
        "from_registry": scene.version.agreement.from_registry_id,
        "to_scheme": scene.version.agreement.to_scheme_id,
        "instrument_types": ["sink_removal"],
        "vintage_min": "2022",
        "vintage_max": "2025",
        "factor_k": "1",
        "discount_d": "0.1",
        "relative_cap": "0.05",
        "cap_period": "year",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "priority": "3",
        "reason": "pilot",
    }
    desk = browser(scene.region.first)

    bad = desk.post(reverse("recognition-agreement-new"), {**form, "valid_to": "2025-12-31"})
    good = desk.post(reverse("recognition-agreement-new"), form)

    assert bad.status_code == 422
    assert good.status_code == 302, text_of(good)
    version = RecognitionAgreement.objects.get(code="AGR-N").versions.get()
    assert (version.state, version.discount_d) == ("proposed", Decimal("0.1"))


def test_reports_tie_to_the_ledger(scene):
    settle_cycle(actor=scene.region.second, cycle_public_id=scene.cycle.public_id)
    assert NettingCycle.objects.get().state == NettingState.SETTLED
    desk = browser(operator(Role.AUDITOR))
    codes = {kind.code for kind in REPORTS}

    assert {"recognition", "netting"} <= codes
    for code in ("recognition", "netting"):
        url = reverse("report", args=[code]) + "?since=2026-01-01&until=2026-12-31"
        assert desk.get(url).status_code == 200
        for file_format in ("csv", "xlsx", "json"):
            url = reverse("report-file", args=[code, file_format])
            answer = desk.get(url + "?since=2026-01-01&until=2026-12-31")
            assert answer.status_code == 200, (code, file_format)
            assert b"".join(answer) if answer.streaming else answer.content
