"""Post many entries in one call; keys and indexes of postings that others cover already go."""

import importlib

import django.db.models.deletion
from django.db import migrations, models

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0011_factor_sets_without_a_day")]

    operations = [
        migrations.AlterField(
            model_name="posting",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.account",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="asset",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.asset",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="entry",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="postings",
                to="settlement.journalentry",
            ),
        ),
        _guards.run_file("batches"),
    ]
