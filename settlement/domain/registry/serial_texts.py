"""Serials as registries write them, and the running number inside them.

A green certificate has 32 characters; how its last 15 divide is not published, so the place of the
running number is a setting of the registry, and only length and characters are certain. Every other
serial is opaque text that ends in its running number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from marketplace.domain.errors import RuleBroken, gettext_noop

LONGEST_SERIAL = 128
_TRAILING_NUMBER = re.compile(r"(?P<prefix>.*?)(?P<number>[0-9]+)", re.DOTALL)
_LARGEST = 2**62


class SerialMalformed(RuleBroken):
    """A serial does not have the form of its registry."""

    code = "SERIAL_MALFORMED"
    message = gettext_noop("The serial %(serial)s does not have the form that %(registry)s uses.")


class SerialForeign(RuleBroken):
    """A serial, project or programme belongs to another registry."""

    code = "SERIAL_FOREIGN"
    message = gettext_noop("%(name)s does not belong to %(registry)s.")


class SerialsOutOfOrder(RuleBroken):
    """First and last serial are not of one run, or the count does not fit."""

    code = "SERIALS_OUT_OF_ORDER"
    message = gettext_noop("First serial, last serial and number of units do not fit together.")


@dataclass(frozen=True, slots=True)
class SerialForm:
    """How a registry writes serials.

    Attributes:
        registry: its code.
        pattern: regular expression that the whole serial matches.
        start: index of the running number in serials of fixed form.
        digits: its width; 0 when the serial just ends in it.
    """

    registry: str
    pattern: str
    start: int = 0
    digits: int = 0


@dataclass(frozen=True, slots=True)
class SerialRun:
    """Consecutive serials: what stands around the running number, and its bounds, inclusive."""

    prefix: str
    suffix: str
    digits: int
    first: int
    last: int

    @property
    def units(self) -> int:
        """How many serials."""
        return self.last - self.first + 1


def read_serial(text: str, form: SerialForm) -> tuple[str, int, str, int]:
    """Return prefix, running number, suffix and width of a serial.

    Raises:
        SerialMalformed: the serial does not have the registry's form.
    """
    refusal = SerialMalformed(serial=text[:LONGEST_SERIAL], registry=form.registry)
    if len(text) > LONGEST_SERIAL or not re.fullmatch(form.pattern, text):
        raise refusal
    if form.digits:
        end = form.start + form.digits
        number = text[form.start : end]
        if not (number.isascii() and number.isdigit()):
            raise refusal
        return text[: form.start], int(number), text[end:], form.digits
    match = _TRAILING_NUMBER.fullmatch(text)
    if match is None or int(match["number"]) >= _LARGEST:
        raise refusal
    return match["prefix"], int(match["number"]), "", len(match["number"])


def read_run(first: str, last: str, units: int, form: SerialForm) -> SerialRun:
    """Return the run from the first to the last serial.

    Raises:
        SerialMalformed: one of them does not have the registry's form.
        SerialsOutOfOrder: they are not of one run, or not so many.
    """
    prefix, lowest, suffix, digits = read_serial(first, form)
    end_prefix, highest, end_suffix, end_digits = read_serial(last, form)
    if (prefix, suffix) != (end_prefix, end_suffix) or highest - lowest + 1 != units or units < 1:
        raise SerialsOutOfOrder(first=first, last=last, units=units)
    if digits != end_digits and (first[len(prefix)] == "0" or last[len(prefix)] == "0"):
        raise SerialsOutOfOrder(first=first, last=last, units=units)
    return SerialRun(prefix, suffix, digits, lowest, highest)
