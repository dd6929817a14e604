"""Workdays, and how other people's files are laid out."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import RecordedAtField


class CalendarDayKind(models.TextChoices):
    """What sets a day apart from its weekday."""

    HOLIDAY = "holiday", _("Holiday")
    WORKDAY = "workday", _("Make-up workday (调休)")


class CalendarDay(models.Model):
    """A holiday, or a weekend day that is worked; other days follow their weekday."""

    day = models.DateField(_("Day"), unique=True)
    kind = models.CharField(_("Kind"), max_length=8, choices=CalendarDayKind.choices)
    name_zh = models.CharField(_("Chinese name"), max_length=40, blank=True)
    name_en = models.CharField(_("English name"), max_length=60, blank=True)
    source = models.CharField(_("Source"), max_length=200)
    is_verified = models.BooleanField(_("Published"), default=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Calendar day")
        verbose_name_plural = _("Calendar days")

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class FileProfileKind(models.TextChoices):
    """What a layout is for."""

    STATEMENT = "statement", _("Bank statement, in")
    PAYOUT = "payout", _("Payment file, out")
    VOUCHER = "voucher", _("Accounting vouchers, out")


class FileProfile(models.Model):
    """The layout of a bank's or an accounting system's files; `layout` is checked on writing."""

    code = models.CharField(_("Code"), max_length=30, unique=True)
    kind = models.CharField(_("Kind"), max_length=10, choices=FileProfileKind.choices)
    name_zh = models.CharField(_("Chinese name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=120)
    layout = models.JSONField(_("Layout"), default=dict)
    is_active = models.BooleanField(_("In use"), default=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("File layout")
        verbose_name_plural = _("File layouts")

    def __str__(self) -> str:
        return self.code


class SubjectMapping(models.Model):
    """The subject (会计科目) that stands for an account of ours; the longest prefix wins."""

    profile = models.ForeignKey(FileProfile, on_delete=models.CASCADE, related_name="subjects")
    account_prefix = models.CharField(_("Our account begins with"), max_length=40)
    subject_code = models.CharField(_("Subject code"), max_length=40)
    subject_name = models.CharField(_("Subject name"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("Subject of an accounting system")
        verbose_name_plural = _("Subjects of accounting systems")
        constraints = [
            models.UniqueConstraint(fields=["profile", "account_prefix"], name="subject_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.account_prefix} {self.subject_code}"


class AccountingVoucher(models.Model):
    """The number an entry has in the voucher series of its month (记账凭证号). Append-only."""

    entry = models.OneToOneField(
        "settlement.JournalEntry", on_delete=models.PROTECT, related_name="voucher"
    )
    month = models.DateField()
    running = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Accounting voucher")
        verbose_name_plural = _("Accounting vouchers")
        constraints = [
            models.UniqueConstraint(fields=["month", "running"], name="voucher_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}/{self.running}"


class DocumentTransition(models.Model):
    """A document of the monthly cycle changed its state: who, when, why. Append-only."""

    document_type = models.CharField(max_length=20)
    document = models.CharField(max_length=40)
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)
    market_at = models.DateTimeField()
    recorded_at = RecordedAtField(follows=("document_type", "document"))

    class Meta:
        verbose_name = _("Transition of a document")
        verbose_name_plural = _("Transitions of documents")
        indexes = [
            models.Index(fields=["document_type", "document", "id"], name="document_history"),
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.to_state}"
