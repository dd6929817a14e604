"""Files that members hand in: what is taken, told by their first bytes and not by their names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from marketplace.domain.errors import RuleBroken, gettext_noop

MAX_BYTES = 5_000_000
MOST_NAME = 120
# Parts of a PDF that make it act when it is opened, or that carry other files.
_ACTIVE_PDF = re.compile(
    rb"/(JavaScript|JS|Launch|OpenAction|AA|EmbeddedFile|EmbeddedFiles|RichMedia|XFA)\b"
)
_ESCAPED_NAME = re.compile(rb"/[A-Za-z]*#[0-9A-Fa-f]{2}")


class DocumentEmpty(RuleBroken):
    """The file holds nothing."""

    code = "document_empty"
    message = gettext_noop("The file is empty.")


class DocumentTooLarge(RuleBroken):
    """The file is larger than the market keeps."""

    code = "document_too_large"
    message = gettext_noop("The file may have at most %(megabytes)s MB.")


class DocumentTypeRefused(RuleBroken):
    """The file is none of the kinds that are taken, whatever its name says."""

    code = "document_type"
    message = gettext_noop("Only PDF, PNG and JPEG files are taken, with the ending that fits.")


class DocumentActive(RuleBroken):
    """A PDF with scripts, actions or other files in it."""

    code = "document_active"
    message = gettext_noop(
        "This PDF holds scripts, actions or other files. Print it to a new PDF and upload that."
    )


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be stored: its cleaned name and its real type."""

    name: str
    media_type: str


_TYPES = (
    (b"%PDF-", b"%%EOF", "application/pdf", ("pdf",)),
    (b"\x89PNG\r\n\x1a\n", b"IEND", "image/png", ("png",)),
    (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg", ("jpg", "jpeg")),
)
_TAIL_BYTES = 2048


def check_file(*, name: str, data: bytes) -> CheckedFile:
    """Return what a file is, if it may be stored.

    Raises:
        DocumentEmpty, DocumentTooLarge, DocumentTypeRefused, DocumentActive: with field ``file``.
    """
    if not data:
        raise DocumentEmpty(field="file")
    if len(data) > MAX_BYTES:
        raise DocumentTooLarge(field="file", megabytes=MAX_BYTES // 1_000_000)
    clean = clean_name(name)
    ending = clean.rpartition(".")[2].lower()
    for head, tail, media_type, endings in _TYPES:
        if data.startswith(head) and tail in data[-_TAIL_BYTES:] and ending in endings:
            if media_type == "application/pdf" and _acts(data):
                raise DocumentActive(field="file")
            return CheckedFile(clean, media_type)
    raise DocumentTypeRefused(field="file")


def clean_name(name: str) -> str:
    """Return a file name without folders, control characters and tricks of direction."""
    last = re.split(r"[\\/]", name)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if not dot:
        return shown[:MOST_NAME] or "document"
    return f"{stem[: MOST_NAME - len(ending) - 1] or 'document'}.{ending}"


def _acts(data: bytes) -> bool:
    return bool(_ACTIVE_PDF.search(data) or _ESCAPED_NAME.search(data))
