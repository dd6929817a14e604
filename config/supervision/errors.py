"""What can go wrong at a start, told so that the reader knows what to do."""


class SupervisionError(RuntimeError):
    """The service cannot start or go on; the message says in one sentence what to do."""
