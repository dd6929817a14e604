"""Rules over all models: direction of keys, state tables, money, migrations."""

import importlib
import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from marketplace.domain.transitions import TransitionTable

RANK = {"marketplace": 0, "orders": 1, "settlement": 2, "config": 3}
OWN_APPS = [apps.get_app_config(name) for name in RANK]


def _own_models():
    return [model for app in OWN_APPS for model in app.get_models()]


def _keys():
    for model in _own_models():
        for field in model._meta.get_fields(include_parents=False):
            if field.is_relation and field.concrete and field.related_model is not None:
                yield model, field


def test_foreign_keys_point_down_or_sideways():
    upward = [
        f"{model._meta.label}.{field.name}"
        for model, field in _keys()
        if RANK.get(field.related_model._meta.app_label, -1) > RANK[model._meta.app_label]
    ]

    assert upward == []


def test_reverse_names_across_apps_are_hidden():
    # organisation.invoices in marketplace code would be an upward dependency in disguise.
    visible = [
        f"{model._meta.label}.{field.name}"
        for model, field in _keys()
        if field.related_model._meta.app_label in RANK
        and field.related_model._meta.app_label != model._meta.app_label
        and not field.remote_field.hidden
    ]

    assert visible == []


def test_every_model_says_what_it_is():
    silent = [
        m._meta.label
        for m in _own_models()
        if not m.__doc__ or m.__doc__.startswith(m.__name__ + "(")
    ]

    assert silent == []


def test_no_model_keeps_money_in_a_float():
    floats = [
        f"{model._meta.label}.{field.name}"
        for model in _own_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FloatField)
        and re.search(r"price|amount|cost|fee|cny|balance|rent", field.name)
    ]

    assert floats == []


def _members(module_name, kind):
    module = importlib.import_module(module_name)
    return {name: value for name, value in vars(module).items() if kind(value)}


def _state_enums():
    return {
        value
        for app in ("marketplace", "orders", "settlement")
        for value in _members(
            f"{app}.models",
            lambda v: isinstance(v, type) and issubclass(v, models.TextChoices),
        ).values()
        if value.__name__.endswith("State")
    }


def _tables():
    return [
        value
        for app in ("marketplace", "orders", "settlement")
        for value in _members(f"{app}.models", lambda v: isinstance(v, TransitionTable)).values()
    ]


def test_every_state_enum_has_one_transition_table():
    assert sorted(e.__name__ for e in _state_enums()) == sorted(t.enum.__name__ for t in _tables())


@pytest.mark.parametrize("table", _tables(), ids=lambda table: table.enum.__name__)
def test_transition_tables_cover_every_state_and_have_a_way_in(table):
    reached = {target for state in table.enum for target in table.targets(state)}

    assert not any(table.is_allowed(state, state) for state in table.enum)
    assert len(set(table.enum) - reached) <= 1  # only the first state has no way in


def test_state_values_are_lower_case_words():
    odd = [
        f"{e.__name__}.{s.name}"
        for e in _state_enums()
        for s in e
        if not re.fullmatch(r"[a-z_]+", s)
    ]

    assert odd == []


def test_migrations_are_complete(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_named_and_linear(root):
    for app in ("marketplace", "orders", "settlement"):
        names = sorted(p.stem for p in (root / app / "migrations").glob("[0-9]*.py"))

        assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), app
        assert [name for name in names if "_auto_" in name] == []
