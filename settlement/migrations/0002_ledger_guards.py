"""What the database itself guarantees about money, so that no program has to be trusted."""

from pathlib import Path

from django.conf import settings
from django.db import migrations

from marketplace.services.history import protect_history

SQL = Path(__file__).parent / "sql"

KEPT_TABLES = (
    "settlement_journalentry",
    "settlement_posting",
    "settlement_holdevent",
    "settlement_ledgerblock",
    "settlement_balancesnapshot",
    "settlement_meterreading",
    "settlement_deliverytransition",
    "settlement_deliveryaccess",
    "settlement_ratedline",
    "settlement_ratedperiod",
    "settlement_invoiceline",
    "settlement_emissionrecord",
    "settlement_invariantrun",
)

# What the runtime role keeps on tables that change in one way only; holds and balances are written
# by the ledger's own functions with the owner's rights.
RIGHTS = {
    "settlement_invoice": "state",
    "settlement_accountbalance": "credit_limit, version",
    "settlement_hold": "",
}


def run_file(name: str) -> migrations.RunSQL:
    """Return the operation that runs a file of SQL, with its reverse."""
    return migrations.RunSQL(
        (SQL / f"{name}.sql").read_text(encoding="utf-8"),
        (SQL / f"{name}_reverse.sql").read_text(encoding="utf-8"),
    )


def limit_rights(table: str, columns: str) -> migrations.RunSQL:
    """Return the operation that leaves the runtime role only some columns to update."""
    role = settings.DATABASE_RUNTIME_ROLE
    # The names come from this file and the settings, never from a request.
    grant = f"GRANT UPDATE ({columns}) ON {table} TO {role};" if columns else ""
    forward = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role};
        {grant}
    END IF;
END $$;
"""  # noqa: S608
    return migrations.RunSQL(forward, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0001_initial"),
        ("marketplace", "0002_market_clock_and_append_only_audit"),
    ]

    operations = [
        run_file("entries"),
        run_file("postings"),
        run_file("holds"),
        run_file("posting_functions"),
        run_file("hold_functions"),
        run_file("documents"),
        *protect_history(*KEPT_TABLES),
        *(limit_rights(table, columns) for table, columns in RIGHTS.items()),
    ]
