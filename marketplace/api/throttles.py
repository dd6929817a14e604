"""A courtesy limit on calls of one user or address.

It counts in the memory of one process, so it needs no cache and is no protection: with several
processes a caller gets several times the rate. What must hold is held by the database.
"""

import time
from collections import OrderedDict, deque
from threading import Lock
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

MOST_CALLERS = 10_000
WINDOW_S = 60.0


class CourtesyThrottle(BaseThrottle):
    """At most so many calls a minute; the setting `API_CALLS_PER_MINUTE` names the rates."""

    rate_name = "default"
    _calls: ClassVar[OrderedDict[tuple[str, str], deque[float]]] = OrderedDict()
    _lock: ClassVar[Lock] = Lock()
    _wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Tell whether the call is within the rate, and count it if so."""
        rate = settings.API_CALLS_PER_MINUTE[self.rate_name]
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault((self.rate_name, self._caller(request)), deque())
            self._calls.move_to_end((self.rate_name, self._caller(request)))
            while calls and calls[0] <= now - WINDOW_S:
                calls.popleft()
            if len(calls) >= rate:
                self._wait = calls[0] + WINDOW_S - now
                return False
            calls.append(now)
            if len(self._calls) > MOST_CALLERS:
                self._calls.popitem(last=False)
        return True

    def wait(self) -> float | None:
        """Return after how many seconds the next call may come."""
        return self._wait

    def _caller(self, request: Request) -> str:
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{self.get_ident(request)}"

    @classmethod
    def forget(cls) -> None:
        """Forget every call."""
        with cls._lock:
            cls._calls.clear()


class OrderEntryThrottle(CourtesyThrottle):
    """Orders sent, cancelled and tried."""

    rate_name = "orders"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Tell whether the call is within the rate; reading is not counted."""
        return request.method == "GET" or super().allow_request(request, view)


class SignInThrottle(CourtesyThrottle):
    """Making tokens."""

    rate_name = "sign_in"
