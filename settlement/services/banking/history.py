"""Moving a document of the monthly cycle from state to state, written down with who and when."""

from typing import Any

from marketplace.domain.transitions import TransitionTable
from marketplace.models import User
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_transition
from settlement.models import DocumentTransition


def move_document(
    document: Any,
    table: TransitionTable[Any],
    target: str,
    *,
    actor: User | None,
    note: str = "",
    changes: dict[str, object] | None = None,
) -> None:
    """Put a locked document into a state, with what changes beside it.

    Raises:
        StateForbids: the state does not allow it.
    """
    source = document.state
    document.state = check_transition(table, source, target)
    for name, value in (changes or {}).items():
        setattr(document, name, value)
    document.save(update_fields=["state", *(changes or {})])
    note_transition(document, source, actor=actor, note=note)


def note_transition(document: Any, source: str, *, actor: User | None, note: str = "") -> None:
    """Write down that a document came into its present state."""
    DocumentTransition.objects.create(
        document_type=document._meta.model_name,
        document=getattr(document, "number", "") or str(document.public_id),
        from_state=source,
        to_state=document.state,
        actor=actor,
        note=note[:300],
        market_at=market_now(),
    )


def history_of(document: Any) -> list[DocumentTransition]:
    """Return the states a document went through, the first one first."""
    return list(
        DocumentTransition.objects.filter(
            document_type=document._meta.model_name,
            document=getattr(document, "number", "") or str(document.public_id),
        )
        .select_related("actor")
        .order_by("pk")
    )
