"""Files that list batches in a table: one line a batch, with first and last serial."""

from collections.abc import Sequence

from marketplace.domain.errors import RuleBroken
from marketplace.domain.tables import Row, RowError, read_upload
from marketplace.permissions import Actor
from settlement.models import RegistryImport
from settlement.services.registry.holdings import BatchFacts, hold_units
from settlement.services.registry.import_rows import (
    ALIASES,
    OPTIONAL,
    REQUIRED,
    Reference,
    check_overlaps,
    facts_of,
)

COLUMNS = (*REQUIRED, *OPTIONAL)
FILE_SOURCE = "registry_file"


def read_table(data: bytes) -> list[Row]:
    """Return the lines; raises ImportRefused."""
    return read_upload(data, required=REQUIRED, optional=OPTIONAL, aliases=ALIASES)


def check_table(
    reference: Reference, rows: Sequence[Row]
) -> tuple[int, list[RowError], list[dict[str, str]]]:
    """Return the units of a file and every line that is wrong."""
    errors: list[RowError] = []
    runs: list[tuple[int, BatchFacts]] = []
    for row in rows:
        try:
            facts, _holder = facts_of(row, reference)
        except RuleBroken as refusal:
            errors.append(RowError.of(row.line, refusal))
            continue
        runs.append((row.line, facts))
    errors.extend(check_overlaps(reference.registry, runs))
    return sum(facts.run.units for _line, facts in runs), errors, []


def take_batch(actor: Actor, file: RegistryImport, row: Row, reference: Reference) -> object:
    """Record the batch of a line; raises the rule that forbids it."""
    facts, holder = facts_of(row, reference)
    return hold_units(
        actor=actor,
        facts=facts,
        holder=holder,
        source_type=FILE_SOURCE,
        source_id=str(file.public_id),
    )
