"""Uploading a table: the form, and the errors of its rows in the reader's language."""

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.domain.tables import MAX_BYTES, ImportRefused, RowError
from marketplace.services.error_texts import message_text

SHOWN_ERRORS = 100


class UploadForm(forms.Form):
    """One CSV file."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("UTF-8 or GB 18030, at most 2 MB and 5,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"empty": _("The file has no rows.")},
    )

    def read(self) -> bytes:
        """Return the file, cut one byte above the limit so that the reader refuses it."""
        return self.cleaned_data["file"].read(MAX_BYTES + 1)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """What a row of an upload did wrong."""

    line: int
    column: str
    text: str


def refused_rows(error: ImportRefused) -> list[RefusedRow]:
    """Return the errors of an upload, the first hundred of them."""
    return [_refused_row(row) for row in error.rows[:SHOWN_ERRORS]]


def _refused_row(row: RowError) -> RefusedRow:
    return RefusedRow(row.line, row.field, message_text(row.message, dict(row.params)))
