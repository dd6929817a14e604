"""The months of the books: open, closed for all but finance, closed for everybody."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable


class PeriodState(models.TextChoices):
    """Open, closed for all but finance, closed for everybody."""

    OPEN = "open", pgettext_lazy("books", "Open")
    SOFT_CLOSED = "soft_closed", _("Soft-closed")
    HARD_CLOSED = "hard_closed", _("Hard-closed")


PERIOD_TRANSITIONS = TransitionTable(
    PeriodState,
    {
        "open": {"soft_closed"},
        "soft_closed": {"open", "hard_closed"},
        "hard_closed": set(),
    },
)


class BookPeriod(models.Model):
    """An accounting month of a book; entries may only be dated into an open one.

    `closed_by` asked for the close and `approved_by`, another person, let it happen. The block is
    the head of the hash chain at the hard close: whoever keeps a copy of it can prove the month.
    """

    book = models.CharField(max_length=20, default="main")
    days = DateRangeField()
    state = models.CharField(max_length=12, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closing_block = models.ForeignKey(
        "settlement.LedgerBlock",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("Book period")
        verbose_name_plural = _("Book periods")
        constraints = [
            ExclusionConstraint(
                name="book_periods_do_not_overlap",
                expressions=[
                    ("book", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=~models.Q(state=PeriodState.HARD_CLOSED)
                | models.Q(
                    closed_by__isnull=False, approved_by__isnull=False, closed_at__isnull=False
                )
                & ~models.Q(approved_by=models.F("closed_by")),
                name="hard_close_takes_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.days}"
