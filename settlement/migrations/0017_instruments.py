"""Granular certificates, origins of international batches, formats of registry files."""

import importlib

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models

import settlement.models.deliveries
from marketplace.services.history import protect_history

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")
KEPT_TABLES = ("settlement_granularbundle", "settlement_batchorigin")


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0016_hourly_green_supply"),
    ]

    operations = [
        migrations.CreateModel(
            name="BatchOrigin",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("native_serial", models.CharField(max_length=160, verbose_name="Serial block")),
                ("country", models.CharField(max_length=2, verbose_name="Host country")),
                ("sector", models.PositiveSmallIntegerField(verbose_name="Sectoral scope")),
                (
                    "adjustment",
                    models.CharField(
                        choices=[
                            ("unknown", "Not stated"),
                            ("not_required", "Not required"),
                            ("committed", "Committed, not made"),
                            ("completed", "Made"),
                        ],
                        max_length=12,
                        verbose_name="Corresponding adjustment",
                    ),
                ),
                (
                    "has_additional_certification",
                    models.BooleanField(verbose_name="Additional certification"),
                ),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "Origin of a batch",
                "verbose_name_plural": "Origins of batches",
            },
        ),
        migrations.CreateModel(
            name="GranularBundle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("device", models.CharField(max_length=64, verbose_name="Device")),
                ("source", models.CharField(max_length=40, verbose_name="Energy source")),
                ("starts_at", models.DateTimeField(verbose_name="Production from")),
                ("ends_at", models.DateTimeField(verbose_name="Production to")),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "Bundle of granular certificates",
                "verbose_name_plural": "Bundles of granular certificates",
            },
        ),
        migrations.RemoveConstraint(
            model_name="registry",
            name="registry_unit_fits_kind",
        ),
        migrations.AddField(
            model_name="project",
            name="country",
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name="project",
            name="sector",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="registryimport",
            name="content",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="registryimport",
            name="file_format",
            field=models.CharField(
                choices=[
                    ("table", "Table of batches (CSV)"),
                    ("vcs", "VCS units by their serials (CSV)"),
                    ("cad_trust", "Projects and units as in CAD Trust (JSON)"),
                    ("hours", "Metered hours for granular certificates (CSV)"),
                ],
                default="table",
                max_length=10,
                verbose_name="Format",
            ),
        ),
        migrations.AddField(
            model_name="registryimport",
            name="warnings",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="retirement",
            name="claim_hour",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="registry",
            name="unit",
            field=models.CharField(
                choices=[("MWh", "MWh"), ("Wh", "Wh"), ("tCO2e", "tCO2e")], max_length=6
            ),
        ),
        migrations.AlterField(
            model_name="retirement",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("voluntary", "Voluntary claim"),
                    ("green_power", "Green power consumption"),
                    ("recognition", "Mutual recognition"),
                    ("compliance", "Compliance in an emissions trading scheme"),
                    ("replacement", "Replacement of invalidated units"),
                    ("granular", "Issue of granular certificates"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="unitbatch",
            name="kind",
            field=models.CharField(
                choices=[
                    ("certificate", "Green certificates"),
                    ("granular", "Granular certificates"),
                    ("credit", "Carbon credits"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="registry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "energy_attribute"), ("unit", "MWh")),
                    models.Q(("kind", "granular"), ("unit", "Wh")),
                    models.Q(("kind__in", ["credit", "allowance"]), ("unit", "tCO2e")),
                    ("kind", "platform"),
                    _connector="OR",
                ),
                name="registry_unit_fits_kind",
            ),
        ),
        migrations.AddField(
            model_name="batchorigin",
            name="batch",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="origin",
                to="settlement.unitbatch",
            ),
        ),
        migrations.AddField(
            model_name="granularbundle",
            name="batch",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bundle",
                to="settlement.unitbatch",
            ),
        ),
        migrations.AddField(
            model_name="granularbundle",
            name="parent_slice",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bundle",
                to="settlement.granularslice",
            ),
        ),
        migrations.AddField(
            model_name="granularbundle",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.project",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchorigin",
            constraint=models.CheckConstraint(
                condition=models.Q(("sector__gte", 1), ("sector__lte", 16)),
                name="sectoral_scope_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="granularbundle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__gt", models.F("starts_at")),
                    models.Q(("device", ""), _negated=True),
                    models.Q(("source", ""), _negated=True),
                ),
                name="bundle_of_a_device_and_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="granularbundle",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("project", "="),
                    ("device", "="),
                    (settlement.models.deliveries.TsTzRange("starts_at", "ends_at"), "&&"),
                ],
                name="a_device_produces_once",
            ),
        ),
        _guards.run_file("instruments"),
        *protect_history(*KEPT_TABLES),
    ]
