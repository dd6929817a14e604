"""Where the demonstration is played: it tells the reader, and waits for what the service does."""

import time
from collections.abc import Callable
from dataclasses import dataclass

PATIENCE_S = 300.0


class DemonstrationStuck(RuntimeError):
    """The service did not do its part in time; the message says which."""


@dataclass(frozen=True)
class Stage:
    """What a step needs to tell the reader and to keep the service watched."""

    say: Callable[[str], None]
    watch: Callable[[], None]

    def wait_for(self, what: str, done: Callable[[], bool]) -> None:
        """Return once ``done`` is true.

        Raises:
            DemonstrationStuck: it was not within five minutes.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                raise DemonstrationStuck(f"{what} did not happen within {PATIENCE_S:.0f} s")
            self.watch()
            time.sleep(0.2)
