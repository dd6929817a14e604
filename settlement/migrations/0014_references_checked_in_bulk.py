"""Check what postings refer to once per statement, and post a batch in one."""

import importlib

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0013_slices_without_a_row_lock")]

    operations = [
        migrations.AlterField(
            model_name="posting",
            name="entry",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="postings",
                to="settlement.journalentry",
            ),
        ),
        migrations.AlterField(
            model_name="journalentry",
            name="period",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.bookperiod",
            ),
        ),
        migrations.AlterField(
            model_name="journalentry",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=BrinIndex(fields=["period"], name="entry_period"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(
                fields=["actor"], name="entry_actor", condition=models.Q(actor__isnull=False)
            ),
        ),
        _guards.run_file("bulk"),
    ]
