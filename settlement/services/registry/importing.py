"""Files of registries: read as a whole, shown, and taken over as a whole on a second word.

One bad line refuses the file, with its line and code. The same file is taken once: its hash is the
key, and a repeated upload returns the first.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.domain.tables import ImportRefused, Row, RowError
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_transition
from settlement.models import (
    IMPORT_TRANSITIONS,
    ImportFormat,
    ImportState,
    Registry,
    RegistryImport,
    UnitBatch,
)
from settlement.services.registry.access import require_keeper
from settlement.services.registry.import_formats import Checked, FileFormat, format_for
from settlement.services.registry.import_rows import Reference, reference_of
from settlement.services.registry.import_table import FILE_SOURCE


@transaction.atomic
def preview_registry_file(
    *,
    actor: Actor,
    registry: Registry,
    file_name: str,
    data: bytes,
    file_format: str = ImportFormat.TABLE,
) -> RegistryImport:
    """Read a file and check every line; nothing moves before it is confirmed.

    The file is kept as it came, with its hash.

    Raises:
        NotPermitted: the actor keeps no registries.
        ImportFormatUnfit: the registry has no files of this format.
        ImportRefused: with line and code of everything that is wrong; only the refusal is kept.
    """
    require_keeper(actor)
    chosen = format_for(registry, file_format)
    digest = hashlib.sha256(data).hexdigest()
    known = RegistryImport.objects.filter(
        registry=registry,
        file_sha256=digest,
        state__in=(ImportState.PREVIEWED, ImportState.CONFIRMED),
    ).first()
    if known is not None:
        return known
    rows = chosen.read(data)
    checked = _check(chosen, reference_of(registry), rows)
    return RegistryImport.objects.create(
        registry=registry,
        file_format=file_format,
        file_name=file_name[:120],
        file_sha256=digest,
        content=data,
        rows=[[row.line, dict(row.cells)] for row in rows],
        units=checked.units,
        warnings=checked.warnings,
        uploaded_by=actor.user,
    )


def confirm_registry_file(*, actor: Actor, public_id: UUID | str) -> RegistryImport:
    """Take a file over: every batch of it, or nothing; a repeated call changes nothing.

    Raises:
        NotPermitted, NotFound, StateForbids: as named.
        ImportRefused: something changed since the file was read; the file is refused for good.
    """
    require_keeper(actor)
    try:
        with transaction.atomic():
            return _take_over(actor, public_id)
    except ImportRefused as refusal:
        _refuse(actor, public_id, refusal)
        raise


@transaction.atomic
def discard_registry_file(*, actor: Actor, public_id: UUID | str) -> RegistryImport:
    """Put a file aside that was read and not taken over; raises as `confirm_registry_file`."""
    require_keeper(actor)
    return _decide(_locked(public_id), actor, ImportState.DISCARDED)


def _check(file_format: FileFormat, reference: Reference, rows: Sequence[Row]) -> Checked:
    """Return what a file brings.

    Raises:
        ImportRefused: with every line that is wrong.
    """
    checked = file_format.examine(reference, rows)
    if checked.errors:
        raise ImportRefused(sorted(checked.errors, key=lambda error: error.line))
    return checked


def _take_over(actor: Actor, public_id: UUID | str) -> RegistryImport:
    file = _locked(public_id)
    if file.state == ImportState.CONFIRMED:
        return file
    check_transition(IMPORT_TRANSITIONS, file.state, ImportState.CONFIRMED)
    rows = [Row(line, cells) for line, cells in file.rows]
    file_format = format_for(file.registry, file.file_format)
    reference = reference_of(file.registry)
    _check(file_format, reference, rows)
    errors = [error for row in rows if (error := _issue(actor, file, row, file_format, reference))]
    if errors:
        raise ImportRefused(errors)
    _decide(file, actor, ImportState.CONFIRMED)
    record_audit(
        action="registry_file.confirmed",
        subject=file,
        actor=actor.user,
        organisation=actor.organisation,
        after={"registry": file.registry.code, "units": file.units, "sha256": file.file_sha256},
    )
    return file


def _issue(
    actor: Actor, file: RegistryImport, row: Row, file_format: FileFormat, reference: Reference
) -> RowError | None:
    try:
        file_format.take(actor, file, row, reference)
    except RuleBroken as refusal:
        return RowError.of(row.line, refusal)
    return None


@transaction.atomic
def _refuse(actor: Actor, public_id: UUID | str, refusal: ImportRefused) -> None:
    file = _locked(public_id)
    file.findings = [
        {"line": row.line, "field": row.field, "code": row.code, "message": str(row)}
        for row in refusal.rows
    ]
    _decide(file, actor, ImportState.REFUSED)


def _locked(public_id: UUID | str) -> RegistryImport:
    rows = RegistryImport.objects.select_for_update(no_key=True, of=("self",))
    file = rows.select_related("registry").filter(public_id=public_id).first()
    if file is None:
        raise NotFound
    return file


def _decide(file: RegistryImport, actor: Actor, state: ImportState) -> RegistryImport:
    file.state = check_transition(IMPORT_TRANSITIONS, file.state, state)
    file.decided_by, file.decided_at = actor.user, market_now()
    file.save(update_fields=["state", "findings", "decided_by", "decided_at"])
    return file


def batches_of(file: RegistryImport) -> list[UnitBatch]:
    """Return the batches that a file brought."""
    from_file = UnitBatch.objects.filter(
        movements__movement__source_type=FILE_SOURCE,
        movements__movement__source_id=str(file.public_id),
    )
    return list(from_file.select_related("project", "programme", "issued_to").distinct())
