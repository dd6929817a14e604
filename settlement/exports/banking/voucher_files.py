"""Accounting vouchers (记账凭证) for another accounting system, in the columns of its import."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.utils import translation

from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.domain.banking.layouts import VOUCHER_FIELDS, out_layout
from settlement.exports.banking.tables import Values, csv_of, xlsx_of
from settlement.exports.words import line_or_entry_words
from settlement.models import AccountingVoucher, FileProfile, Posting

FORMATS = ("csv", "xlsx")
_ZERO = Decimal(0)


class SubjectMissing(RuleBroken):
    """No subject stands for an account of ours."""

    code = "subject_missing"
    message = gettext_noop("No subject stands for account %(account)s; add one to the layout.")
    status = 409


class VoucherNotBalanced(RuleBroken):
    """Debit and credit of a voucher differ: nothing is given out."""

    code = "voucher_not_balanced"
    message = gettext_noop("Voucher %(number)s is not balanced.")
    status = 500


def voucher_file(profile: FileProfile, month: date, *, file_format: str) -> bytes:
    """Return the numbered vouchers of a month; each is balanced.

    Raises:
        SubjectMissing, VoucherNotBalanced: nothing is given out.
        LayoutInvalid: the layout is not usable.
    """
    layout = out_layout(profile.layout, VOUCHER_FIELDS)
    rows = voucher_rows(profile, month)
    if file_format == "csv":
        return csv_of(rows, layout)
    return xlsx_of(
        rows, layout, name="vouchers", title=f"凭证 {month:%Y-%m}", totals=("debit", "credit")
    )


def voucher_rows(profile: FileProfile, month: date) -> list[Values]:
    """Return a row for each posting in CNY of the month's vouchers, in their order."""
    subjects = sorted(
        profile.subjects.values_list("account_prefix", "subject_code", "subject_name"),
        key=lambda row: -len(row[0]),
    )
    rows: list[Values] = []
    vouchers = AccountingVoucher.objects.filter(month=month.replace(day=1))
    postings: dict[int, list[Posting]] = {}
    for posting in (
        Posting.objects.filter(entry__voucher__in=vouchers, asset_id="CNY")
        .select_related("account__organisation", "entry__actor")
        .order_by("entry_id", "line")
    ):
        postings.setdefault(posting.entry_id, []).append(posting)
    with translation.override("zh-hans"):
        for voucher in vouchers.order_by("running"):
            lines = postings[voucher.entry_id]
            if sum((line.amount for line in lines), _ZERO):
                raise VoucherNotBalanced(number=voucher.running)
            rows += _voucher(voucher, lines, subjects)
    return rows


def _voucher(
    voucher: AccountingVoucher, lines: Iterable[Posting], subjects: list[tuple[str, str, str]]
) -> list[Values]:
    return [
        _row(voucher, position, posting, _subject(posting.account.code, subjects))
        for position, posting in enumerate(lines, 1)
    ]


def _row(
    voucher: AccountingVoucher, position: int, posting: Posting, subject: tuple[str, str]
) -> Values:
    entry, owner = posting.entry, posting.account.organisation
    return {
        "date": entry.effective_on,
        "period": f"{voucher.month:%Y-%m}",
        "word": "记",
        "number": str(voucher.running),
        "line": str(position),
        "summary": f"{line_or_entry_words(entry.kind)} {entry.source_id}"[:120],
        "subject_code": subject[0],
        "subject_name": subject[1],
        "debit": posting.amount if posting.amount > 0 else None,
        "credit": -posting.amount if posting.amount < 0 else None,
        "currency": "RMB",
        "rate": "1",
        "partner_code": owner.code if owner else "",
        "partner_name": owner.name_zh if owner else "",
        "maker": str(entry.actor) if entry.actor else "系统",
        "attachments": "0",
    }


def _subject(account: str, subjects: list[tuple[str, str, str]]) -> tuple[str, str]:
    for prefix, code, name in subjects:
        if account.startswith(prefix):
            return code, name
    raise SubjectMissing(account=account)
