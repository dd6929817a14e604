"""Closing a month: what one person asks and another decides, snapshots, corrections, sweeps."""

import importlib
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from marketplace.migration_operations import CreateTogether
from marketplace.services.history import protect_history

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")
KEPT_TABLES = ("settlement_entrycorrection", "settlement_invariantresult")
RIGHTS = {
    "settlement_bookperiod": ("state, closed_by_id, approved_by_id, closed_at, closing_block_id"),
    "settlement_periodchange": "state, decided_by_id, decided_at, decision_reason",
}


def take_inserts(table: str) -> migrations.RunSQL:
    """Return the operation that leaves writing rows to the owner's functions."""
    role = settings.DATABASE_RUNTIME_ROLE
    # The names come from this file and the settings, never from a request.
    forward = f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        REVOKE INSERT ON {table} FROM {role};
    END IF;
END $$;
"""  # noqa: S608
    return migrations.RunSQL(forward, migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0006_registry"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTogether(
            [
                migrations.CreateModel(
                    name="EntryCorrection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("belongs_on", models.DateField()),
                        ("recorded_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "verbose_name": "Correction",
                        "verbose_name_plural": "Corrections",
                    },
                ),
                migrations.CreateModel(
                    name="InvariantResult",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("code", models.CharField(max_length=20)),
                        ("duration_ms", models.PositiveIntegerField()),
                        ("finding_count", models.PositiveIntegerField()),
                        ("sample", models.JSONField(default=list)),
                    ],
                    options={
                        "verbose_name": "Outcome of an invariant",
                        "verbose_name_plural": "Outcomes of invariants",
                    },
                ),
                migrations.CreateModel(
                    name="PeriodChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        (
                            "public_id",
                            models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("hard_close", "Close for good"),
                                    ("reopen", "Open again"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("entered", "Waiting for a second person"),
                                    ("approved", "Approved"),
                                    ("rejected", "Rejected"),
                                ],
                                default="entered",
                                max_length=10,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=200)),
                        ("entered_at", models.DateTimeField(auto_now_add=True)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("decision_reason", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "verbose_name": "Change of a month's state",
                        "verbose_name_plural": "Changes of months' states",
                    },
                ),
                migrations.AddField(
                    model_name="entrycorrection",
                    name="corrects",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="settlement.journalentry",
                    ),
                ),
                migrations.AddField(
                    model_name="entrycorrection",
                    name="entry",
                    field=models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction",
                        to="settlement.journalentry",
                    ),
                ),
                migrations.AddField(
                    model_name="invariantresult",
                    name="run",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="settlement.invariantrun",
                    ),
                ),
                migrations.AddField(
                    model_name="periodchange",
                    name="decided_by",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="periodchange",
                    name="entered_by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="periodchange",
                    name="period",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="settlement.bookperiod",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="entrycorrection",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("entry", models.F("corrects")), _negated=True),
                        name="corrects_another_entry",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="invariantresult",
                    constraint=models.UniqueConstraint(
                        fields=("run", "code"), name="one_result_per_invariant"
                    ),
                ),
                migrations.AddConstraint(
                    model_name="periodchange",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("entered_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="period_change_two_persons",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="periodchange",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by__isnull", True), ("state", "entered")),
                            models.Q(
                                models.Q(("state", "entered"), _negated=True),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="period_change_decided_by_somebody",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="periodchange",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("state", "entered")),
                        fields=("period",),
                        name="one_open_change_per_period",
                    ),
                ),
            ]
        ),
        migrations.AddField(
            model_name="bookperiod",
            name="closing_block",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="settlement.ledgerblock",
            ),
        ),
        migrations.AddField(
            model_name="invariantrun",
            name="chain_head",
            field=models.CharField(blank=True, max_length=90),
        ),
        migrations.AddField(
            model_name="invariantrun",
            name="duration_ms",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="bookperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "hard_closed"), _negated=True),
                    models.Q(
                        ("approved_by__isnull", False),
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        models.Q(("approved_by", models.F("closed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="hard_close_takes_two_persons",
            ),
        ),
        _guards.run_file("closing"),
        *protect_history(*KEPT_TABLES),
        *(_guards.limit_rights(table, columns) for table, columns in RIGHTS.items()),
        take_inserts("settlement_balancesnapshot"),
    ]
