"""Where tests leave what people want to look at afterwards."""

from pathlib import Path

from config import env


def artifacts() -> Path:
    """Return the folder of artifacts: HENGSUAN_ARTIFACTS, or ``var/artifacts``."""
    return Path(env.text("HENGSUAN_ARTIFACTS") or env.BASE_DIR / "var" / "artifacts")
