"""Bank statements as camt.053 that cannot be read: refused whole, with the line and its code."""

from tests.api.codes.banking import statement
from tests.api.refusing import Ask, reaches
from tests.factories.bank_messages import camt_xml
from tests.factories.banking import Booking

XML = {"Content-Type": "application/xml"}
PAID = Booking("R-1", "500.00")


def message(old: str = "", new: str = "", *, data: bytes | None = None) -> Ask:
    """Return the request to take in a message in which something was changed."""
    ask = statement("two-columns")
    text = data if data is not None else camt_xml([PAID]).decode().replace(old, new).encode()
    return Ask(ask.caller, ask.path, text, XML)


@reaches("xml_too_large", line=0)
def a_message_beyond_two_megabytes() -> Ask:
    return message(data=camt_xml([PAID]) + b" " * 2_000_000)


@reaches("xml_not_text", line=0)
def a_message_of_broken_letters() -> Ask:
    return message(data=camt_xml([PAID]).replace(b"R-1", b"R\xff\xff"))


@reaches("xml_forbidden", line=0)
def a_message_with_a_document_type() -> Ask:
    return message("<Document", "<!DOCTYPE a><Document")


@reaches("xml_malformed", line=1)
def a_message_that_stops() -> Ask:
    return message(data=b"<Document>")


@reaches("xml_message_unknown", line=2)
def a_message_of_another_kind() -> Ask:
    return message("camt.053", "camt.052")


@reaches("camt_statement_count", line=2)
def a_message_without_a_statement() -> Ask:
    return message("Stmt>", "Rpt>")


@reaches("xml_element_missing", line=5)
def a_message_without_a_closing_balance() -> Ask:
    return message("CLBD", "CLAV")


@reaches("xml_currency_wrong", line=11)
def a_booking_in_another_currency() -> Ask:
    return message('Ccy="CNY">500.00</Amt>\n', 'Ccy="EUR">500.00</Amt>\n')


@reaches("xml_amount_invalid", line=11)
def a_booking_of_a_tenth_of_a_fen() -> Ask:
    return message("500.00</Amt>\n", "500.001</Amt>\n")


@reaches("camt_direction_unknown", line=12)
def a_booking_that_goes_nowhere() -> Ask:
    return message("CRDT</CdtDbtInd>\n    <Sts", "XX</CdtDbtInd>\n    <Sts")


@reaches("camt_state_unknown", line=10)
def a_booking_in_a_state_of_its_own() -> Ask:
    return message("<Cd>BOOK</Cd>", "<Cd>SENT</Cd>")


@reaches("xml_day_invalid", line=14)
def a_booking_on_a_day_that_is_none() -> Ask:
    return message("2026-11-20</Dt></BookgDt>", "2026-13-20</Dt></BookgDt>")
