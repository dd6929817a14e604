"""Pages of registries: who opens which, what they say, moving units by hand."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, reverse

from marketplace.models import Role
from settlement.models import RegistryImport, Retirement, SerialRange
from settlement.services.registry.importing import preview_registry_file
from settlement.services.registry.invalidation import invalidate_units
from settlement.web.registry import urls
from tests.factories.marketplace import member, operator
from tests.factories.registry import (
    block,
    holder,
    issue,
    keeper,
    make_project,
    picture,
    registries,
)
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db
WHO = ("visitor", "stranger", "holder", "reader", "operator", "finance", "auditor")
PUBLIC = "200 200 200 200 200 200 200"
OWN = "302 200 200 200 403 403 403"
MOVES = "302 404 200 403 403 403 403"
RECORDS = "302 404 200 200 200 200 200"
KEEPERS = "302 403 403 403 200 200 403"
DESK = "302 403 403 403 200 200 200"
TABLE = {
    "registries": PUBLIC,
    "registry-serial": PUBLIC,
    "unit-batch": PUBLIC,
    "registry-projects": PUBLIC,
    "registry-project": PUBLIC,
    "registry-project-register": KEEPERS,
    "registry-project-issue": KEEPERS,
    "registry-desk": DESK,
    "registry-file-new": KEEPERS,
    "registry-file": DESK,
    "registry-file-confirm": KEEPERS,
    "registry-file-discard": KEEPERS,
    "units-invalidate": KEEPERS,
    "units-lock": KEEPERS,
    "units-unlock": KEEPERS,
    "holdings": OWN,
    "units-transfer": MOVES,
    "units-retire": MOVES,
    "retirements": "302 200 200 200 200 200 200",
    "retirement": RECORDS,
    "retirement-certificate": RECORDS,
}


HEAD = (
    "issuance_id,project,programme,first_serial,last_serial,units,period_start,period_end,"
    "issued_on,holder,metered_mwh"
)
SERIAL = "WF1234567890ABCDE202604{:07}AB"


class Stage:
    """A holder with certificates and credits, a retirement, a file that waits."""

    def __init__(self) -> None:
        home = registries()
        self.actor, self.other = holder(), holder()
        self.project = make_project(native_id="GP-7")
        self.gec = issue(self.actor.organisation, 1000, project=self.project)
        self.ccer = issue(self.actor.organisation, 100, registry="CCER")
        owner = self.actor.organisation.code
        first, last = SERIAL.format(1), SERIAL.format(9)
        self.line = f"F-1,GP-7,WIND,{first},{last},9,2026-04,2026-04-30,2026-05-20,{owner},9"
        self.file = preview_registry_file(
            actor=keeper(),
            registry=home["GEC"],
            file_name="gec.csv",
            data=f"{HEAD}\n{self.line}".encode(),
        )
        self.own = browser(self.actor)
        self.people = {
            "visitor": browser(),
            "stranger": browser(self.other),
            "holder": self.own,
            "reader": browser(member(self.actor.organisation, Role.AUDITOR)),
            "operator": browser(operator()),
            "finance": browser(operator(Role.FINANCE)),
            "auditor": browser(operator(Role.AUDITOR)),
        }

    def retire(self, units: int = 10, **changes: str):
        """Fill the form in and confirm it."""
        body = {
            "first_serial": "1",
            "last_serial": str(units),
            "beneficiary": self.actor.organisation.code,
            "purpose": "voluntary",
            "claim_month": "2026-03",
            "note": "",
            "confirmed": "yes",
            **changes,
        }
        return self.own.post(reverse("units-retire", args=[self.gec.public_id]), body)

    def address(self, name: str) -> str:
        """Return the address of a page about this stage's things."""
        things = {
            "unit-batch": self.gec,
            "units-transfer": self.gec,
            "units-retire": self.gec,
            "registry-project": self.project,
            "registry-file-new": None,
            "registry-file": self.file,
            "retirement": Retirement.objects.first(),
        }
        exact = things.get(name, things.get("-".join(name.split("-")[:2])))
        if name == "retirement-certificate":
            exact = things["retirement"]
        takes_one = any("public_id" in str(p.pattern) for p in urls.urlpatterns if p.name == name)
        return reverse(name, args=[exact.public_id] if takes_one and exact else [])


@pytest.fixture
def stage(db: None) -> Stage:
    """A stage."""
    return Stage()


def test_every_person_gets_what_the_table_says(stage) -> None:
    stage.retire()
    wrong = []

    for name, expected in TABLE.items():
        for who, status in zip(WHO, expected.split(), strict=True):
            answer = stage.people[who].get(stage.address(name))
            if answer.status_code != int(status):
                wrong.append((name, who, status, answer.status_code))

    assert wrong == []


def test_the_table_names_every_page() -> None:
    assert {p.name for p in urls.urlpatterns if isinstance(p, URLPattern)} == set(TABLE)


def test_everybody_finds_registries_batches_and_a_serial(stage) -> None:
    stage.retire(40)
    visitor = browser()
    registries_page = text_of(visitor.get(reverse("registries")))
    assert "National green certificate system" in registries_page
    assert "past its stated last day" in registries_page
    batch = text_of(visitor.get(stage.address("unit-batch")))
    assert "Retired" in batch
    assert stage.actor.organisation.name_en not in batch
    serial = stage.gec.serial_text(7)
    life = text_of(visitor.get(reverse("registry-serial"), {"serial": serial}))
    assert "Retirement" in life
    assert stage.actor.organisation.name_en not in life
    assert stage.actor.organisation.name_en in text_of(
        stage.own.get(reverse("registry-serial"), {"serial": serial})
    )
    assert visitor.get(reverse("registry-serial"), {"serial": "X-1"}).status_code == 404


def test_a_retirement_is_asked_twice_and_its_certificate_is_a_pdf(stage) -> None:
    asked = stage.retire(10, confirmed="")
    assert asked.status_code == 200
    assert "Nothing brings retired units back" in text_of(asked)
    assert not Retirement.objects.exists()

    assert stage.retire(10).status_code == 302

    made = Retirement.objects.get()
    assert made.number in text_of(stage.own.get(reverse("retirements")))
    page = text_of(stage.own.get(reverse("retirement", args=[made.public_id])))
    assert stage.gec.serial_text(10) in page
    pdf = stage.own.get(reverse("retirement-certificate", args=[made.public_id]))
    assert pdf.content.startswith(b"%PDF")


def test_a_refusal_stands_on_the_form_and_changes_nothing(stage) -> None:
    answer = stage.retire(10, claim_month="2025-12")

    assert answer.status_code == 422
    assert "production year" in text_of(answer)
    assert not Retirement.objects.exists()
    backwards = stage.retire(10, first_serial="11")
    assert "lies below the first" in text_of(backwards)


def test_units_are_handed_on_after_a_question(stage) -> None:
    address = reverse("units-transfer", args=[stage.ccer.public_id])
    body = {
        "first_serial": "1",
        "last_serial": "5",
        "to_organisation": stage.other.organisation.pk,
        "reason": "销售",
    }
    assert "Transfer these units?" in text_of(stage.own.post(address, body))
    stage.own.post(address, {**body, "confirmed": "yes"})

    assert picture(stage.ccer)[0] == (1, 5, "held", stage.other.organisation.code)
    assert "Recent movements" in text_of(stage.own.get(reverse("holdings")))


def test_the_desk_reads_confirms_and_refuses_files(stage) -> None:
    finance = stage.people["finance"]
    refused = finance.post(
        reverse("registry-file-new"),
        {
            "registry": stage.gec.registry_id,
            "file_format": "table",
            "file": SimpleUploadedFile("bad.csv", f"{HEAD}\n{stage.line}X\n{stage.line}".encode()),
        },
    )
    assert refused.status_code == 422
    assert "refused whole" in text_of(refused)
    address = reverse("registry-file-confirm", args=[stage.file.public_id])
    assert finance.post(address, {"confirmed": "yes"}).status_code == 302
    assert RegistryImport.objects.get().state == "confirmed"
    assert SerialRange.objects.filter(batch__issuance_id="F-1").exists()
    assert "F-1" in text_of(finance.get(reverse("registry-file", args=[stage.file.public_id])))


def test_the_desk_registers_freezes_and_invalidates(stage) -> None:
    finance = stage.people["finance"]
    stage.retire(10)
    body = {"first_day": "2026-01-01", "last_day": "2026-12-31"}
    address = reverse("registry-project-register", args=[stage.project.public_id])
    assert finance.post(address, body).status_code == 302
    assert [row[2] for row in picture(stage.gec)] == ["retired", "frozen"]
    taken = finance.post(
        reverse("units-invalidate"),
        {
            "batch": stage.ccer.issuance_id,
            "first_serial": "1",
            "last_serial": "3",
            "reason": "森林火灾",
        },
    )
    assert taken.status_code == 302
    assert picture(stage.ccer)[0][:3] == (1, 3, "invalidated")
    invalidate_units(actor=keeper(), ranges=[block(stage.gec, 1, 4)], reason="fraud")
    assert "have to be replaced" in text_of(stage.own.get(reverse("holdings")))
    assert "Units to be replaced" in text_of(finance.get(reverse("registry-desk")))


@pytest.mark.parametrize("name", ["registries", "holdings", "retirements", "registry-desk"])
def test_lists_ask_the_database_a_bounded_number_of_times(
    stage, name, django_assert_max_num_queries
) -> None:
    who = stage.people["finance"] if name == "registry-desk" else stage.own
    who.get(reverse(name))

    with django_assert_max_num_queries(30):
        who.get(reverse(name))
