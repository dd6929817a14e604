"""Calling an address that a member gave us, without letting it reach our own network.

The name is resolved once, every answer must be a public address, and the connection goes to the
very address that was checked: a name that changes between the two finds nothing. Redirects are
not followed, and the whole call has one deadline, so a server that drips its answer is cut off.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from marketplace.domain.addresses import is_public_address

MOST_ANSWER_BYTES = 4096


class CallRefused(Exception):
    """The call was not made, or brought no answer; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Answer:
    """What came back: the status alone; nobody is shown a body."""

    status: int

    @property
    def is_success(self) -> bool:
        """Tell whether the receiver took the message."""
        return 200 <= self.status < 300


def post_outside(url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a body by POST.

    Raises:
        CallRefused: wrong_address, not_public, unreachable, timeout, tls, bad_answer.
    """
    parts = check_address(url)
    deadline = time.monotonic() + settings.WEBHOOK_TIMEOUT_S
    address = _resolve(parts)
    connection = _PinnedConnection(parts, address=address, deadline=deadline)
    # Reads time out one by one; only this ends an answer that comes byte by byte for ever.
    watchdog = threading.Timer(settings.WEBHOOK_TIMEOUT_S, connection.cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        target = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        connection.request("POST", target + query, body=body, headers=headers)
        response = connection.getresponse()
        response.read(MOST_ANSWER_BYTES)
        _left(deadline)
        return Answer(response.status)
    except (OSError, http.client.HTTPException) as error:
        raise CallRefused(_why(error, deadline)) from None
    finally:
        watchdog.cancel()
        connection.close()


def _why(error: Exception, deadline: float) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "unreachable" if isinstance(error, OSError) else "bad_answer"


def check_address(url: str) -> SplitResult:
    """Return the parts of an address that may be called; raises CallRefused(wrong_address).

    It starts with https and carries neither a name nor a password; hosts in
    WEBHOOK_TRUSTED_HOSTS may be reached by http.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise CallRefused("wrong_address") from None
    if not host or parts.username or parts.password or port == 0:
        raise CallRefused("wrong_address")
    has_blanks = any(ord(character) <= 32 or ord(character) == 127 for character in url)
    if has_blanks or not url.isascii():
        raise CallRefused("wrong_address")
    allowed = {"https", "http"} if _is_trusted(host) else {"https"}
    if parts.scheme not in allowed:
        raise CallRefused("wrong_address")
    return parts


def _is_trusted(host: str) -> bool:
    return host in settings.WEBHOOK_TRUSTED_HOSTS


def _resolve(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CallRefused("unreachable") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not _is_trusted(host) and not all(is_public_address(each) for each in addresses):
        raise CallRefused("not_public")
    return addresses[0]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


class _PinnedConnection(http.client.HTTPConnection):
    """Connects to the address that was checked; TLS and Host still name the host."""

    def __init__(self, parts: SplitResult, *, address: str, deadline: float) -> None:
        super().__init__(parts.hostname or "", _port(parts), timeout=_left(deadline))
        self._address = address
        self._wire: socket.socket | None = None
        self._deadline = deadline
        self._is_secure = parts.scheme == "https"
        self.default_port = 443 if self._is_secure else 80  # type: ignore[misc]

    def connect(self) -> None:
        """Open the connection to the checked address."""
        raw = socket.create_connection((self._address, self.port), timeout=_left(self._deadline))
        if self._is_secure:
            raw.settimeout(_left(self._deadline))
            context = ssl.create_default_context()
            raw = context.wrap_socket(raw, server_hostname=self.host)
        raw.settimeout(_left(self._deadline))
        self.sock = self._wire = raw

    def cut(self) -> None:
        """End the connection from another thread, whatever it waits for."""
        # Not `self.sock`: that is let go of as soon as the head of an answer is read.
        if self._wire is not None:
            with contextlib.suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
