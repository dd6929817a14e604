"""Command line: `python -m orders.clearing clear|verify BUNDLE RESULT`."""

import sys
from collections.abc import Sequence

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
from orders.clearing.fields import format_decimal

_USAGE = """usage: python -m orders.clearing clear BUNDLE RESULT
       python -m orders.clearing verify BUNDLE RESULT

BUNDLE and RESULT are folders or .zip files.
Exit status: 0 valid, 1 invalid (each violation on a line), 2 unreadable input."""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    if len(arguments) != 3 or arguments[0] not in ("clear", "verify"):
        print(_USAGE, file=sys.stderr)
        return 2
    command, bundle, result = arguments
    try:
        return _clear(bundle, result) if command == "clear" else _verify(bundle, result)
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


def _print_violations(violations: Sequence[tuple[str, str, str]]) -> int:
    for rule, subject, detail in violations:
        print(f"rule {rule}: {subject}: {detail}")
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
