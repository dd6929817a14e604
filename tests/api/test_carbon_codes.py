"""Every code of refusal of carbon, registries and recognition is met through the interface."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

from marketplace.domain.errors import RuleBroken
from settlement import domain
from settlement.domain import carbon as carbon_rules
from settlement.services import carbon, recognition, registry
from tests.api import codes
from tests.api.refusing import LANGUAGES, REFUSALS, Refusal, books

pytestmark = pytest.mark.django_db  # what every test of the interface forgets is in the database
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (domain, registry, recognition, carbon)
_PAIN, _UBL = (f"tests/unit/settlement/test_{name}.py" for name in ("pain001", "ubl"))
# Codes that no address of the interface can meet -> the test that meets them on a page.
ELSEWHERE = {
    # Layouts of bank files are edited on a page alone, and an unusable one is never stored.
    "layout_invalid": "tests/web/test_banking_pages.py::test_a_layout_that_says_too_little",
    # Payment files and bills leave by pages alone, and are read back only to check them.
    "payment_sum_wrong": f"{_PAIN}::test_a_changed_message_is_refused",
    "payment_not_expressible": f"{_PAIN}::test_what_the_standard_has_no_room_for_is_refused",
    "file_reads_back_otherwise": f"{_PAIN}::test_a_file_that_reads_back_otherwise_stays_here",
    "bill_rules_broken": f"{_UBL}::test_each_rule_finds_its_fault",
    "bill_type_unknown": f"{_UBL}::test_what_is_no_bill_of_ours_is_refused",
    "xml_number_invalid": f"{_UBL}::test_what_is_no_bill_of_ours_is_refused",
}


def _modules(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(each.name) for each in found]


def _subclasses(parent: type[RuleBroken]) -> set[type[RuleBroken]]:
    direct = set(parent.__subclasses__())
    return direct.union(*(_subclasses(each) for each in direct))


def _declared(*packages: ModuleType) -> set[str]:
    """Return the codes that the packages' own refusals carry; a base without one has none."""
    names = {module.__name__ for package in packages for module in _modules(package)}
    rules = {rule for rule in _subclasses(RuleBroken) if rule.__module__ in names}
    return {rule.code for rule in rules if "code" in vars(rule)}


_modules(codes)  # each says what it reaches when it is read


def test_the_codes_reached_are_the_codes_declared():
    reached = {refusal.code for refusal in REFUSALS}

    assert len([code for code in _declared(carbon_rules) if code.isupper()]) == 18
    assert _declared(*PACKAGES) - reached - set(ELSEWHERE) == set()
    assert reached - _declared(*PACKAGES) == set()
    assert reached & set(ELSEWHERE) == set()


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_code_of_a_page_is_met_by_a_test_of_the_page(code):
    path, name = ELSEWHERE[code].split("::")

    text = (ROOT / path).read_text(encoding="utf-8")

    assert f"def {name}(" in text
    assert code in text.split(f"def {name}(")[1].split("\ndef ")[0]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_broken_rule_is_answered_with_its_code_and_changes_nothing(refusal: Refusal):
    asks = refusal.asks()
    before = books()

    answers = [ask.send(language) for ask, language in zip(asks, LANGUAGES, strict=True)]

    assert books() == before
    assert [answer.status_code for answer in answers] == [refusal.status] * 2, answers[0].json()
    english, chinese = (_sentence(answer.json()["error"], refusal) for answer in answers)
    assert english.isascii()
    assert any("一" <= letter <= "鿿" for letter in chinese)


def _sentence(error: dict, refusal: Refusal) -> str:
    """Return the sentence that stands with the code, in the answer or at the line of a file."""
    if refusal.line is None:
        assert error["code"] == refusal.code, error
        return error["message"]
    assert error["code"] == "import_refused", error
    (row,) = [row for row in error["rows"] if row["code"] == refusal.code]
    assert row["line"] == refusal.line
    assert {other["line"] for other in error["rows"]} == {refusal.line}
    return row["message"]
