"""Signing up: a person and the organisation they act for, in one step."""

from dataclasses import dataclass
from typing import Unpack

from django.db import transaction

from marketplace.models import Organisation, User
from marketplace.services.organisations import OrganisationDetails, register_organisation
from marketplace.services.users import register_user


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who signs up."""

    email: str
    password: str
    display_name: str
    mobile: str = ""
    language: str = ""


@transaction.atomic
def sign_up(
    *,
    person: Person | User,
    name_zh: str,
    credit_code: str,
    is_supplier: bool,
    is_buyer: bool,
    name_en: str = "",
    **details: Unpack[OrganisationDetails],
) -> tuple[User, Organisation]:
    """Register a person, unless they have an account, and an organisation that waits for approval.

    Raises:
        the refusals of `register_user` and `register_organisation`: neither was registered.
    """
    user = person if isinstance(person, User) else register_user(**vars(person))
    organisation = register_organisation(
        user=user,
        name_zh=name_zh,
        name_en=name_en,
        credit_code=credit_code,
        is_supplier=is_supplier,
        is_buyer=is_buyer,
        **details,
    )
    return user, organisation
