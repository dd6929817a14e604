"""Serial blocks of Verra's VCS register: one text for a whole run of units, ends inclusive.

`batch-first-last-VCS-VCU-programme-VER-country-scope-project-DDMMYYYY-DDMMYYYY-flag`; the two days
bound the vintage, and the flag tells of an additional certification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from settlement.domain.registry.serial_texts import (
    SerialForeign,
    SerialMalformed,
    SerialRun,
    SerialsOutOfOrder,
)

REGISTRY = "VCS"
PREFIX = "VCS-VCU-"  # numbers of units run through the whole register
LONGEST_BLOCK = 160
_LARGEST = 2**62
_BLOCK = re.compile(
    r"(?P<batch>\d+)-(?P<first>\d+)-(?P<last>\d+)-VCS-VCU-\d+-VER-(?P<country>[A-Z]{2})"
    r"-(?P<scope>\d+)-(?P<project>\d+)-(?P<starts>\d{8})-(?P<ends>\d{8})-(?P<flag>[01])",
    re.ASCII,
)
# Forms of other registers: China's certificates, Gold Standard, units of Article 6.2.
_FOREIGN = (
    re.compile(r"[0-9A-Z]{32}"),
    re.compile(r"GS\d-.+"),
    re.compile(r"[A-Z]{2}-ITMO-\d{1,2}-\d+-\d{4}-\w+-\d+-\d+", re.ASCII),
)
_SCOPES = range(1, 17)


@dataclass(frozen=True, slots=True)
class VcsBlock:
    """What a serial block says.

    Attributes:
        text: the block as it is written.
        batch: number of the batch.
        first: lowest unit.
        last: highest unit, included.
        country: host country, two letters.
        sector: sectoral scope, 1 to 16.
        project: id of the project.
        starts_on: first day of the vintage.
        ends_on: its last day.
        has_additional_certification: the flag.
    """

    text: str
    batch: int
    first: int
    last: int
    country: str
    sector: int
    project: str
    starts_on: date
    ends_on: date
    has_additional_certification: bool

    @property
    def issuance_id(self) -> str:
        """Batch, first and last unit, which name the block."""
        return f"{self.batch}-{self.first}-{self.last}"

    @property
    def run(self) -> SerialRun:
        """The units as a run of the register."""
        return SerialRun(PREFIX, "", 0, self.first, self.last)


def read_vcs_block(text: str) -> VcsBlock:
    """Return what a serial block says.

    Raises:
        SerialForeign: the serial has the form of another register.
        SerialMalformed: it has none that is known, or its days are none.
        SerialsOutOfOrder: it runs backwards.
    """
    found = _BLOCK.fullmatch(text) if len(text) <= LONGEST_BLOCK else None
    if found is None:
        if any(form.fullmatch(text) for form in _FOREIGN):
            raise SerialForeign(field="serial", name=text, registry=REGISTRY)
        raise _malformed(text)
    first, last, sector = int(found["first"]), int(found["last"]), int(found["scope"])
    starts_on, ends_on = _day(found["starts"], text), _day(found["ends"], text)
    if sector not in _SCOPES or last >= _LARGEST or ends_on < starts_on:
        raise _malformed(text)
    if last < first:
        raise SerialsOutOfOrder(field="serial", first=first, last=last)
    return VcsBlock(
        text=text,
        batch=int(found["batch"]),
        first=first,
        last=last,
        country=found["country"],
        sector=sector,
        project=found["project"],
        starts_on=starts_on,
        ends_on=ends_on,
        has_additional_certification=found["flag"] == "1",
    )


def _day(text: str, serial: str) -> date:
    try:
        return datetime.strptime(text, "%d%m%Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise _malformed(serial) from None


def _malformed(text: str) -> SerialMalformed:
    return SerialMalformed(field="serial", serial=text[:LONGEST_BLOCK], registry=REGISTRY)
