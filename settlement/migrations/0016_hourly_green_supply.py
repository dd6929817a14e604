"""Sources of green energy, their hours beside those of certificates, and stated shares."""

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from marketplace.services.history import protect_history

# Entered figures and evidence are kept as they were entered.
KEPT_TABLES = ("settlement_greensource", "settlement_greenreference")


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0009_carbon_by_the_hour_of_the_day"),
        ("orders", "0010_english_labels"),
        ("settlement", "0015_whole_entries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GreenReference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("grid_share", "Carbon-free share of the grid"),
                            ("target_share", "Green share wanted of data centres"),
                        ],
                        max_length=12,
                    ),
                ),
                ("area_en", models.CharField(blank=True, max_length=40)),
                ("valid_from", models.DateField(verbose_name="From")),
                (
                    "share",
                    models.DecimalField(decimal_places=4, max_digits=5, verbose_name="Share"),
                ),
                ("source", models.CharField(max_length=200, verbose_name="Source")),
                ("note", models.CharField(blank=True, max_length=200)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "Stated green share",
                "verbose_name_plural": "Stated green shares",
            },
        ),
        migrations.CreateModel(
            name="GreenSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("code", models.CharField(max_length=24, unique=True, verbose_name="Code")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("own_solar", "Own solar"),
                            ("own_wind", "Own wind"),
                            ("direct", "Direct green supply"),
                            ("contract", "Contract (PPA)"),
                            ("storage", "Storage discharge"),
                        ],
                        max_length=10,
                        verbose_name="Kind",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="Name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=120, verbose_name="English name"),
                ),
                ("capacity_w", models.PositiveBigIntegerField(verbose_name="Capacity, W")),
                ("valid_from", models.DateField(verbose_name="From")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="Until")),
                ("evidence", models.CharField(max_length=200, verbose_name="Evidence")),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "Green source",
                "verbose_name_plural": "Green sources",
            },
        ),
        migrations.AlterModelOptions(
            name="granularslice",
            options={
                "verbose_name": "Green energy of an hour",
                "verbose_name_plural": "Green energy by the hour",
            },
        ),
        migrations.AddField(
            model_name="emissionstatement",
            name="direct_wh",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="emissionstatement",
            name="hourly_wh",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="emissionstatement",
            name="own_wh",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="emissionstatement",
            name="supply_wh",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="granularslice",
            name="charge_wh",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="granularslice",
            name="reading",
            field=models.CharField(
                choices=[("forecast", "Forecast"), ("metered", "Metered")],
                default="metered",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="granularslice",
            name="revision",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name="granularslice",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="slices",
                to="settlement.unitbatch",
            ),
        ),
        migrations.AddConstraint(
            model_name="emissionstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("direct_wh__gte", 0),
                    ("facility_wh__gte", models.F("hourly_wh")),
                    (
                        "hourly_wh__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("own_wh"), "+", models.F("direct_wh")
                        ),
                    ),
                    (
                        "matched_wh__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("own_wh"), "+", models.F("direct_wh")
                        ),
                    ),
                    ("own_wh__gte", 0),
                    ("supply_wh__gte", models.F("hourly_wh")),
                ),
                name="statement_supply_adds_up",
            ),
        ),
        migrations.AddField(
            model_name="greenreference",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="greensource",
            name="pool",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.resourcepool",
            ),
        ),
        migrations.AddField(
            model_name="greensource",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="granularslice",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="slices",
                to="settlement.greensource",
            ),
        ),
        migrations.AddConstraint(
            model_name="granularslice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("batch__isnull", True)),
                fields=("source", "starts_at", "reading", "revision"),
                name="slice_of_source_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="granularslice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("batch__isnull", False), ("source__isnull", False), _connector="OR"
                ),
                name="slice_of_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="granularslice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("batch__isnull", True),
                    models.Q(("charge_wh", 0), ("reading", "metered"), ("revision", 1)),
                    _connector="OR",
                ),
                name="slice_of_certificates_is_metered_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenreference",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gte", 0), ("share__lte", 1)),
                name="green_reference_is_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="greenreference",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", ""), _negated=True), name="green_reference_has_source"
            ),
        ),
        migrations.AddConstraint(
            model_name="greenreference",
            constraint=models.UniqueConstraint(
                fields=("kind", "area_en", "valid_from"), name="green_reference_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="greensource",
            index=models.Index(fields=["pool", "code"], name="green_source_pool"),
        ),
        migrations.AddConstraint(
            model_name="greensource",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity_w__gt", 0), ("capacity_w__lte", 100000000000)),
                name="green_source_capacity_sane",
            ),
        ),
        migrations.AddConstraint(
            model_name="greensource",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True),
                    ("valid_to__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="green_source_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="greensource",
            constraint=models.CheckConstraint(
                condition=models.Q(("evidence", ""), _negated=True),
                name="green_source_has_evidence",
            ),
        ),
        *protect_history(*KEPT_TABLES),
    ]
