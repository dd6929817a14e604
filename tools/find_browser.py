"""Prints the path of a Chromium that starts: CHROMIUM, the system's, or Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def candidates() -> list[str]:
    """Return the paths worth trying, the chosen one first."""
    found = [os.environ.get("CHROMIUM"), *(shutil.which(name) for name in NAMES)]
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    found += [str(path) for path in sorted(home.glob("chromium-*/chrome-linux*/chrome"))]
    return [path for path in found if path]


def starts(path: str) -> bool:
    """Tell whether the browser runs at all (a snap wrapper without snapd does not)."""
    command = [path, "--version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and any(word in done.stdout for word in ("Chrom", "chrom"))


def find_browser() -> str | None:
    """Return the first browser that starts, None without one."""
    return next((path for path in candidates() if starts(path)), None)


if __name__ == "__main__":
    browser = find_browser()
    if browser is None:
        sys.exit("No Chromium found.")
    print(browser)
