"""An operation that makes the tables of a new app in one step.

Django renders its picture of all models again after every single operation, which took ten seconds
for the sixty tables of a new database. Here the picture is drawn once, in its final state.
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateTogether(Operation):
    """Creates the models of its operations with their final fields, indexes and constraints.

    Takes what ``makemigrations`` writes for a new app: CreateModel, and the AddField, AddIndex and
    AddConstraint that complete those models.
    """

    reversible = True
    atomic = True
    _TAKEN = (
        operations.CreateModel,
        operations.AddField,
        operations.AddIndex,
        operations.AddConstraint,
    )

    def __init__(self, parts: list[Operation]) -> None:
        other = [part for part in parts if not isinstance(part, self._TAKEN)]
        if other:
            raise TypeError(f"These do not create a model: {other}")
        self.parts = parts

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how to write this operation down."""
        return (self.__class__.__qualname__, [self.parts], {})

    def _creations(self) -> list[operations.CreateModel]:
        return [op for op in self.parts if isinstance(op, operations.CreateModel)]

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the models to the state; whoever asks next draws the picture once."""
        state.__dict__.pop("apps", None)
        for operation in self.parts:
            operation.state_forwards(app_label, state)

    def _models(self, app_label: str, state: ProjectState) -> list[type[models.Model]]:
        return [state.apps.get_model(app_label, creation.name) for creation in self._creations()]

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the tables; foreign keys follow when all of them stand."""
        for model in self._models(app_label, to_state):
            if self.allow_migrate_model(schema_editor.connection.alias, model):
                schema_editor.create_model(model)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the tables, the last one first."""
        for model in reversed(self._models(app_label, from_state)):
            if self.allow_migrate_model(schema_editor.connection.alias, model):
                schema_editor.delete_model(model)

    def describe(self) -> str:
        """Say what happens."""
        return f"Create {len(self._creations())} models"
