"""A request that carries a key has its effect once; repeated, it gets the first answer again.

The record is inserted in the transaction of the effect: there is never one without the other. A
refusal is an answer too and stays one; a failure of ours leaves nothing, so the retry is a first
try.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import ImportRefused, RowError
from marketplace.models import IdempotencyRecord, User
from marketplace.services.locks import try_request_lock

LONGEST_KEY = 120
Work = Callable[[], tuple[int, Any]]


class KeyMalformed(RuleBroken):
    """The key is not 1 to 120 printable ASCII characters."""

    code = "idempotency_key_malformed"
    message = gettext_noop("An Idempotency-Key is 1 to %(limit)s printable ASCII characters.")


class KeyReused(RuleBroken):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    message = gettext_noop("This Idempotency-Key was used for a request with another content.")
    status = 422


class RequestUnderWay(RuleBroken):
    """A request with the key is being worked on."""

    code = "request_under_way"
    message = gettext_noop("A request with this Idempotency-Key is being worked on.")
    status = 409


class StoredRefusal(RuleBroken):
    """A refusal that was given before, given again."""

    is_replay = True

    def __init__(self, answer: dict[str, Any], status_code: int) -> None:
        super().__init__(answer["code"], answer["message"], answer["field"])
        self.params = answer["params"]
        self.status = status_code  # type: ignore[misc]


class StoredImportRefusal(ImportRefused):
    """The refusal of a file that was given before, given again."""

    is_replay = True


@dataclass(frozen=True)
class Answer:
    """The status and body of an answer, and whether it is the first one's."""

    status_code: int
    body: Any
    is_replay: bool


def answer_once(*, user: User, operation: str, key: str, content: Any, work: Work) -> Answer:
    """Do the work of a request at most once, and return its answer however often it is sent.

    Args:
        user: whose key it is; another user's same key is another key.
        operation: what is asked for, such as `POST /api/v1/orders/`.
        key: the client's name of the request.
        content: JSON-able; the same key with other content is refused.
        work: has the effect and returns status and JSON-able body.

    Raises:
        KeyMalformed, KeyReused, RequestUnderWay: nothing was done.
        RuleBroken: what the work raised, now or the first time.
    """
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise KeyMalformed(field="Idempotency-Key", limit=LONGEST_KEY)
    fingerprint = fingerprint_of(content)
    with transaction.atomic():
        if not try_request_lock(f"{user.pk}:{operation}:{key}"):
            raise RequestUnderWay(field="Idempotency-Key")
        record, is_new = IdempotencyRecord.objects.get_or_create(
            actor=user, operation=operation, key=key, defaults={"fingerprint": fingerprint}
        )
        if not is_new:
            return _replay(record, fingerprint)
        refusal = _work(record, work)
    if refusal is not None:
        raise refusal
    return _stored(record, is_replay=False)


def fingerprint_of(content: Any) -> str:
    """Return the hash of a content, whatever the order of its names."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _work(record: IdempotencyRecord, work: Work) -> RuleBroken | None:
    """Do the work within its own savepoint, and store what came of it."""
    refusal = None
    try:
        with transaction.atomic():
            record.status_code, body = work()
            # As text: the database does not keep the order of names, and the answer is the same.
            record.answer = json.dumps(body, ensure_ascii=False)
    except RuleBroken as error:
        refusal = error
        record.status_code, record.answer = error.status, _described(error)
    record.save(update_fields=["status_code", "answer"])
    return refusal


def _described(error: RuleBroken) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "field": error.field,
        "params": error.params,
    }
    if isinstance(error, ImportRefused):
        answer["rows"] = [
            [row.line, row.field, row.code, row.message, dict(row.params)] for row in error.rows
        ]
    return answer


def _replay(record: IdempotencyRecord, fingerprint: str) -> Answer:
    if record.fingerprint != fingerprint:
        raise KeyReused(field="Idempotency-Key")
    refusal = record.answer
    if not isinstance(refusal, dict):
        return _stored(record, is_replay=True)
    if "rows" in refusal:
        raise StoredImportRefusal([RowError(*row) for row in refusal["rows"]])
    raise StoredRefusal(refusal, int(record.status_code or 400))


def _stored(record: IdempotencyRecord, *, is_replay: bool) -> Answer:
    return Answer(int(record.status_code or 0), json.loads(str(record.answer)), is_replay)
