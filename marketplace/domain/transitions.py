"""A state machine is a table: every state, and the states it may become.

The table stands beside its enum; one service applies a checked transition to a locked row. The
diagram in the documentation is drawn from the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

State = TypeVar("State", bound=Enum)


class TransitionNotAllowed(ValueError):
    """A state may not become the one asked for.

    Attributes:
        source: value of the state now.
        target: value of the state asked for.
    """

    code = "transition_not_allowed"

    def __init__(self, source: Enum, target: Enum) -> None:
        super().__init__(f"{source.value} cannot become {target.value}")
        self.source = source.value
        self.target = target.value


class TransitionTable(Generic[State]):
    """Which states of an enum may become which.

    States are given and checked as members or as their stored values.

    Raises:
        ValueError: at definition, when a member is missing, a state may become itself, or a
            state can never be left nor reached although it is neither first nor last.
    """

    def __init__(self, enum: type[State], table: Mapping[Any, Iterable[Any]]) -> None:
        self.enum = enum
        self._targets = {enum(source): frozenset(map(enum, to)) for source, to in table.items()}
        missing = [state.value for state in enum if state not in self._targets]
        if missing:
            raise ValueError(f"{enum.__name__} has states outside its table: {missing}")
        loops = [state.value for state, to in self._targets.items() if state in to]
        if loops:
            raise ValueError(f"{enum.__name__} has states that become themselves: {loops}")
        self._require_connected()

    def _require_connected(self) -> None:
        reached = frozenset[State]().union(*self._targets.values())
        lonely = [s.value for s, to in self._targets.items() if not to and s not in reached]
        if lonely and len(self._targets) > 1:
            raise ValueError(f"{self.enum.__name__} has states nothing leads to: {lonely}")

    def targets(self, source: State | str) -> frozenset[State]:
        """Return the states `source` may become; none when it is final."""
        return self._targets[self.enum(source)]

    def sources(self, target: State | str) -> frozenset[State]:
        """Return the states that may become `target`."""
        wanted = self.enum(target)
        return frozenset(state for state, to in self._targets.items() if wanted in to)

    def is_final(self, state: State | str) -> bool:
        """Say whether a state is never left."""
        return not self.targets(state)

    def is_allowed(self, source: State | str, target: State | str) -> bool:
        """Say whether `source` may become `target`."""
        return self.enum(target) in self.targets(source)

    def check(self, source: State | str, target: State | str) -> State:
        """Return the target state when the transition is allowed.

        Raises:
            TransitionNotAllowed: otherwise, also when both are the same state.
            ValueError: when one of them is no state at all.
        """
        if not self.is_allowed(source, target):
            raise TransitionNotAllowed(self.enum(source), self.enum(target))
        return self.enum(target)

    def diagram(self) -> str:
        """Return the table as a Mermaid state diagram, states in the order of the enum."""
        order = list(self.enum)
        lines = ["stateDiagram-v2"]
        for source in order:
            for target in sorted(self._targets[source], key=order.index):
                lines.append(f"    {source.value} --> {target.value}")
            if not self._targets[source]:
                lines.append(f"    {source.value} --> [*]")
        return "\n".join(lines) + "\n"
