"""The SQL side of the market clock, and the append-only audit trail."""

from django.db import migrations

from marketplace.services.history import protect_history, refuse_rewrite_function

MARKET_NOW = """
CREATE OR REPLACE FUNCTION market_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(
        (SELECT market_anchor_at + (clock_timestamp() - real_anchor_at) * speed::float8
           FROM marketplace_marketclock WHERE id = 1),
        clock_timestamp());
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_initial")]

    operations = [
        migrations.RunSQL(MARKET_NOW, "DROP FUNCTION IF EXISTS market_now()"),
        refuse_rewrite_function(),
        *protect_history(
            "marketplace_auditevent", "marketplace_outboxevent", "marketplace_inboxreceipt"
        ),
    ]
