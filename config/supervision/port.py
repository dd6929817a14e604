"""The port of the web server: taken at once, so that nobody else can take it meanwhile."""

import errno
import socket

from config.supervision.errors import SupervisionError

FIRST_PORT = 8000
_CANDIDATES = 50


def open_port(host: str, wanted: int) -> socket.socket:
    """Return a listening socket on ``wanted``, or without that on the next free port from 8000 on.

    The supervisor keeps it open and hands it to the web server: between choosing a port and serving
    it lie a start of the database and its migrations, long enough for another service to come.

    Raises:
        SupervisionError: the port is busy, or the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    candidates = [wanted] if wanted else [*range(FIRST_PORT, FIRST_PORT + _CANDIDATES), 0]
    for port in candidates:
        try:
            return socket.create_server((host, port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SupervisionError(f"{host}:{port} cannot be served: {error}") from error
    raise SupervisionError(
        f"Port {wanted} is in use: end the program that holds it, choose another port, or name none"
        " and the next free one is taken."
    )
