"""What a machine type's name says about its size, by the naming rules of the clouds."""

from __future__ import annotations

import re
from collections.abc import Callable

_AWS_ACCELERATED = re.compile(r"(p\d|g\d|gr\d|trn|inf|dl\d|f\d|vt\d)")
# Old families that were sized before the rule of four vCPU to an xlarge.
_AWS_IRREGULAR = {"c1", "m1", "m2", "cr1", "t1", "t2"}
_TENCENT_SIZES = {"SMALL": 1, "MEDIUM": 2, "LARGE": 4, "XLARGE": 4}


def vcpus_of(provider: str, spec: str) -> int | None:
    """Return the vCPUs of a machine type, or None when its name does not tell.

    Args:
        provider: lower-case name of the cloud.
        spec: its name of the machine type.
    """
    reader = _READERS.get(provider)
    return reader(spec) if reader else None


def family_of(provider: str, spec: str) -> str:
    """Return the family a machine type belongs to: its name without the size."""
    if provider == "gcp":
        return spec.split("-")[0]
    if provider == "aws":
        return spec.split(".")[0]
    if provider == "alibaba":
        return spec.rsplit(".", 1)[0]
    return "general"


def is_hpc(provider: str, family: str) -> bool:
    """Say whether a family is sold for high-performance computing."""
    return family.startswith("hpc") or (provider == "gcp" and family in {"c2", "h3", "h4d"})


def is_accelerated(provider: str, family: str) -> bool:
    """Say whether a family carries accelerators that its name does not count."""
    return provider == "aws" and _AWS_ACCELERATED.match(family) is not None


def _aws(spec: str) -> int | None:
    family, _, size = spec.partition(".")
    if family in _AWS_IRREGULAR:
        return None
    if family.startswith("t") and size in {"nano", "micro", "small", "medium", "large"}:
        return 2
    return _xlarge(size.removeprefix("metal-"))


def _xlarge(size: str) -> int | None:
    fixed = {"small": 1, "medium": 1, "large": 2, "xlarge": 4}
    if size in fixed:
        return fixed[size]
    match = re.fullmatch(r"(\d+)xl(?:arge)?", size)
    return 4 * int(match[1]) if match else None


def _alibaba(spec: str) -> int | None:
    return _xlarge(spec.rsplit(".", 1)[-1])


def _last_number(spec: str) -> int | None:
    match = re.search(r"-(\d+)(?:-[a-z]+)?$", spec)
    return int(match[1]) if match else None


def _first_number(spec: str) -> int | None:
    match = re.match(r"(?:Standard_)?[A-Z]+(\d+)", spec)
    return int(match[1]) if match else None


def _by_letter(spec: str) -> int | None:
    match = re.search(r"(?:^|\.)[cC](\d+)(?:m|\.M)", spec)
    return int(match[1]) if match else None


def _times(spec: str) -> int | None:
    match = re.search(r"(?:^|-)(\d+)x\d+", spec)
    return int(match[1]) if match else None


def _tencent(spec: str) -> int | None:
    match = re.search(r"\.(\d*)(SMALL|MEDIUM|LARGE|XLARGE)\d+$", spec)
    if not match:
        return None
    return int(match[1] or 1) * _TENCENT_SIZES[match[2]]


_READERS: dict[str, Callable[[str], int | None]] = {
    "aws": _aws,
    "alibaba": _alibaba,
    "gcp": _last_number,
    "azure": _first_number,
    "ibm": _times,
    "ktcloudvpc": _times,
    "nhncloud": _by_letter,
    "ncpvpc": _by_letter,
    "tencent": _tencent,
}
