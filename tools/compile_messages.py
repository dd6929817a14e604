"""Compiles each django.po below locale/ into the django.mo beside it, where that is out of date."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_catalogue(source: Path) -> None:
    """Write the compiled catalogue beside ``source``; readers never see half a file."""
    with source.open("rb") as handle:
        catalogue = read_po(handle, locale=source.parts[-3])
    draft = source.with_suffix(".mo.draft")
    with draft.open("wb") as handle:
        write_mo(handle, catalogue)
    draft.replace(source.with_suffix(".mo"))


def main() -> None:
    """Compile what is out of date."""
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime <= source.stat().st_mtime:
            compile_catalogue(source)


if __name__ == "__main__":
    main()
