"""Sums of a published run by product and hub; never rewritten."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0002_market_clock_and_append_only_audit"),
        ("orders", "0003_operator_desk_indicative_figures_and_surveillance"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceSummary",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit_hours", models.DecimalField(decimal_places=6, max_digits=20)),
                ("value_cny", models.DecimalField(decimal_places=6, max_digits=24)),
                ("lowest_price", models.DecimalField(decimal_places=8, max_digits=16)),
                ("highest_price", models.DecimalField(decimal_places=8, max_digits=16)),
                (
                    "hub",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.hub",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.product",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="summaries",
                        to="orders.clearingrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "Price summary",
                "verbose_name_plural": "Price summaries",
                "indexes": [models.Index(fields=["product", "run"], name="price_summary_product")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "product", "hub"), name="price_summary_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit_hours__gt", 0)), name="price_summary_has_volume"
                    ),
                ],
            },
        ),
    ]
