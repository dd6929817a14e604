"""XML from outside: no document type, no entities, nothing fetched, limited size, known places.

The bytes are decoded here, as UTF-8 or GB 18030, whatever they declare; so what is looked for in
the text is what the parser sees. A refusal names the line and the path of the element.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.domain.tables import MAX_BYTES, FileNotText, decode_upload

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_DECLARATION = re.compile(r"\A<\?xml\s[^>]*\?>")
_FORBIDDEN = ("<!DOCTYPE", "<!ENTITY")
_BLANKS = b"\xef\xbb\xbf \t\r\n"
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2}0*)?")
_ZONE_OF_DAY = re.compile(r"(?<=-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})\Z")


class XmlFault(RuleBroken):
    """Something is wrong at one place of an XML file.

    Attributes:
        line: of the file; 0 for the file as a whole.
    """

    def __init__(self, place: Node | None = None, *, line: int = 0, **params: object) -> None:
        super().__init__(None, None, place.path if place else None, **params)
        self.line = place.line if place else line


class XmlTooLarge(XmlFault):
    """An XML file is larger than the market reads."""

    code = "xml_too_large"
    message = gettext_noop("The file may have at most %(max_bytes)s bytes.")


class XmlNotText(XmlFault):
    """The bytes are no text."""

    code = "xml_not_text"
    message = gettext_noop("The file is not XML in UTF-8 or GB 18030.")


class XmlForbidden(XmlFault):
    """A document type or an entity is declared, which banks never do and attackers do."""

    code = "xml_forbidden"
    message = gettext_noop("The file declares a document type or entities, which is not allowed.")


class XmlMalformed(XmlFault):
    """The file is not well-formed."""

    code = "xml_malformed"
    message = gettext_noop("The file is not well-formed XML: %(problem)s.")


class XmlMessageUnknown(XmlFault):
    """The root is none of the messages that are read."""

    code = "xml_message_unknown"
    message = gettext_noop("The file is a %(found)s; read are %(known)s.")


class XmlElementMissing(XmlFault):
    """A required element is not there, or empty."""

    code = "xml_element_missing"
    message = gettext_noop("The element %(name)s is missing or empty.")


class XmlAmountInvalid(XmlFault):
    """An amount is no number with at most two decimals."""

    code = "xml_amount_invalid"
    message = gettext_noop("%(found)s is no amount with at most two decimals.")


class XmlNumberInvalid(XmlFault):
    """A quantity is no plain decimal number."""

    code = "xml_number_invalid"
    message = gettext_noop("%(found)s is no number.")


class XmlDayInvalid(XmlFault):
    """A date is no ISO date."""

    code = "xml_day_invalid"
    message = gettext_noop("%(found)s is no date such as 2026-10-01.")


class XmlCurrencyWrong(XmlFault):
    """An amount is in another currency than the market's."""

    code = "xml_currency_wrong"
    message = gettext_noop("The currency is %(found)s; the market keeps its accounts in CNY.")


@dataclass(frozen=True)
class Node:
    """An element and where it stands.

    Attributes:
        element: of lxml.
        path: names from the root on, with a number where siblings share a name.
        namespaces: prefix to namespace; names without a prefix are in the one of "".
    """

    element: Any
    path: str
    namespaces: Mapping[str, str]

    @property
    def line(self) -> int:
        """Line of the file."""
        return int(self.element.sourceline or 0)

    def all(self, steps: str) -> list[Node]:
        """Return the elements below, by names joined with a slash."""
        found = [self]
        for step in steps.split("/"):
            found = [child for node in found for child in node._children(step)]
        return found

    def first(self, steps: str) -> Node | None:
        """Return the first element of that path, or None."""
        return next(iter(self.all(steps)), None)

    def need(self, steps: str) -> Node:
        """Return the first element of that path; raises XmlElementMissing."""
        found = self.first(steps)
        if found is None:
            raise XmlElementMissing(self, name=steps)
        return found

    def text(self, *choices: str) -> str:
        """Return the text of the first of several paths that has one, or nothing."""
        for steps in choices:
            for node in self.all(steps):
                if node.own_text:
                    return node.own_text
        return ""

    def need_text(self, steps: str) -> str:
        """Return the text of a path; raises XmlElementMissing."""
        text = self.text(steps)
        if not text:
            raise XmlElementMissing(self, name=steps)
        return text

    @property
    def own_text(self) -> str:
        """The element's text without blanks around it."""
        return (self.element.text or "").strip()

    @property
    def day(self) -> date:
        """The date, or the market's date at the time, that is here; raises XmlDayInvalid."""
        try:
            if "T" not in self.own_text:
                return date.fromisoformat(_ZONE_OF_DAY.sub("", self.own_text))
            instant = datetime.fromisoformat(self.own_text)
        except ValueError:
            raise XmlDayInvalid(self, found=self.own_text) from None
        return market_date(instant) if instant.tzinfo else instant.date()

    @property
    def amount(self) -> Decimal:
        """The number that the element holds; raises XmlAmountInvalid."""
        if not _AMOUNT.fullmatch(self.own_text):
            raise XmlAmountInvalid(self, found=self.own_text)
        return Decimal(self.own_text).quantize(Decimal("0.01"))

    @property
    def number(self) -> Decimal:
        """The quantity that the element holds; raises XmlNumberInvalid."""
        if not _NUMBER.fullmatch(self.own_text):
            raise XmlNumberInvalid(self, found=self.own_text)
        return Decimal(self.own_text)

    def cny(self, attribute: str) -> Decimal:
        """Return the amount; raises XmlAmountInvalid, XmlCurrencyWrong by the attribute."""
        currency = self.element.get(attribute, "")
        if currency != "CNY":
            raise XmlCurrencyWrong(self, found=currency)
        return self.amount

    def _children(self, step: str) -> list[Node]:
        prefix, _colon, name = step.rpartition(":")
        same = self.element.findall(f"{{{self.namespaces[prefix]}}}{name}")
        return [
            Node(
                child,
                f"{self.path}/{name}[{number}]" if len(same) > 1 else f"{self.path}/{name}",
                self.namespaces,
            )
            for number, child in enumerate(same, 1)
        ]


def looks_like_xml(data: bytes) -> bool:
    """Tell whether a file begins as XML does."""
    return data.lstrip(_BLANKS)[:1] == b"<"


def parse_xml(data: bytes, roots: Mapping[str, Mapping[str, str]]) -> Node:
    """Return the root of a message.

    Args:
        data: the file.
        roots: the messages that are read, `{namespace}name` to the prefixes used below it.

    Raises:
        XmlFault: it is too large, no XML, declares what is forbidden, or is none of the messages.
    """
    if len(data) > MAX_BYTES:
        raise XmlTooLarge(max_bytes=MAX_BYTES)
    try:
        text = decode_upload(data)
    except FileNotText:
        raise XmlNotText from None
    if any(word in text for word in _FORBIDDEN):
        raise XmlForbidden
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, count=1).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise XmlMalformed(line=error.lineno or 0, problem=str(error.msg)) from None
    if root.tag not in roots:
        raise XmlMessageUnknown(line=root.sourceline, found=root.tag, known=", ".join(roots))
    return Node(root, etree.QName(root).localname, roots[root.tag])


def xml_bytes(root: Any) -> bytes:
    """Return a message as a file: always the same bytes for the same message."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
