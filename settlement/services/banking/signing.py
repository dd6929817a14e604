"""Electronic signatures by files: what is to be signed lies in one folder, answers in another.

The default provider. Whoever signs takes `<envelope>/document.pdf` and `request.json` from the
outbox and puts `<envelope>.json` into the inbox: {"state": "signed", "sha256": "…"}. That speaks
for all parties; `<envelope>.<role>.json` speaks for one of them, and is what the portal writes.
"""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from settlement.domain.banking.signing import EnvelopeState, Signer, SignerAnswer


class FileSignatures:
    """Implements `SignatureService` on two folders below the data directory."""

    name = "files"
    takes_answers = True

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or Path(settings.VAR_DIR) / "signatures"

    def send(self, *, number: str, document: bytes, sha256: str, signers: list[Signer]) -> str:
        """Write the document and who is to sign it; the folder's name is the envelope."""
        envelope = f"{number}-{uuid.uuid4().hex[:8]}"
        folder = self._folder(envelope)
        folder.mkdir(parents=True)
        (folder / "document.pdf").write_bytes(document)
        request = {
            "number": number,
            "sha256": sha256,
            "signers": [
                {"role": one.role, "name": one.name, "credit_code": one.credit_code}
                for one in signers
            ],
        }
        # Last: who finds the request finds the whole document.
        (folder / "request.json").write_text(
            json.dumps(request, ensure_ascii=False, indent=2), encoding="utf-8"
        )
        return envelope

    def state(self, *, envelope: str, sha256: str) -> EnvelopeState:
        """Return what the answers say; one about another document does not count."""
        said = [one.state for one in self.answers(envelope=envelope, sha256=sha256).values()]
        if EnvelopeState.REFUSED in said:
            return EnvelopeState.REFUSED
        roles = self._roles(envelope)
        everybody = bool(roles) and len(said) == len(roles)
        return EnvelopeState.SIGNED if everybody else EnvelopeState.WAITING

    def answer(self, *, envelope: str, sha256: str, role: str, answer: SignerAnswer) -> None:
        """Put the answer of one party into the inbox."""
        inbox = self._root / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        given = {
            "state": answer.state.value,
            "sha256": sha256,
            "person": answer.person,
            "given_at": answer.given_at.isoformat() if answer.given_at else "",
        }
        (inbox / f"{envelope}.{role}.json").write_text(
            json.dumps(given, ensure_ascii=False, indent=2), encoding="utf-8"
        )

    def answers(self, *, envelope: str, sha256: str) -> dict[str, SignerAnswer]:
        """Return what each party said; an answer for all stands for who gave none."""
        for_all = self._read(f"{envelope}.json", sha256)
        found = {}
        for role in self._roles(envelope):
            answer = self._read(f"{envelope}.{role}.json", sha256) or for_all
            if answer is not None:
                found[role] = answer
        return found

    def document(self, *, envelope: str) -> bytes | None:
        """Return the document that lies in the outbox."""
        path = self._folder(envelope) / "document.pdf"
        return path.read_bytes() if path.is_file() else None

    def _folder(self, envelope: str) -> Path:
        return self._root / "outbox" / envelope

    def _roles(self, envelope: str) -> list[str]:
        request = _json(self._folder(envelope) / "request.json")
        return [str(one["role"]) for one in request.get("signers", [])]

    def _read(self, name: str, sha256: str) -> SignerAnswer | None:
        given = _json(self._root / "inbox" / name)
        if given.get("sha256") != sha256:
            return None
        try:
            state = EnvelopeState(given["state"])
        except (ValueError, KeyError):
            return None
        if state == EnvelopeState.WAITING:
            return None
        return SignerAnswer(state, str(given.get("person", "")), _instant(given.get("given_at")))


def _json(path: Path) -> dict[str, Any]:
    """Return what a file says, nothing if it is missing, unfinished or something else."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return given if isinstance(given, dict) else {}


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
