"""The one interface of message standards that pass between the market, banks and accountants.

A standard is read into a document of ours and, when the market sends it, written from one. What is
written is read back and compared before it leaves: a file that says something else stays here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from marketplace.domain.errors import RuleBroken, gettext_noop

Document = TypeVar("Document")
Read = TypeVar("Read", covariant=True)


class MessageReader(Protocol[Read]):
    """A standard that is read, and what the edges say about it.

    Attributes:
        code: stable name; it stands in addresses.
        title: name in the words of the standard, the same in every language.
        media_type: of the file.
    """

    @property
    def code(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def media_type(self) -> str: ...

    def read(self, data: bytes) -> Read:
        """Return what a file says; raises RuleBroken with the place of what is wrong."""
        ...


class IncomingMessage(MessageReader[Read], Protocol[Read]):
    """A standard that others send; files say themselves what they are."""

    def recognises(self, data: bytes) -> bool:
        """Tell whether a file is meant to be one of this standard."""
        ...


class MessageAdapter(MessageReader[Document], Protocol[Document]):
    """A standard that is read and written."""

    def write(self, document: Document) -> bytes:
        """Return the file of a document, always the same bytes; raises RuleBroken."""
        ...


class FileReadsBackOtherwise(RuleBroken):
    """A file that was written does not say what it was written from."""

    code = "file_reads_back_otherwise"
    message = gettext_noop("The file does not read back as what it was made from.")
    status = 500


def named(
    adapters: Iterable[MessageAdapter[Document]], code: str
) -> MessageAdapter[Document] | None:
    """Return the standard of that code, or None."""
    return next((adapter for adapter in adapters if adapter.code == code), None)


def write_checked(adapter: MessageAdapter[Document], document: Document) -> bytes:
    """Return the file of a document after reading it back.

    Raises:
        FileReadsBackOtherwise: it says something else; nothing is given out.
        RuleBroken: the standard cannot say it, or its own rules are broken.
    """
    data = adapter.write(document)
    if adapter.read(data) != document:
        raise FileReadsBackOtherwise
    return data
