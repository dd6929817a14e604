"""Models made together come out as models made one by one."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from marketplace.migration_operations import CreateTogether


def _parts():
    key = ("id", models.BigAutoField(primary_key=True))
    parent = models.ForeignKey("marketplace.Upper", models.CASCADE)
    return [
        migrations.CreateModel("Lower", [key, ("size", models.IntegerField())]),
        migrations.CreateModel("Upper", [key]),
        migrations.AddField("Lower", "upper", parent),
        migrations.AddIndex("Lower", models.Index(fields=["size"], name="lower_size")),
        migrations.AddConstraint(
            "Lower", models.CheckConstraint(condition=models.Q(size__gt=0), name="lower_positive")
        ),
    ]


def _describe(cursor):
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'marketplace_lower'::regclass AND contype IN ('p', 'f', 'c') ORDER BY 2"
    )
    constraints = [definition for _, definition in cursor.fetchall()]
    cursor.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'marketplace_lower' ORDER BY 1"
    )
    return constraints, sorted(name.split("_id_")[0] for (name,) in cursor.fetchall())


def _apply(operations):
    migration = migrations.Migration("test", "marketplace")
    migration.operations = operations
    with connection.schema_editor(atomic=False) as editor:
        state = migration.apply(ProjectState(), editor)
    with connection.cursor() as cursor:
        found = _describe(cursor)
    with connection.schema_editor(atomic=False) as editor:
        migration.unapply(ProjectState(), editor)
    return found, sorted(state.models)


@pytest.mark.django_db(transaction=True)
def test_same_tables_as_one_by_one_and_back_again():
    together = _apply([CreateTogether(_parts())])
    one_by_one = _apply(_parts())

    assert together == one_by_one
    assert len(together[0][0]) == 3  # primary key, foreign key, check
    assert "marketplace_lower" not in connection.introspection.table_names()


def test_other_operations_are_refused():
    with pytest.raises(TypeError, match="These do not create a model"):
        CreateTogether([migrations.RunSQL("SELECT 1")])
