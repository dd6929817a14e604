"""Numbers of documents: series, market date, running number within series and date.

Gap-free counting belongs to the service that locks the counter row; this module only writes and
reads the numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_FORM = re.compile(r"(?P<series>[A-Z]{2})-(?P<day>[0-9]{8})-(?P<running>[0-9]{6})")
_MAX_RUNNING = 999_999


class DocumentSeries(StrEnum):
    """The kinds of numbered documents, by their prefix."""

    CONFIRMATION = "CJ"  # 成交确认单
    INVOICE = "JS"  # 结算单
    SUPPLIER_INVOICE = "GJ"  # 供方结算单
    CREDIT_NOTE = "CX"  # 冲减单
    SUPPLIER_CREDIT_NOTE = "GC"  # 供方冲减单
    JOURNAL_ENTRY = "PZ"  # 记账凭证
    STATEMENT = "DZ"  # 对账单
    PAYOUT_BATCH = "FK"  # 付款批次
    TAX_REQUEST = "KP"  # 开票申请
    CONTRACT = "HT"  # 合同
    WITHDRAWAL = "TX"  # 提取申请
    RECEIPT = "SK"  # 收款
    DISPUTE = "ZY"  # 争议
    VOUCHER = "SQ"  # 算力券
    DEFAULT = "WY"  # 违约
    RECOGNITION = "HR"  # 互认记录


class NumberRefused(ValueError):
    """A text is not a document number."""

    code = "wrong_document_number"


@dataclass(frozen=True, slots=True, order=True)
class DocumentNumber:
    """A document's number; `str()` gives it as printed, such as `CJ-20261123-000001`.

    Attributes:
        series: kind of document.
        day: market date of issue.
        running: 1 for the first document of the series on that date.

    Raises:
        ValueError: when the running number does not fit six digits.
    """

    series: DocumentSeries
    day: date
    running: int

    def __post_init__(self) -> None:
        if not 1 <= self.running <= _MAX_RUNNING:
            raise ValueError("a running number lies between 1 and 999999")

    def __str__(self) -> str:
        return f"{self.series.value}-{self.day:%Y%m%d}-{self.running:06}"

    def following(self) -> DocumentNumber:
        """Return the next number of the same series and date."""
        return DocumentNumber(self.series, self.day, self.running + 1)


def format_number(series: DocumentSeries, *, day: date, running: int) -> str:
    """Return a document number as printed.

    Raises:
        ValueError: when the running number does not fit six digits.
    """
    return str(DocumentNumber(series, day, running))


def parse_number(text: str) -> DocumentNumber:
    """Return the parts of a printed document number.

    Raises:
        NumberRefused: when the text is not one.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise NumberRefused(text)
    day = match["day"]
    try:
        return DocumentNumber(
            DocumentSeries(match["series"]),
            date(int(day[:4]), int(day[4:6]), int(day[6:])),
            int(match["running"]),
        )
    except ValueError:
        raise NumberRefused(text) from None
