"""What the engine refuses, each with the place and the reason."""


class ClearingError(Exception):
    """Base of everything the engine refuses."""


class BundleRefused(ClearingError):
    """The auction bundle breaks a rule of the format; nothing was cleared.

    Attributes:
        file: name of the file, such as `curve_orders.csv`.
        line: 1-based line in that file (the header is line 1), or None for the whole file.
        reason: one English sentence.
    """

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class ResultUnreadable(ClearingError):
    """A result folder lacks a file or a column, or holds something that is not a number."""


class PartRefused(ClearingError):
    """What a part of the book should hold is damaged, or belongs to another book or engine."""


class SolverFailed(ClearingError):
    """The linear programme of a period had no optimal answer, which a valid bundle never causes."""
