"""Let an entry and its postings come in one statement, checked when it ends."""

import importlib

import django.db.models.deletion
from django.db import migrations, models

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0014_references_checked_in_bulk")]

    operations = [
        migrations.AlterField(
            model_name="journalentry",
            name="reverses",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="settlement.journalentry",
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(
                fields=["reverses"],
                name="entry_taken_back_once",
                condition=models.Q(reverses__isnull=False),
            ),
        ),
        _guards.run_file("whole_entries"),
    ]
