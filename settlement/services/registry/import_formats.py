"""The formats of registry files: how each is read, checked and taken over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.tables import Row, RowError
from marketplace.permissions import Actor
from settlement.models import ImportFormat, Registry, RegistryImport, RegistryKind
from settlement.services.registry import import_cad_trust, import_hours, import_table, import_vcs
from settlement.services.registry.import_rows import Reference


class ImportFormatUnfit(RuleBroken):
    """The registry does not write files of this format."""

    code = "import_format_unfit"
    message = gettext_noop("%(registry)s has no files of this format.")


@dataclass(frozen=True)
class Checked:
    """What a file brings, what is wrong with it, and what a person should look at.

    Attributes:
        units: how many units it brings.
        errors: refusals by line; the file is taken without any or not at all.
        warnings: hints that refuse nothing.
    """

    units: int = 0
    errors: list[RowError] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class FileFormat:
    """One format.

    Attributes:
        kinds: kinds of registry that write it.
        columns: names of its columns or fields.
        read: from bytes to lines of named cells.
        check: looks at every line; raises nothing.
        take: records one line, or raises the rule that forbids it.
        registry: code of the only registry that writes it, or empty.
    """

    kinds: frozenset[str]
    columns: Sequence[str]
    read: Callable[[bytes], list[Row]]
    check: Callable[[Reference, Sequence[Row]], tuple[int, list[RowError], list[dict[str, str]]]]
    take: Callable[[Actor, RegistryImport, Row, Reference], object]
    registry: str = ""

    def examine(self, reference: Reference, rows: Sequence[Row]) -> Checked:
        """Return what the lines bring to a registry and what is wrong with them."""
        return Checked(*self.check(reference, rows))


_UNITS = frozenset({RegistryKind.ENERGY_ATTRIBUTE, RegistryKind.CREDIT, RegistryKind.ALLOWANCE})
FORMATS: dict[str, FileFormat] = {
    ImportFormat.TABLE: FileFormat(
        kinds=_UNITS,
        columns=import_table.COLUMNS,
        read=import_table.read_table,
        check=import_table.check_table,
        take=import_table.take_batch,
    ),
    ImportFormat.VCS: FileFormat(
        kinds=frozenset({RegistryKind.CREDIT}),
        columns=import_vcs.COLUMNS,
        read=import_vcs.read_units,
        check=import_vcs.check_units,
        take=import_vcs.take_block,
        registry="VCS",
    ),
    ImportFormat.CAD_TRUST: FileFormat(
        kinds=frozenset({RegistryKind.CREDIT}),
        columns=import_cad_trust.FIELDS,
        read=import_cad_trust.read_document,
        check=import_cad_trust.check_units,
        take=import_cad_trust.take_block,
        registry="VCS",
    ),
    ImportFormat.HOURS: FileFormat(
        kinds=frozenset({RegistryKind.GRANULAR}),
        columns=import_hours.COLUMNS,
        read=import_hours.read_hours,
        check=import_hours.check_hours,
        take=import_hours.take_hour,
    ),
}


def format_for(registry: Registry, name: str) -> FileFormat:
    """Return a format that the registry writes.

    Raises:
        ImportFormatUnfit: it does not write this one.
    """
    found = FORMATS.get(name)
    if (
        found is None
        or registry.kind not in found.kinds
        or (found.registry and found.registry != registry.code)
    ):
        raise ImportFormatUnfit(field="file_format", registry=registry.code)
    return found
