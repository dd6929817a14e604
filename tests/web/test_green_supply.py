"""Hourly green supply on pages: from the source to the score, the report, the public figures."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from marketplace.domain.periods import MARKET_TIME_ZONE, market_date
from marketplace.models import Hub
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import group_digits
from settlement.models import EmissionStatement, GranularSlice, GreenSource
from settlement.selectors.carbon.scores import GreenFigures
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.references import load_green_references
from settlement.services.carbon.statements import issue_statement
from settlement.services.carbon.supply import COLUMNS
from tests.web.desks import Desk, browser, stranger, text_of

pytestmark = pytest.mark.django_db
PLACES = ("pool", "file")


@pytest.fixture
def desk():
    found = Desk().settled()
    load_factor_sets()
    load_green_references()
    return found


def _pool(desk):
    return desk.delivery.allocation.listing.pool


def _register(desk, client, **given):
    entry = {
        "pool": _pool(desk).identifier,
        "kind": "own_solar",
        "name": "光伏一期",
        "capacity_kw": "1000",
        "valid_from": (market_date(desk.delivery.starts_at) - timedelta(days=9)).isoformat(),
        "evidence": "并网验收意见书 1",
    }
    return client.post(reverse("green-source-new"), {**entry, **given})


def _state(desk):
    month = market_now().date().replace(day=1)
    return issue_statement(subject=SubjectKey.of_pool(_pool(desk)), month=month, actor=None)


def _upload(client, *lines):
    text = "\n".join([",".join(COLUMNS), *lines])
    file = SimpleUploadedFile("hours.csv", text.encode())
    return client.post(reverse("green-supply-upload"), {"file": file}, follow=True)


def test_a_supplier_goes_from_a_source_to_a_score(desk):
    client = browser(desk.supplier)
    empty = text_of(client.get(reverse("green-supply")))
    _register(desk, client)
    source = GreenSource.objects.get()
    at = desk.delivery.starts_at.isoformat()
    taken = text_of(_upload(client, f"{source.code},{at},metered,3000,"))
    again = text_of(_upload(client, f"{source.code},{at},metered,3000,"))
    statement = _state(desk)
    listed = text_of(client.get(reverse("green-supply")))
    page = client.get(reverse("green-supply-pool", args=[_pool(desk).identifier]))
    rows = list(
        csv.DictReader(
            client.get(reverse("green-supply-file", args=[_pool(desk).identifier]))
            .content.decode("utf-8-sig")
            .splitlines()
        )
    )

    assert "No source is registered" in empty
    assert "1 hours are new or changed" in taken
    assert "Nothing changed" in again
    assert statement.own_wh == 3000
    assert "24/7 score" in listed
    assert "并网验收意见书 1" in listed
    assert [chart.kind for chart in (page.context["heat"], page.context["curve"])] == [
        "heatmap",
        "price_lines",
    ]
    assert "have no metered figure" in text_of(page)
    assert "it counts as 0 in the 24/7 score" in text_of(page)
    assert sum(int(row["load_wh"]) for row in rows) == statement.facility_wh
    assert sum(int(row["covered_wh"]) for row in rows) == statement.hourly_wh


def test_a_bad_line_refuses_the_file_and_says_why(desk):
    client = browser(desk.supplier)
    _register(desk, client)
    code, at = GreenSource.objects.get().code, desk.delivery.starts_at.isoformat()
    answer = _upload(client, f"{code},{at},metered,1,", f"{code},{at},metered,1000001,")

    assert answer.status_code == 422
    assert "Line 3 of the hourly supply cannot be taken." in text_of(answer)
    assert "more than the capacity" in text_of(answer)
    assert not GranularSlice.objects.exists()


def test_one_hour_is_entered_by_a_form(desk):
    client = browser(desk.supplier)
    _register(desk, client)
    local = timezone.localtime(desk.delivery.starts_at, MARKET_TIME_ZONE)
    entry = {
        "source": GreenSource.objects.get().code,
        "hour": local.strftime("%Y-%m-%dT%H:%M"),
        "reading": "metered",
        "energy_wh": "-5",
    }
    refused = client.post(reverse("green-supply-hour"), entry)
    client.post(reverse("green-supply-hour"), {**entry, "energy_wh": "5"})

    assert refused.status_code == 422
    assert "Energy is never below zero." in text_of(refused)
    assert GranularSlice.objects.get().energy_wh == 5
    assert GranularSlice.objects.get().starts_at == desk.delivery.starts_at


def test_a_source_without_evidence_is_refused_at_its_field(desk):
    answer = _register(desk, browser(desk.supplier), evidence="")

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["evidence"]
    assert not GreenSource.objects.exists()


@pytest.mark.parametrize("who", ["operator", "supplier", "finance"])
def test_the_share_report_says_that_it_is_monitored(desk, who):
    _state(desk)
    actor = desk.supplier if who == "supplier" else desk.people[who]
    page = browser(actor).get(reverse("report", args=["green-share"]))
    rows = page.context["report"].rows

    assert page.status_code == 200
    assert "Monitored, not assessed" in text_of(page)
    assert [row[0] for row in rows] == ["hub", "hub", "data_centre", "data_centre"]
    assert {row[3] for row in rows} == {"", _pool(desk).name}
    assert {row[5] for row in rows} == {"", desk.selling.code}
    facility = EmissionStatement.objects.get().facility_wh
    assert {int(row[8].scaleb(6)) for row in rows} == {facility}
    assert all(row[14] == row[14].quantize(row[14]) and str(row[14]) == "0.8000" for row in rows)


def _shown(client):
    """Return what the pages list: sources, data centres, sources of a file, rows of the report."""
    listed = client.get(reverse("green-supply")).context
    upload = client.get(reverse("green-supply-upload"))
    report = client.get(reverse("report", args=["green-share"]))
    return [
        list(listed["page_obj"]),
        [row.pool for row in listed["figures"]],
        list(upload.context["sources"]),
        [row[5] for row in report.context["report"].rows],
    ]


def test_a_supplier_sees_nothing_of_another(desk):
    _register(desk, browser(desk.supplier))
    _state(desk)
    source, pool = GreenSource.objects.get(), _pool(desk)
    other = browser(stranger())
    addresses = [reverse(f"green-supply-{name}", args=[pool.identifier]) for name in PLACES]
    own, shown = _shown(browser(desk.supplier)), _shown(other)
    upload = text_of(other.get(reverse("green-supply-upload")))

    assert own[0] == own[2] == [source]
    assert pool in own[1]
    assert desk.selling.code in own[3]
    assert shown == [[], [], [], []]
    assert source.code not in upload
    assert [browser(desk.supplier).get(url).status_code for url in addresses] == [200, 200]
    assert [other.get(url).status_code for url in addresses] == [404, 404]


def test_everybody_sees_the_shares_of_the_hubs(desk):
    _state(desk)
    page = text_of(browser().get(reverse("market-carbon")))
    answer = browser().get(reverse("market-carbon-supply")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(answer.splitlines()))
    hub = Hub.objects.get(pk=_pool(desk).hub_id)

    assert "Green supply at the hubs" in page
    assert [(row["hub"], row["span"]) for row in rows] == [
        (hub.code, "month"),
        (hub.code, "year_to_date"),
    ]
    assert rows[0]["hourly_score"] == "0.0000"
    assert [row["grid_share"] for row in rows] == ["0", ""]
    assert {row["grid_source"] for row in rows} == {""}


def test_the_energy_of_a_hub_with_few_suppliers_is_nobody_elses_business(desk, monkeypatch):
    _state(desk)
    energy = ("facility_wh", "own_wh", "gap_wh", "gap_certificates")
    stated = EmissionStatement.objects.get(subject="pool").facility_wh

    def read():
        client = browser()
        answer = client.get(reverse("market-carbon-supply")).content.decode("utf-8-sig")
        page = client.get(reverse("market-carbon")).content.decode()
        return list(csv.DictReader(answer.splitlines())), page

    rows, page = read()
    assert [row[name] for row in rows for name in energy] == [""] * 8
    assert [row["green_share"] for row in rows] == ["0.0000", "0.0000"]
    assert group_digits(Decimal(stated) / 1000, 1) not in page

    monkeypatch.setattr("settlement.selectors.carbon.scores.FEWEST_SUPPLIERS", 1)
    rows, page = read()
    assert rows[0]["facility_wh"] == str(stated)
    assert rows[1]["gap_wh"] != ""
    assert group_digits(Decimal(stated) / 1000, 1) in page


def test_a_year_counts_with_the_month_of_fewest_suppliers():
    months = [GreenFigures(suppliers=4), GreenFigures(suppliers=2), GreenFigures(suppliers=3)]

    assert GreenFigures.together(months).suppliers == 2
    assert not GreenFigures.together(months).may_show_energy
    assert GreenFigures.together([months[0], months[2]]).may_show_energy


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_speak_both_languages(desk, language):
    _register(desk, browser(desk.supplier))
    _state(desk)
    client = browser(desk.supplier, language=language)
    names = ("green-supply", "green-source-new", "green-supply-hour", "green-supply-upload")
    pages = [client.get(reverse(name)) for name in names]
    pages.append(client.get(reverse("green-supply-pool", args=[_pool(desk).identifier])))

    for page in pages:
        assert page.status_code == 200
        assert ("绿电" in text_of(page)) == (language == "zh-hans")
