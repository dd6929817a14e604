"""Let one statement that changes many holds change each balance once."""

import importlib

from django.db import migrations

_guards = importlib.import_module("settlement.migrations.0002_ledger_guards")


class Migration(migrations.Migration):
    dependencies = [("settlement", "0018_named_path")]

    operations = [_guards.run_file("holds_in_bulk")]
