"""The unified social credit code (统一社会信用代码, GB 32100): 18 characters, the last a check."""

from __future__ import annotations

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

LENGTH = 18


class CreditCodeRefused(ValueError):
    """A text is not a unified social credit code.

    Attributes:
        code: `wrong_length`, `wrong_character` or `wrong_check_digit`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def validate_credit_code(text: str) -> str:
    """Return a credit code in its stored form: upper case, no separators.

    Raises:
        CreditCodeRefused: with a stable `code`.
    """
    # The library folds full-width characters and exotic dashes; a stored identity may not depend
    # on such folding.
    if not text.isascii():
        raise CreditCodeRefused("wrong_character")
    try:
        return uscc.validate(text)
    except InvalidLength:
        raise CreditCodeRefused("wrong_length") from None
    except InvalidChecksum:
        raise CreditCodeRefused("wrong_check_digit") from None
    except ValidationError:
        raise CreditCodeRefused("wrong_character") from None


def is_credit_code(text: str) -> bool:
    """Say whether a text is a credit code with the right check character."""
    try:
        validate_credit_code(text)
    except CreditCodeRefused:
        return False
    return True


def complete_credit_code(body: str) -> str:
    """Return the full code for its first 17 characters.

    Raises:
        CreditCodeRefused: when the body is not the beginning of a code.
    """
    if len(body) != LENGTH - 1:
        raise CreditCodeRefused("wrong_length")
    try:
        check = uscc.calc_check_digit(body)
    except ValueError:
        raise CreditCodeRefused("wrong_character") from None
    return validate_credit_code(body + check)
