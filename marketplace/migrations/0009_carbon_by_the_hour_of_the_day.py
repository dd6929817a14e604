"""Declared carbon for each hour of the day."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0008_declared_carbon_names_its_evidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="resourcepool",
            name="carbon_profile_g",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DecimalField(decimal_places=3, max_digits=12),
                blank=True,
                default=list,
                size=None,
                verbose_name="Carbon by hour of the day, g per unit-hour",
            ),
        ),
        migrations.AddConstraint(
            model_name="resourcepool",
            constraint=models.CheckConstraint(
                condition=models.Q(("carbon_profile_g__len__in", [0, 24])),
                name="pool_carbon_profile_is_a_day",
            ),
        ),
    ]
