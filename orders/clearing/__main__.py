"""Command line: `python -m orders.clearing clear|verify BUNDLE RESULT`, `… hash FILES`."""

import sys
from collections.abc import Callable, Sequence

from orders.clearing import (
    BundleRefused,
    ClearingError,
    ResultUnreadable,
    clear,
    read_bundle,
    read_result,
    verify,
    write_result,
)
from orders.clearing.bundle import bundle_sha256, result_sha256
from orders.clearing.fields import format_decimal

_USAGE = """usage: python -m orders.clearing clear BUNDLE RESULT
       python -m orders.clearing verify BUNDLE RESULT
       python -m orders.clearing hash FILES

BUNDLE and RESULT are folders or .zip files; FILES is either.
hash prints the SHA-256 that the market publishes for them.
Exit status: 0 valid, 1 invalid (each violation on a line), 2 unreadable input."""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    command = _COMMANDS.get((arguments[0] if arguments else "", len(arguments) - 1))
    if command is None:
        print(_USAGE, file=sys.stderr)
        return 2
    try:
        return command(*arguments[1:])
    except (BundleRefused, ResultUnreadable, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except ClearingError as error:
        print(error, file=sys.stderr)
        return 1


def _clear(bundle: str, path: str) -> int:
    auction = read_bundle(bundle)
    result = clear(auction)
    write_result(result, path)
    summary = result.summary
    welfare, gap = format_decimal(summary.welfare), format_decimal(summary.gap)
    print(f"status {summary.status}, welfare {welfare}, gap {gap}")
    return _print_violations(verify(auction, result))


def _verify(bundle: str, path: str) -> int:
    status = _print_violations(verify(read_bundle(bundle), read_result(path)))
    if status == 0:
        print("valid")
    return status


def _hash(path: str) -> int:
    try:
        sha256 = bundle_sha256(read_bundle(path))
    except BundleRefused:
        # Not a bundle: a result has no auction, only what came out of one.
        read_result(path)
        sha256 = result_sha256(path)
    print(f"{sha256}  {path}")
    return 0


def _print_violations(violations: Sequence[tuple[str, str, str]]) -> int:
    for rule, subject, detail in violations:
        print(f"rule {rule}: {subject}: {detail}")
    return 1 if violations else 0


_COMMANDS: dict[tuple[str, int], Callable[..., int]] = {
    ("clear", 2): _clear,
    ("verify", 2): _verify,
    ("hash", 1): _hash,
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
