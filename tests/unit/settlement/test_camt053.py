"""camt.053: what is read, and what is refused with its place."""

from datetime import date
from decimal import Decimal

import pytest

from marketplace.domain.tables import ImportRefused
from settlement.domain.formats.camt053 import CAMT_053
from tests.factories.bank_messages import camt_xml, entry_xml
from tests.factories.banking import Booking

DAY = date(2026, 11, 20)
IN = Booking(DAY, "500.00", "R1", "甲算力科技有限公司", "6222111", "货款 B-1")
OUT = Booking(DAY, "-120.50", "R2", "乙数据中心", "6222222", "付款 FK-1")
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&c;</Document>"""
OUTSIDE = BOMB.replace(b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


def refusals(data):
    with pytest.raises(ImportRefused) as refused:
        CAMT_053.read(data)
    return refused.value.rows


@pytest.mark.parametrize("version", ["02", "08"])
def test_both_versions_say_the_same(version):
    parsed = CAMT_053.read(camt_xml([IN, OUT], opening="10", version=version))
    first, second = parsed.lines

    assert (parsed.opening, parsed.closing) == (Decimal(10), Decimal("389.50"))
    assert parsed.account == "6222 0000 0000 0001"
    assert (first.booked_on, first.amount, first.reference) == (DAY, Decimal(500), "R1")
    assert (first.counterparty_name, first.counterparty_account) == (IN.name, IN.account)
    assert (second.amount, second.counterparty_name) == (Decimal("-120.50"), OUT.name)
    assert (first.purpose, second.purpose) == ("货款 B-1", "付款 FK-1")


def test_references_stand_before_the_text_of_the_payment():
    inside = (
        "<NtryRef>N-7</NtryRef><NtryDtls><TxDtls><Refs><EndToEndId>FK-1-001</EndToEndId></Refs>"
        "<RmtInf><Ustrd>算力结算款</Ustrd><Strd><CdtrRefInf><Ref>RF18</Ref></CdtrRefInf></Strd>"
        "</RmtInf></TxDtls></NtryDtls><AddtlNtryInf>网银</AddtlNtryInf>"
    )
    (line,) = CAMT_053.read(
        camt_xml([], closing="1.00", more=entry_xml("1.00", inside=inside))
    ).lines

    assert (line.reference, line.purpose) == ("N-7", "FK-1-001 RF18 算力结算款 网银")


def test_a_batch_is_one_booking_without_an_other_side():
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>FK-1-00{n}</EndToEndId></Refs><RltdPties><Cdtr><Pty>"
        f"<Nm>供方{n}</Nm></Pty></Cdtr></RltdPties></TxDtls>"
        for n in (1, 2)
    )
    more = entry_xml("-30.00", inside=f"<NtryDtls>{parts}</NtryDtls>")
    (line,) = CAMT_053.read(camt_xml([], closing="-30.00", more=more)).lines

    assert (line.amount, line.counterparty_name) == (Decimal(-30), "")
    assert line.purpose == "FK-1-001 FK-1-002"


def test_pending_entries_move_no_money_and_are_left_out():
    more = entry_xml("77.00", state="<Cd>PDNG</Cd>") + entry_xml("78.00", state="INFO")

    assert len(CAMT_053.read(camt_xml([IN], more=more)).lines) == 1


def test_the_newest_booking_may_come_first_and_times_are_the_market_s():
    late = entry_xml("5.00").replace(
        "<Dt>2026-11-20</Dt>", "<DtTm>2026-11-20T17:00:00Z</DtTm>"
    )  # one o'clock of the next day
    parsed = CAMT_053.read(camt_xml([], closing="11.00", more=late + entry_xml("6.00")))

    assert [line.booked_on.day for line in parsed.lines] == [20, 21]


def test_the_previous_closing_is_the_opening_where_no_opening_is_stated():
    data = camt_xml([IN], opening="3").replace(b"OPBD", b"PRCD")

    assert CAMT_053.read(data).opening == 3


def test_a_statement_in_gb18030_is_read():
    data = camt_xml([IN]).decode().replace("UTF-8", "GB18030").encode("gb18030")

    assert CAMT_053.read(data).lines[0].counterparty_name == IN.name


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (BOMB, "xml_forbidden"),
        (OUTSIDE, "xml_forbidden"),
        (b"<!DOCTYPE Document><Document/>", "xml_forbidden"),
        (b"<Document>", "xml_malformed"),
        (b"<" + b"a>" * 600, "xml_malformed"),
        (b"<a>" * 5000, "xml_malformed"),
        (b"<Document/>", "xml_message_unknown"),
        (camt_xml([IN], version="13"), "xml_message_unknown"),
        (camt_xml([IN]).replace(b"camt.053", b"camt.052"), "xml_message_unknown"),
        (camt_xml([IN]).decode().encode("utf-16"), "xml_not_text"),
        (camt_xml([IN]) + b" " * 2_000_000, "xml_too_large"),
        (camt_xml([IN], currency="USD"), "xml_currency_wrong"),
        (camt_xml([IN], closing="499.00"), "bank_totals_broken"),
        (camt_xml([]), "file_empty"),
        (camt_xml([IN]).replace(b"CLBD", b"CLAV"), "xml_element_missing"),
        (camt_xml([IN]).replace(b"<Id>6222 0000 0000 0001</Id>", b""), "xml_element_missing"),
        (camt_xml([IN]).replace(b"Stmt>", b"Rpt>"), "camt_statement_count"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(data, code):
    assert [row.code for row in refusals(data)] == [code]


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("500.00", "5e2", "xml_amount_invalid", "Amt"),
        ("500.00", "-500.00", "xml_amount_invalid", "Amt"),
        ("500.00", "500.001", "xml_amount_invalid", "Amt"),
        ("500.00", "NaN", "xml_amount_invalid", "Amt"),
        ("500.00", "0.00", "xml_amount_invalid", "Amt"),
        ('Amt Ccy="CNY">500', 'Amt Ccy="EUR">500', "xml_currency_wrong", "Amt"),
        ('Amt Ccy="CNY">500', "Amt>500", "xml_currency_wrong", "Amt"),
        ("CRDT</CdtDbtInd>\n    <Sts", "XX</CdtDbtInd>\n    <Sts", "camt_direction_unknown", ""),
        ("2026-11-20</Dt></BookgDt>", "2026-13-20</Dt></BookgDt>", "xml_day_invalid", "Dt"),
        ("<BookgDt><Dt>2026-11-20</Dt></BookgDt>", "", "xml_element_missing", ""),
        ("<Cd>BOOK</Cd>", "<Cd>SENT</Cd>", "camt_state_unknown", ""),
    ],
)
def test_each_bad_entry_is_named_with_line_and_path(old, new, code, place):
    data = camt_xml([OUT, IN]).decode().replace(old, new)
    row = refusals(data.encode())[-1]

    assert row.code == code
    assert row.field.startswith("Document/BkToCstmrStmt/Stmt/Ntry[2]")
    assert row.field.endswith(place)
    assert row.line > 10
