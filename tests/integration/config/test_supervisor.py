"""One command starts everything, mends what dies and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import time
import urllib.request

import pytest

from config.supervision import Supervisor
from config.supervision.child import Child, Program
from config.supervision.errors import SupervisionError
from config.supervision.port import open_port

pytestmark = pytest.mark.processes


class Service:
    """The running service of a checkout."""

    def __init__(self, checkout) -> None:
        self.checkout = checkout
        self.process = checkout.popen("manage.py", "run")
        self.first_line = self.process.stdout.readline()

    def note(self):
        return json.loads((self.checkout.var / "run" / "service.json").read_text())

    def health(self):
        address = self.note()["url"].replace("localhost", "127.0.0.1") + "healthz"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.loads(answer.read())

    def kill(self, name) -> int:
        pid = self.note()["programs"][name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_new(self, name, old, timeout_s=90) -> int:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            pid = self.note()["programs"][name]
            if pid not in {None, old}:
                return pid
            time.sleep(0.2)
        raise AssertionError(f"{name} was not started again")

    def stop(self, how=signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=120)
        return self.process.returncode, rest


@pytest.fixture
def service(checkout):
    running = Service(checkout)
    yield running
    if running.process.poll() is None:
        running.stop()


LAST_HEARTBEAT = """
import contextlib
postgres.ensure_running()
with contextlib.closing(postgres.connect_as_superuser("hengsuan")) as connection:
    cursor = connection.cursor()
    cursor.execute("SELECT extract(epoch FROM max(seen_at)) FROM marketplace_heartbeat")
    print(cursor.fetchone()[0])
"""


def _assert_second_start_is_refused(checkout):
    done = checkout.run("manage.py", "run")

    assert done.returncode == 1
    assert "already runs from this directory at http://localhost:" in done.stdout


def _assert_killed_programs_start_again(service):
    old = {name: service.kill(name) for name in ("worker", "web", "beat")}

    new = {name: service.wait_for_new(name, pid) for name, pid in old.items()}

    assert all(new[name] != pid for name, pid in old.items())


def _assert_work_goes_on_after_killing_the_servers(checkout):
    postmaster = (checkout.var / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    broker = (checkout.var / "valkey" / "pid").read_text()
    for pid in (postmaster, broker):
        os.kill(int(pid), signal.SIGKILL)
    killed_at = time.time()

    while float(checkout.python(LAST_HEARTBEAT)) < killed_at + 1 and time.time() < killed_at + 120:
        time.sleep(1)

    assert float(checkout.python(LAST_HEARTBEAT)) > killed_at + 1


def test_service_mends_what_dies_and_stops_cleanly(service, checkout):
    # One service for all of it: a start takes most of the time.
    assert service.first_line.startswith("Hengsuan runs at http://localhost:")
    assert service.health()["status"] == "ok"
    _assert_second_start_is_refused(checkout)
    _assert_killed_programs_start_again(service)
    _assert_work_goes_on_after_killing_the_servers(checkout)
    assert service.health()["status"] == "ok"

    code, rest = service.stop()

    assert code == 0
    assert rest.strip().endswith("Stopped.")
    assert checkout.wait_for_no_process() == []


def test_killed_supervisor_leaves_nothing_behind(service, checkout):
    service.stop(signal.SIGKILL)

    assert checkout.wait_for_no_process() == []


def test_busy_port_that_was_asked_for_is_told_in_one_sentence(checkout):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        done = checkout.run("manage.py", "run", "--port", port)

    assert done.returncode == 1
    assert done.stdout.strip() == (
        f"CommandError: Port {port} is in use: end the program that holds it, choose another port,"
        " or name none and the next free one is taken."
    )


def test_services_that_start_together_take_ports_of_their_own():
    with open_port("127.0.0.1", 0) as one, open_port("127.0.0.1", 0) as other:
        first, second = one.getsockname()[1], other.getsockname()[1]

        assert 8000 <= first < second


def test_address_of_another_machine_is_told_in_one_sentence():
    with pytest.raises(SupervisionError, match=r"192\.0\.2\.1:8000 cannot be served"):
        open_port("192.0.2.1", 8000)


def test_program_that_dies_at_once_is_retried_with_growing_pauses(tmp_path):
    said = []
    child = Child(Program("broken", ("false",)), tmp_path, dict(os.environ))
    child.start()
    child._process.wait()

    child.revive(said.append)
    child._due_at = 0.001  # the pause is over
    child.revive(said.append)
    child._process.wait()
    child.revive(said.append)

    assert [text.split(" (log")[0] for text in said] == [
        "broken ended with 1, starts again in 2 s",
        "broken ended with 1, starts again in 4 s",
    ]
    assert child.restarts == 1


def test_signal_that_a_library_swallowed_still_stops_the_service(tmp_path, monkeypatch):
    monkeypatch.setenv("HENGSUAN_VAR", str(tmp_path))
    supervisor = Supervisor()
    supervisor._catch_signals()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)  # the signal arrives here and is lost

        with pytest.raises(KeyboardInterrupt):
            supervisor.loop()
    finally:
        supervisor.stop()
