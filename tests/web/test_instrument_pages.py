"""Pages of granular certificates, international credits and the effectiveness of a statement."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import HardwareModel, ResourcePool, Role
from marketplace.selectors.clock import market_now
from settlement.models import RegistryImport, Retirement
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from settlement.services.registry.importing import batches_of
from tests.factories.instruments import VCS_HEAD, bundle, vcs_line, vcs_serial
from tests.factories.marketplace import operator
from tests.factories.registry import holder, issue, make_project, picture, registries
from tests.web.desks import Desk, browser, text_of

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])


@pytest.fixture
def owner():
    registries()
    return holder()


def _upload(desk, registry, text: str, file_format: str = "vcs"):
    body = {
        "registry": registry.pk,
        "file_format": file_format,
        "file": SimpleUploadedFile("vcs.csv", text.encode()),
    }
    return desk.post(reverse("registry-file-new"), body, follow=True)


def test_a_file_of_vcs_is_read_warned_of_and_taken_over(owner) -> None:
    home = registries()
    desk = browser(operator(Role.FINANCE))
    known = make_project("CCER", native_id="CCER-7", technology="onshore_wind")
    issue(owner.organisation, 10, registry="CCER", project=known)
    serial = vcs_serial(days="01012026-30062026")
    text = f"{VCS_HEAD}\n{vcs_line(owner.organisation, serial=serial)}"

    assert "CAD Trust" in text_of(desk.get(reverse("registry-file-new")))
    refused = _upload(desk, home["VCS"], f"{text}\n{text.splitlines()[1]}")
    assert refused.status_code == 422
    shown = text_of(_upload(desk, home["VCS"], text))
    file = RegistryImport.objects.get()
    for words in (serial, "VCS units by their serials", "CCER-7", file.file_sha256):
        assert words in shown
    confirm = reverse("registry-file-confirm", args=[file.public_id])
    assert desk.post(confirm, {"confirmed": "yes"}).status_code == 302

    (batch,) = batches_of(file)
    page = text_of(browser().get(reverse("unit-batch", args=[batch.public_id])))
    assert "Committed, not made" in page
    assert serial in page
    assert owner.organisation.name_en not in page


def test_a_format_that_the_registry_does_not_write_is_refused_on_the_page(owner) -> None:
    desk = browser(operator(Role.FINANCE))

    answer = _upload(desk, registries()["GEC"], VCS_HEAD)

    assert answer.status_code == 422
    assert "has no files of this format" in text_of(answer)


@LANGUAGES
def test_a_bundle_shows_its_production_to_everybody(owner, language) -> None:
    batch = bundle(issue(owner.organisation, 1), owner.organisation)

    page = text_of(browser(language=language).get(reverse("unit-batch", args=[batch.public_id])))

    assert "INV-01" in page
    assert "2026-03-15 02:00Z" in page
    assert ("有效" if language == "zh-hans" else "Active") in page
    assert batch.bundle.parent_slice.batch.issuance_id in page


def test_a_member_cancels_watt_hours_for_their_hour_by_hand(owner) -> None:
    batch = bundle(issue(owner.organisation, 1), owner.organisation)
    own = browser(owner)
    address = reverse("units-retire", args=[batch.public_id])
    body = {
        "first_serial": "1",
        "last_serial": "200000",
        "beneficiary": owner.organisation.code,
        "purpose": "green_power",
        "claim_hour": "2026-03-15T02:00:00+00:00",
        "note": "",
    }

    form = text_of(own.get(address))
    assert "2026-03-15 10:00" in form
    assert "Retire these units for good?" in text_of(own.post(address, body))
    assert own.post(address, {**body, "confirmed": "yes"}).status_code == 302

    assert picture(batch)[0][:3] == (1, 200_000, "retired")
    made = Retirement.objects.get(purpose="green_power")
    assert (made.units, f"{made.claim_hour:%Y-%m-%d %H}") == (200_000, "2026-03-15 02")
    other = {**body, "claim_hour": "2026-03-15T03:00:00+00:00", "confirmed": "yes"}
    assert own.post(address, other).status_code == 422


@LANGUAGES
def test_a_statement_shows_its_effectiveness_in_both_languages(language) -> None:
    desk = Desk().settled()
    load_factor_sets()
    month = market_now().date().replace(day=1)

    def page() -> str:
        subject = SubjectKey.of_buyer(desk.buying)
        statement = issue_statement(subject=subject, month=month, actor=None)
        address = reverse("carbon-statement", args=[statement.public_id])
        return text_of(browser(desk.buyer, language=language).get(address))

    ResourcePool.objects.update(hardware=None)
    unknown = page()
    card = HardwareModel.objects.get_or_create(name="H100 SXM5 80GB")[0]
    ResourcePool.objects.update(hardware=card)
    known = page()

    for words in ("PUE", "CUE", "REF", "ISO/IEC 21031:2024"):
        assert words in unknown
    word = "未知" if language == "zh-hans" else "not known"
    assert word in unknown
    assert word not in known
    assert "HGX H100" in known
