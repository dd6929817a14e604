"""The 22-character resource identifier (算力资源标识) of the platform.

`CN`, four letters of the cluster, four digits of the operator, two letters of the resource class,
eight digits of the serial, two check digits by ISO 7064 MOD 97-10. National identifiers are kept as
aliases beside it: their structure is not public.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.iso7064 import mod_97_10

from marketplace.domain.units import ResourceClass

_FORM = re.compile(
    r"CN(?P<cluster>[A-Z]{4})(?P<operator>[0-9]{4})(?P<kind>AI|GP|HP|ST)"
    r"(?P<serial>[0-9]{8})(?P<check>[0-9]{2})"
)
_MAX_OPERATOR = 9_999
_MAX_SERIAL = 99_999_999


class ResourceIdentifierRefused(ValueError):
    """A text is not a resource identifier.

    Attributes:
        code: `wrong_form` or `wrong_check_digits`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ResourceIdentifier:
    """The parts of an identifier; `str()` gives the 22 characters.

    Attributes:
        cluster: four capital letters of the data-centre cluster, such as `NXZW`.
        operator: the supplier's number on the platform, 1 to 9999.
        resource_class: kind of compute.
        serial: number of the pool within operator and class.

    Raises:
        ValueError: when a part does not fit its place.
    """

    cluster: str
    operator: int
    resource_class: ResourceClass
    serial: int

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{4}", self.cluster):
            raise ValueError("a cluster is four capital letters")
        if not 1 <= self.operator <= _MAX_OPERATOR:
            raise ValueError("an operator number has one to four digits")
        if not 0 <= self.serial <= _MAX_SERIAL:
            raise ValueError("a serial has at most eight digits")

    def __str__(self) -> str:
        body = f"CN{self.cluster}{self.operator:04}{self.resource_class.value}{self.serial:08}"
        return body + mod_97_10.calc_check_digits(body)


def parse_resource_identifier(text: str) -> ResourceIdentifier:
    """Return the parts of a written identifier.

    Raises:
        ResourceIdentifierRefused: when form or check digits are wrong.
    """
    match = _FORM.fullmatch(text)
    if match is None or match["operator"] == "0000":
        raise ResourceIdentifierRefused("wrong_form")
    identifier = ResourceIdentifier(
        cluster=match["cluster"],
        operator=int(match["operator"]),
        resource_class=ResourceClass(match["kind"]),
        serial=int(match["serial"]),
    )
    # Comparing with our own writing also refuses check digits 00, 01 and 99, which satisfy the
    # congruence but are never issued.
    if str(identifier) != text:
        raise ResourceIdentifierRefused("wrong_check_digits")
    return identifier
