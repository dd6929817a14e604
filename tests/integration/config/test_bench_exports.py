"""What the timing of exports is taken on is posted past every guard of the books."""

from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from config.management.commands.bench_exports import LINES, fill
from settlement.models import JournalEntry, Posting
from settlement.services.invariants import broken_invariants

pytestmark = pytest.mark.django_db


def test_the_books_are_filled_once_and_balance() -> None:
    fill(400)
    fill(400)

    benched = JournalEntry.objects.filter(idempotency_key__startswith="bench:")
    lines = benched.annotate(lines=Count("postings")).values_list("lines", flat=True)
    assert list(lines) == [LINES] * 100
    assert Posting.objects.aggregate(sum=Sum("amount"))["sum"] == Decimal(0)
    assert broken_invariants() == []
