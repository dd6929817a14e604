"""Carbon statements on pages and through the API: who, what, and how far down."""

import csv
import hashlib
import json
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, reverse

from marketplace.selectors.clock import market_now
from settlement.models import EmissionStatement, FactorSet, PueInterval
from settlement.services.carbon.factors import COLUMNS, load_factor_sets
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from settlement.web.carbon import urls as carbon_urls
from tests.api.callers import browser_of, program_of
from tests.factories.marketplace import operator
from tests.factories.settlement import move_clock
from tests.web.desks import Desk, browser, stranger, text_of

pytestmark = pytest.mark.django_db

WHO = ("visitor", "stranger", "buyer", "supplier", "operator", "finance", "auditor")
STATEMENT = "302 404 200 404 200 200 200"
SUPPLY = "302 404 403 200 200 200 200"
TABLE = {
    "carbon-statements": "302 200 200 200 200 200 200",
    "carbon-state-month": "302 405 405 405 405 405 405",
    "carbon-statement": STATEMENT,
    "carbon-hours": STATEMENT,
    "carbon-evidence": STATEMENT,
    "carbon-correct": "302 405 405 405 405 405 405",
    "carbon-close": "302 405 405 405 405 405 405",
    "factor-sets": "302 403 403 403 200 200 200",
    "factor-set": "302 403 403 403 200 200 200",
    "factor-set-new": "302 403 403 403 200 403 403",
    "factor-set-decide": "302 403 403 403 405 403 403",
    "pue-upload": "302 200 403 200 200 403 403",
    "green-supply": "302 200 403 200 200 200 200",
    "green-supply-pool": SUPPLY,
    "green-supply-file": SUPPLY,
    **dict.fromkeys(
        ("green-source-new", "green-supply-hour", "green-supply-upload"),
        "302 200 403 200 403 403 403",
    ),
}


@pytest.fixture
def desk():
    found = Desk().settled()
    load_factor_sets()
    return found


def _state(desk, **options):
    month = market_now().date().replace(day=1)
    subject = SubjectKey.of_buyer(desk.buying)
    return issue_statement(subject=subject, month=month, actor=None, **options)


def test_pages_let_in_whom_they_should(desk):
    statement = _state(desk)
    people = {
        "visitor": None,
        "stranger": stranger(),
        "buyer": desk.buyer,
        "supplier": desk.supplier,
        **desk.people,
    }
    factor_set = FactorSet.objects.get(year=2023).public_id
    arguments = {
        **{name: [statement.public_id] for name in ("carbon-statement", "carbon-correct")},
        "carbon-close": [statement.public_id],
        **{
            name: [desk.delivery.allocation.listing.pool.identifier]
            for name in ("green-supply-pool", "green-supply-file")
        },
        "carbon-hours": [statement.public_id, desk.delivery.public_id],
        "carbon-evidence": [statement.public_id, "csv"],
        **{name: [factor_set] for name in ("factor-set", "factor-set-decide")},
    }
    names = {pattern.name for pattern in carbon_urls.urlpatterns}
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            expected = row.split()[WHO.index(who)]
            got = str(client.get(reverse(name, args=arguments.get(name, []))).status_code)
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)
    assert names == set(TABLE)
    assert all(isinstance(pattern, URLPattern) for pattern in carbon_urls.urlpatterns)


def test_a_buyer_states_the_running_month_and_reads_down_to_the_hours(desk):
    client = browser(desk.buyer)
    empty = text_of(client.get(reverse("carbon-statements")))
    month = market_now().date().replace(day=1)
    made = client.post(reverse("carbon-state-month"), {"month": f"{month:%Y-%m}"}, follow=True)
    statement = EmissionStatement.objects.get()
    page = text_of(made)
    hours = client.get(reverse("carbon-hours", args=[statement.public_id, desk.delivery.public_id]))

    assert "No carbon statement yet" in empty
    assert statement.sha256 in page
    assert "MEE and NBS, Announcement 2025 No. 47" in page
    assert desk.delivery.allocation.number in page
    assert "Meter readings" in text_of(hours)
    assert "Nothing changed" in text_of(
        client.post(reverse("carbon-correct", args=[statement.public_id]), follow=True)
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_speak_both_languages(desk, language):
    statement = _state(desk)
    client = browser(desk.buyer, language=language)
    for name, args in (
        ("carbon-statements", []),
        ("carbon-statement", [statement.public_id]),
        ("market-carbon", []),
    ):
        page = text_of(client.get(reverse(name, args=args)))
        assert ("碳" in page) == (language == "zh-hans"), name


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json", "pdf", "inputs"])
def test_evidence_names_the_pinned_versions_and_the_hash(desk, file_format):
    statement = _state(desk)
    url = reverse("carbon-evidence", args=[statement.public_id, file_format])
    answer = browser(desk.buyer).get(url)
    content = answer.content

    assert answer.status_code == 200
    assert answer["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()
    if file_format == "inputs":
        assert hashlib.sha256(content).hexdigest() == statement.sha256
    elif file_format == "json":
        facts = json.loads(content)["facts"]
        assert facts["inputs_sha256"] == statement.sha256
        assert facts["factor_year"] == "2023"
    elif file_format == "csv":
        table = [line for line in content.decode("utf-8-sig").splitlines() if line[0] != "#"]
        rows = list(csv.DictReader(table))
        assert f"#fact,inputs_sha256,{statement.sha256}" in content.decode()
        assert sum(int(row["facility_wh"]) for row in rows) == statement.facility_wh
    else:
        assert content[:4] in (b"PK\x03\x04", b"%PDF")


def test_evidence_of_an_unknown_format_is_not_found(desk):
    url = reverse("carbon-evidence", args=[_state(desk).public_id, "doc"])

    assert browser(desk.buyer).get(url).status_code == 404


def test_the_markets_footprint_is_public(desk):
    statement = _state(desk)
    page = text_of(browser().get(reverse("market-carbon")))
    lines = text_of(browser().get(reverse("market-carbon-footprint"))).splitlines()

    assert "The market's footprint" in page
    assert lines[1].endswith(f"{statement.location_based_t},{statement.market_based_t}")


def test_a_factor_set_takes_two_operators(desk):
    rows = (
        "national,National,全国,average,0.5000",
        "national,National,全国,average_excl_market_traded_non_fossil,0.6000",
        "province,Ningxia,宁夏,average,0.6100",
    )
    upload = SimpleUploadedFile("f.csv", "\n".join((",".join(COLUMNS), *rows)).encode())
    first, second = operator(), operator()
    asked = {
        "year": "2024",
        "announcement": "Example announcement",
        "published_on": "2026-11-20",
        "reason": "Newer factors",
        "file": upload,
    }
    page = browser(first).post(reverse("factor-set-new"), asked, follow=True)
    made = FactorSet.objects.get(year=2024)
    url = reverse("factor-set-decide", args=[made.public_id])

    assert "Another operator has to decide." in text_of(page)
    browser(first).post(url, {"decision": "approve"})
    made.refresh_from_db()
    assert made.state == "proposed"
    browser(second).post(url, {"decision": "approve"})
    made.refresh_from_db()
    assert (made.state, made.decided_by) == ("approved", second.user)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wrong,header\n", "The header must name the columns exactly."),
        (",".join(COLUMNS) + "\nnational,National,全国,average,1e-3\n", "Line 2"),
        (",".join(COLUMNS) + "\nplanet,Earth,地球,average,0.1\n", "The level is unknown."),
    ],
)
def test_a_bad_factor_file_is_refused_whole(desk, text, words):
    before = FactorSet.objects.count()
    asked = {
        "year": "2024",
        "announcement": "A",
        "published_on": "2026-11-20",
        "reason": "R",
        "file": SimpleUploadedFile("f.csv", text.encode()),
    }
    page = browser(operator()).post(reverse("factor-set-new"), asked)

    assert words in text_of(page)
    assert FactorSet.objects.count() == before


def test_a_supplier_states_the_pue_of_own_pools_only(desk):
    pool = desk.delivery.allocation.listing.pool
    line = f"{pool.identifier},2026-11-23T00:00+08:00,2026-11-23T01:00+08:00,1.2345"
    url = reverse("pue-upload")

    def send(person, text):
        upload = SimpleUploadedFile("p.csv", f"place,starts_at,ends_at,pue\n{text}\n".encode())
        return text_of(browser(person).post(url, {"file": upload, "source": "DCIM"}, follow=True))

    assert "not yours to state" in send(stranger(), line)
    assert "1 intervals taken." in send(desk.supplier, line)
    assert "A PUE is between 1 and 10." in send(desk.supplier, line.replace("1.2345", "0.9"))
    assert "There is no such hub or pool." in send(
        operator(), line.replace(pool.identifier, "NOWHERE")
    )
    assert PueInterval.objects.count() == 1


def test_a_statement_through_the_api(desk):
    statement = _state(desk)
    caller = program_of(desk.buyer)
    listed = caller.get("carbon/statements/").json()["results"]
    one = caller.get(f"carbon/statements/{statement.public_id}/").json()
    file = caller.get(f"carbon/statements/{statement.public_id}/evidence/inputs/")

    assert [row["sha256"] for row in listed] == [statement.sha256]
    assert sum(line["facility_wh"] for line in one["lines"]) == statement.facility_wh
    assert hashlib.sha256(file.content).hexdigest() == statement.sha256


def test_a_closed_statement_says_so_through_the_api(desk):
    statement = _state(desk)
    caller = browser_of(desk.buyer)
    path = f"carbon/statements/{statement.public_id}/close/"
    early = caller.post(path).json()
    move_clock(datetime(2027, 1, 1, tzinfo=UTC))

    assert early["error"]["code"] == "month_not_over"
    assert caller.post(path).status_code == 200
    again = caller.post(path)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "STATEMENT_CLOSED")
