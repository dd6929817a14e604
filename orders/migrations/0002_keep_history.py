"""What was published or recorded about an auction is never rewritten."""

from django.db import migrations

from marketplace.services.history import protect_history


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("marketplace", "0002_market_clock_and_append_only_audit"),
    ]

    operations = protect_history(
        "orders_auctiontransition",
        "orders_clearingprice",
        "orders_linkflow",
        "orders_linkrent",
        "orders_allocation",
        "orders_allocationperiod",
    )
