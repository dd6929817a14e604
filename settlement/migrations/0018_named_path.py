"""Let every function of the database that asks a table name where it looks."""

import importlib

from django.db import migrations

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0009_carbon_by_the_hour_of_the_day"),
        ("orders", "0010_english_labels"),
        ("settlement", "0017_instruments"),
    ]

    # Going back leaves the functions as they are: naming the path changes nothing else of them.
    operations = [
        migrations.RunSQL(
            (_guards.SQL / "named_path.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
