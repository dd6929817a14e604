"""The back office: the calendar of workdays, layouts of files, vouchers for accounting systems."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.domain.tables import ImportRefused
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import is_chinese, listed, localname
from marketplace.web.access import current_actor
from marketplace.web.csv_answers import csv_answer, file_answer
from marketplace.web.form_fields import add_refusal
from marketplace.web.uploads import SHOWN_ERRORS, UploadForm, refused_rows
from settlement.exports.banking.voucher_files import FORMATS, voucher_file
from settlement.models import CalendarDay, CalendarDayKind, FileProfile, FileProfileKind
from settlement.services.banking.profiles import change_profile, set_subject
from settlement.services.banking.vouchers import number_vouchers
from settlement.services.banking.workdays import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    import_calendar,
)
from settlement.web.banking.choices import NamedChoice
from settlement.web.banking.doing import (
    page_of,
    require_books,
    require_calendar,
    require_calendar_reader,
    require_keeper,
    show_detail,
    show_form,
    show_list,
)
from settlement.web.banking.monthly_pages import MonthForm
from settlement.web.banking.tables import Action, Cell, Facts, Head, Page, Table, TableRow

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class VoucherForm(MonthForm):
    """A month of vouchers, for which system, as which file."""

    profile = NamedChoice(
        label=_("Accounting system"), queryset=FileProfile.objects.none(), to_field_name="code"
    )
    file_format = forms.ChoiceField(
        label=_("Format"), choices=[(name, name.upper()) for name in reversed(FORMATS)]
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        profiles = FileProfile.objects.filter(kind=FileProfileKind.VOUCHER, is_active=True)
        self.fields["profile"].queryset = profiles  # type: ignore[attr-defined]
        self.fields["profile"].initial = profiles.first()


class LayoutForm(forms.Form):
    """A layout as JSON."""

    layout = forms.CharField(
        label=_("Layout"), widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "false"})
    )
    is_active = forms.BooleanField(label=_("In use"), required=False)


class SubjectForm(forms.Form):
    """A subject of an accounting system for accounts of ours."""

    account_prefix = forms.CharField(label=_("Our account begins with"), max_length=40)
    subject_code = forms.CharField(label=_("Subject code"), max_length=40)
    subject_name = forms.CharField(label=_("Subject name"), max_length=80, required=False)


@require_calendar_reader
@require_safe
def show_calendar(request: HttpRequest) -> HttpResponse:
    """Show the days that differ from their weekday."""
    page_obj = page_of(request, CalendarDay.objects.order_by("-day"))
    actor = current_actor(request)
    actions = [Action(gettext("Template"), reverse("workdays-template"))]
    if actor.is_platform_finance or actor.is_operator:
        actions.append(Action(gettext("Import years"), reverse("workdays-import"), True))
    unknown = CalendarDay.objects.filter(is_verified=False).values_list("day", flat=True)
    unpublished = sorted({day.year for day in unknown})
    text = gettext("Not published yet, only the statutory days are known: %(years)s.")
    page = Page(
        title=gettext("Workdays"),
        lead=gettext("Holidays and weekend days that are worked; terms and deadlines follow them."),
        actions=actions,
        notice=text % {"years": listed(unpublished)} if unpublished else "",
        notice_tone="warning",
        tables=[Table(gettext("Workdays"), _DAY_HEADS, [_day_row(day) for day in page_obj])],
        empty_title=gettext("The calendar is empty"),
        empty_text=gettext("Then every day from Monday to Friday counts as a workday."),
        icon="calendar-event",
    )
    return show_list(request, page, page_obj)


_DAY_HEADS = (
    Head(_("Day")),
    Head(_("Kind")),
    Head(_("Name")),
    Head(_("Published")),
    Head(_("Source"), place="not-on-phone"),
)


def _day_row(one: CalendarDay) -> TableRow:
    is_off = one.kind == CalendarDayKind.HOLIDAY
    return TableRow(
        [
            Cell(one.day),
            Cell(_kind(one), badge="neutral" if is_off else "active"),
            Cell(one.name_zh if is_chinese() or not one.name_en else one.name_en),
            Cell(gettext("yes") if one.is_verified else gettext("not yet")),
            Cell(_source(one)),
        ]
    )


def _kind(one: CalendarDay) -> str:
    is_off = one.kind == CalendarDayKind.HOLIDAY
    return gettext("Holiday") if is_off else gettext("Make-up workday")


def _source(one: CalendarDay) -> str:
    """Return the reader's half of a source that is given as "Chinese / English"."""
    chinese, _slash, english = one.source.partition(" / ")
    return chinese if is_chinese() or not english else english


@require_calendar
@require_http_methods(["GET", "HEAD", "POST"])
def take_calendar_in(request: HttpRequest) -> HttpResponse:
    """Replace the years that a file holds."""
    form = UploadForm(request.POST or None, request.FILES or None)
    refused: list[Any] = []
    if request.method == "POST" and form.is_valid():
        try:
            years = import_calendar(actor=current_actor(request), data=form.read())
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", gettext("The file was refused; nothing was imported."))
        else:
            text = gettext("Replaced: %(years)s.") % {"years": listed(years)}
            messages.success(request, text)
            return redirect("workdays")
    page = Page(
        title=gettext("Import years"),
        lead=gettext("The years in the file are replaced; issued documents keep their dates."),
        crumbs=[(gettext("Workdays"), reverse("workdays"))],
    )
    extra = {"refused": refused, "most_shown": SHOWN_ERRORS, "cancel_url": reverse("workdays")}
    return show_form(request, page, form, submit_label=gettext("Import"), **extra)


@require_calendar_reader
@require_safe
def calendar_template(request: HttpRequest) -> HttpResponse:
    """Answer the calendar as it stands, as the file that an import takes."""
    rows = (
        [
            one.day.isoformat(),
            one.kind,
            one.source,
            one.name_zh,
            one.name_en,
            "yes" if one.is_verified else "no",
        ]
        for one in CalendarDay.objects.order_by("day")
    )
    return csv_answer("workdays.csv", (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS), rows)


@require_books
@require_http_methods(["GET", "HEAD", "POST"])
def export_vouchers(request: HttpRequest) -> HttpResponse:
    """Number the vouchers of a month and answer them for an accounting system."""
    today = market_date(market_now())
    form = VoucherForm(request.POST or None, initial={"month": today.replace(day=1)})
    actor = current_actor(request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if actor.is_platform_finance:
                number_vouchers(actor=actor, month=given["month"])
            content = voucher_file(
                given["profile"], given["month"], file_format=given["file_format"]
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            suffix = given["file_format"]
            name = f"vouchers-{given['profile'].code}-{given['month']:%Y%m}.{suffix}"
            return file_answer(content, name=name, content_type=CONTENT_TYPES[suffix])
    page = Page(
        title=gettext("Accounting vouchers"),
        lead=gettext("Each entry of the month as a balanced voucher with a number of its own."),
        actions=[Action(gettext("File layouts"), reverse("file-layouts"))],
        facts=[
            Facts(
                gettext("How it works"),
                [],
                gettext("A number once given stays; entries posted later follow it."),
            )
        ],
    )
    return show_form(request, page, form, submit_label=gettext("Download"))


@require_books
@require_safe
def list_layouts(request: HttpRequest) -> HttpResponse:
    """Show the layouts of bank and accounting files."""
    page_obj = page_of(request, FileProfile.objects.order_by("kind", "code"))
    rows = [
        TableRow(
            [
                Cell(localname(one), url=reverse("file-layout", args=[one.code])),
                Cell(code=one.code),
                Cell(one.get_kind_display()),
                Cell(gettext("yes") if one.is_active else gettext("no")),
            ]
        )
        for one in page_obj
    ]
    heads = [Head(_("Name")), Head(_("Code")), Head(_("Kind")), Head(_("In use"))]
    page = Page(
        title=gettext("File layouts"),
        lead=gettext("The columns of your bank and of your accounting system."),
        tables=[Table(gettext("File layouts"), heads, rows)],
        empty_title=gettext("No layouts"),
        empty_text=gettext("The shipped ones come when the market is set up."),
        icon="file-text",
    )
    return show_list(request, page, page_obj)


@require_books
@require_http_methods(["GET", "HEAD", "POST"])
def show_layout(request: HttpRequest, code: str) -> HttpResponse:
    """Show a layout with its subjects; finance changes it."""
    one = get_object_or_404(FileProfile, code=code)
    actor = current_actor(request)
    initial = {
        "layout": json.dumps(one.layout, ensure_ascii=False, indent=2),
        "is_active": one.is_active,
    }
    form = None
    if actor.is_platform_finance:
        form = LayoutForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                change_profile(
                    actor=actor,
                    code=code,
                    layout_text=given["layout"],
                    is_active=given["is_active"],
                )
            except RuleBroken as error:
                add_refusal(form, error)
            else:
                messages.success(request, gettext("The layout is changed."))
                return redirect("file-layout", code=code)
    is_voucher = one.kind == FileProfileKind.VOUCHER
    actions = []
    if is_voucher and actor.is_platform_finance:
        actions = [Action(gettext("Set a subject"), reverse("file-layout-subject", args=[code]))]
    page = Page(
        title=localname(one),
        lead=str(one.get_kind_display()),
        crumbs=[(gettext("File layouts"), reverse("file-layouts"))],
        actions=actions,
        tables=[_columns_table(one), *([_subjects_table(one)] if is_voucher else [])],
    )
    extra = {"form_title": gettext("Layout"), "submit_label": gettext("Save")}
    return show_detail(request, page, form=form, **extra)


def _columns_table(one: FileProfile) -> Table:
    columns = one.layout.get("columns", {})
    pairs = list(columns.items()) if isinstance(columns, dict) else [(s, h) for h, s in columns]
    heads = [Head(_("Column of the file")), Head(_("Ours"))]
    rows = [TableRow([Cell(heading), Cell(code=source)]) for source, heading in pairs]
    return Table(gettext("Columns"), heads, rows)


def _subjects_table(one: FileProfile) -> Table:
    heads = [Head(_("Our account begins with")), Head(_("Subject code")), Head(_("Subject name"))]
    rows = [
        TableRow([Cell(code=row.account_prefix), Cell(row.subject_code), Cell(row.subject_name)])
        for row in one.subjects.order_by("account_prefix")
    ]
    return Table(gettext("Subjects"), heads, rows, gettext("No subjects yet."))


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def choose_subject(request: HttpRequest, code: str) -> HttpResponse:
    """Say which subject stands for accounts of ours."""
    one = get_object_or_404(FileProfile, code=code, kind=FileProfileKind.VOUCHER)
    form = SubjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_subject(actor=current_actor(request), code=code, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The subject is set."))
            return redirect("file-layout", code=code)
    back = reverse("file-layout", args=[code])
    page = Page(
        title=gettext("Set a subject"),
        lead=gettext("The longest beginning of an account's code wins."),
        crumbs=[
            (gettext("File layouts"), reverse("file-layouts")),
            (localname(one), back),
        ],
    )
    return show_form(request, page, form, submit_label=gettext("Save"), cancel_url=back)
