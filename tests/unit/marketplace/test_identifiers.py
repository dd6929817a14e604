import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.credit_code import (
    CreditCodeRefused,
    complete_credit_code,
    is_credit_code,
    validate_credit_code,
)
from marketplace.domain.masks import mask_account, mask_email, mask_phone
from marketplace.domain.resource_identifier import (
    ResourceIdentifier,
    ResourceIdentifierRefused,
    parse_resource_identifier,
)
from marketplace.domain.units import ResourceClass

# Registered codes that stand in the standard's own literature.
KNOWN_CODE = "91110000600037341L"

identifiers = st.builds(
    ResourceIdentifier,
    cluster=st.sampled_from(["NXZW", "GZGA", "JJZK", "YRWH"]),
    operator=st.integers(1, 9999),
    resource_class=st.sampled_from(ResourceClass),
    serial=st.integers(0, 99_999_999),
)


def test_a_credit_code_is_stored_in_one_form() -> None:
    assert validate_credit_code("9111 0000 6000 3734 1l") == KNOWN_CODE
    assert complete_credit_code(KNOWN_CODE[:17]) == KNOWN_CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "wrong_length"),
        (KNOWN_CODE[:17], "wrong_length"),
        (KNOWN_CODE[:17] + "M", "wrong_check_digit"),
        ("91110000600037431L", "wrong_check_digit"),
        ("9111000060003734IL", "wrong_character"),
        ("A1110000600037341L", "wrong_character"),
        ("９1110000600037341L", "wrong_character"),
    ],
)
def test_a_wrong_credit_code_is_refused(text: str, code: str) -> None:
    with pytest.raises(CreditCodeRefused) as refusal:
        validate_credit_code(text)

    assert refusal.value.code == code
    assert not is_credit_code(text)


@given(st.integers(0, 16), st.sampled_from("0123456789"))
def test_changing_one_digit_of_a_credit_code_is_noticed(place: int, digit: str) -> None:
    changed = KNOWN_CODE[:place] + digit + KNOWN_CODE[place + 1 :]

    assert is_credit_code(changed) == (changed == KNOWN_CODE)


@pytest.mark.parametrize("body", ["", "9111", "9111000060003734I"])
def test_only_the_beginning_of_a_code_can_be_completed(body: str) -> None:
    with pytest.raises(CreditCodeRefused):
        complete_credit_code(body)


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (ResourceIdentifier("NXZW", 1, ResourceClass.AI, 123), "CNNXZW0001AI0000012355"),
        (ResourceIdentifier("GZGA", 7, ResourceClass.SUPER, 1), "CNGZGA0007HP0000000129"),
    ],
)
def test_published_vectors_of_the_resource_identifier(
    identifier: ResourceIdentifier, text: str
) -> None:
    assert str(identifier) == text
    assert parse_resource_identifier(text) == identifier


@given(identifiers)
def test_an_identifier_is_read_back_and_satisfies_the_congruence(
    identifier: ResourceIdentifier,
) -> None:
    text = str(identifier)

    assert len(text) == 22
    assert parse_resource_identifier(text) == identifier
    assert int("".join(str(int(letter, 36)) for letter in text)) % 97 == 1


@given(identifiers, st.integers(0, 21), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_changing_one_character_of_an_identifier_is_noticed(
    identifier: ResourceIdentifier, place: int, letter: str
) -> None:
    text = str(identifier)
    changed = text[:place] + letter + text[place + 1 :]

    if changed != text:
        with pytest.raises(ResourceIdentifierRefused):
            parse_resource_identifier(changed)


@pytest.mark.parametrize(
    "text",
    ["", "CNNXZW0001AI0000012354", "cnnxzw0001ai0000012355", "CNNXZW0001XX0000012355", "ＣN"],
)
def test_a_wrong_identifier_is_refused(text: str) -> None:
    with pytest.raises(ResourceIdentifierRefused):
        parse_resource_identifier(text)


@pytest.mark.parametrize(
    ("cluster", "operator", "serial"),
    [("NXZ", 1, 1), ("nxzw", 1, 1), ("NXZW", 0, 1), ("NXZW", 10_000, 1), ("NXZW", 1, 10**8)],
)
def test_parts_that_do_not_fit_are_refused(cluster: str, operator: int, serial: int) -> None:
    with pytest.raises(ValueError, match=r"cluster|operator|serial"):
        ResourceIdentifier(cluster, operator, ResourceClass.AI, serial)


def test_personal_data_is_shown_masked() -> None:
    assert mask_phone("13812345678") == "138****5678"
    assert mask_phone("+8613812345678") == "+86138****5678"
    assert mask_phone("110") == "****"
    assert mask_email("zhang.wei@suanli.example") == "z****@suanli.example"
    assert mask_email("nobody") == "****"
    assert mask_account("6222021234567890123") == "****0123"
    assert mask_account("1234") == "****"
