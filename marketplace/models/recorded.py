"""When something was recorded, by the one clock that all processes share."""

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL


class RecordedAtField(models.DateTimeField):  # type: ignore[type-arg]
    """The database's time of a row of history, always after the row before it.

    The clock of the host that writes may be wrong, and the database's may be set back: within what
    the rows are the history of, the newest row is at least a microsecond later than the last one.
    Migrations see an ordinary `DateTimeField`.

    Attributes:
        follows: attributes of the columns that name what the rows are the history of.
    """

    def __init__(self, *args: Any, follows: tuple[str, ...] = (), **options: Any) -> None:
        self.follows = follows
        super().__init__(*args, **{"auto_now_add": True, **options})

    def deconstruct(self) -> Any:
        """Describe the column alone: the stamp is made by the statement that inserts."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Return the stamp as an expression; the attribute is read back when it is asked for."""
        if not add:
            return super().pre_save(model_instance, add)
        model_instance.__dict__.pop(self.attname, None)
        keys = {name: getattr(model_instance, name) for name in self.follows}
        same = " AND ".join(f"h.{name} = %s" for name in keys)
        # Names of the model alone; what the rows hold is a parameter.
        sql = (
            "greatest(clock_timestamp(), (SELECT max(h.recorded_at) + interval '1 microsecond'"  # noqa: S608
            f" FROM {model_instance._meta.db_table} h WHERE {same}))"
        )
        return RawSQL(sql, tuple(keys.values()), output_field=self)  # noqa: S611
