"""The line to the database is cut between the commit and its answer; the client asks again."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from marketplace.models import IdempotencyRecord
from orders.models import Order
from settlement.models import Hold
from settlement.services.invariants import broken_invariants
from tests.api.callers import Caller, open_day, program_of
from tests.factories.trading import buyer

pytestmark = pytest.mark.runtime_role
KEY = {"Idempotency_Key": "order-1"}
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class CuttingProxy:
    """Passes bytes on to the database until the commit that follows an order has been done.

    The server's word that it committed never arrives: both ends are closed instead.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.has_cut = False
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as database:
            has_ordered, committing = False, threading.Event()
            back = threading.Thread(
                target=self._pass_back, args=(database, client, committing), daemon=True
            )
            back.start()
            while data := _read(client):
                has_ordered = has_ordered or b'INSERT INTO "orders_order"' in data
                if has_ordered and _COMMIT in data:
                    committing.set()
                database.sendall(data)
            database.shutdown(socket.SHUT_RDWR)
            back.join(20)

    def _pass_back(
        self, database: socket.socket, client: socket.socket, committing: threading.Event
    ) -> None:
        while data := _read(database):
            if committing.is_set() and not self.has_cut:
                self.has_cut = b"COMMIT\x00" in data
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(data)


def _read(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


@pytest.fixture
def proxy() -> Iterator[CuttingProxy]:
    """A proxy before the test database."""
    parameters = connection.get_connection_params()
    made = CuttingProxy(parameters["host"], int(parameters["port"]))
    yield made
    made.close()


def _send_through(proxy: CuttingProxy, caller: Caller, body: Any) -> Any:
    """Send an order from a thread whose connection goes through the proxy."""
    answers = []

    def send() -> None:
        own = connections["default"]
        usual = own.get_connection_params()
        own.get_connection_params = lambda: {**usual, "host": "127.0.0.1", "port": proxy.port}
        try:
            answers.append(caller.post("orders/", body, **KEY))
        finally:
            own.close()

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(60)
    return answers[0]


def test_a_commit_whose_answer_was_lost_is_replayed(proxy: CuttingProxy) -> None:
    """S-09: one order, the answer of the first request, marked as replayed; the sweep is clean."""
    day, actor = open_day(), buyer("10000")
    caller = program_of(actor)
    caller.client.raise_request_exception = False

    lost = _send_through(proxy, caller, day.curve())
    again = [caller.post("orders/", day.curve(), **KEY) for _ in range(2)]

    assert proxy.has_cut
    assert lost.status_code >= 500
    assert [answer.status_code for answer in again] == [201, 201]
    assert [answer.headers["Idempotency-Replayed"] for answer in again] == ["true", "true"]
    assert again[0].content == again[1].content
    order = Order.objects.get(side="buy")
    assert again[0].json()["id"] == str(order.public_id)
    assert (Hold.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
    assert broken_invariants() == []
