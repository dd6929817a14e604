"""The one reader of environment variables.

Everything a deployment can set from outside is listed in ``docs/reference/settings.md`` and read
through the functions below, so that a search for ``env.`` finds every knob.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

_reader = environ.Env()


def text(name: str, default: str = "") -> str:
    """Return the variable as text, without surrounding blanks."""
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    """Return the variable as a truth value (1, true, yes, on)."""
    return bool(_reader.bool(name, default=default))


def number(name: str, default: int) -> int:
    """Return the variable as a whole number."""
    return int(_reader.int(name, default=default))


def words(name: str, default: list[str] | None = None) -> list[str]:
    """Return a comma-separated variable as a list."""
    return list(_reader.list(name, default=default or []))


def var_dir() -> Path:
    """Return the directory of everything that is written while running (HENGSUAN_VAR)."""
    return Path(text("HENGSUAN_VAR") or BASE_DIR / "var").resolve()


def database(name: str) -> dict[str, Any] | None:
    """Return the Django connection settings of a database URL, or None when it is not set."""
    url = text(name)
    return dict(_reader.db_url_config(url)) if url else None


def cache(name: str) -> dict[str, Any] | None:
    """Return the Django cache settings of a cache URL, or None when it is not set."""
    url = text(name)
    return dict(_reader.cache_url_config(url)) if url else None


def email(name: str) -> dict[str, Any]:
    """Return Django's mail settings from a mail URL; without one, mails are files in var/mail."""
    if text(name):
        return dict(_reader.email_url_config(text(name)))
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(var_dir() / "mail"),
    }


def secret(name: str, length_bytes: int = 48) -> str:
    """Return a secret: from the environment, else generated once below ``var/secrets``.

    Generated secrets serve a checkout on one machine; production settings ask for the variable.
    """
    value = text(name)
    return value or secret_file(var_dir() / "secrets" / name.lower(), length_bytes)


def encryption_keys(name: str) -> list[str]:
    """Return Fernet keys: the first one writes, every one reads (so that keys can be rotated)."""
    keys = words(name) or [secret_file(var_dir() / "secrets" / name.lower(), 32)]
    return [key + "=" * (-len(key) % 4) for key in keys]


def secret_file(path: Path, length_bytes: int = 32) -> str:
    """Return the secret kept in ``path``; make it when missing, safe against two first readers."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(length_bytes))
        try:
            os.link(draft, path)  # fails when somebody else was first: then theirs counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
