"""What a service for electronic signatures is asked: one interface, whoever provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class EnvelopeState(StrEnum):
    """How far the signing of a document is."""

    WAITING = "waiting"
    SIGNED = "signed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Signer:
    """Somebody who signs.

    Attributes:
        role: buyer, supplier or market.
        name: legal name.
        credit_code: unified social credit code.
    """

    role: str
    name: str
    credit_code: str


@dataclass(frozen=True)
class SignerAnswer:
    """What a party said to a document.

    Attributes:
        state: signed or refused.
        person: who said so for the party, as the provider knows them.
        given_at: when, in real time; None where the provider does not say.
    """

    state: EnvelopeState
    person: str = ""
    given_at: datetime | None = None


class SignatureService(Protocol):
    """Sends documents for signature and tells what became of them.

    Attributes:
        name: of the provider.
        takes_answers: whether parties may sign and decline in our portal; else they do so there.
    """

    name: str
    takes_answers: bool

    def send(self, *, number: str, document: bytes, sha256: str, signers: list[Signer]) -> str:
        """Hand a document over and return the reference of its envelope."""
        ...

    def state(self, *, envelope: str, sha256: str) -> EnvelopeState:
        """Return how far an envelope is; a signed one must be of the very same document."""
        ...

    def answer(self, *, envelope: str, sha256: str, role: str, answer: SignerAnswer) -> None:
        """Pass on what a party said in our portal; saying it again changes nothing."""
        ...

    def answers(self, *, envelope: str, sha256: str) -> Mapping[str, SignerAnswer]:
        """Return what the parties said to the very same document, by role."""
        ...

    def document(self, *, envelope: str) -> bytes | None:
        """Return the document as it was handed over; None where the provider no longer has it."""
        ...
