from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("settlement", "0012_batches")]

    operations = [
        migrations.RunSQL(
            (SQL / "carbon_slices.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
