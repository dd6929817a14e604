"""Who may do what; the web pages and the API ask the same questions."""

from dataclasses import dataclass

from django.conf import settings

from marketplace.models import Membership, Organisation, OrganisationState, Role, User


@dataclass(frozen=True)
class Actor:
    """A person acting for one organisation in the roles held there.

    Every queryset of members' data starts from ``organisation``; a foreign id is not found.
    """

    user: User
    organisation: Organisation | None
    roles: frozenset[str]

    def has(self, *roles: Role) -> bool:
        """Tell whether the actor holds any of the roles here."""
        return any(role.value in self.roles for role in roles)

    @property
    def is_trading_member(self) -> bool:
        """Tell whether the organisation is admitted to the market."""
        return (
            self.organisation is not None
            and self.organisation.state == OrganisationState.APPROVED
            and not self.organisation.is_platform
        )

    @property
    def can_sell(self) -> bool:
        """Tell whether the actor may list capacity and deliver."""
        return (
            self.is_trading_member
            and self.organisation is not None
            and self.organisation.is_supplier
            and self.has(Role.SUPPLIER)
        )

    @property
    def can_buy(self) -> bool:
        """Tell whether the actor may bid."""
        return (
            self.is_trading_member
            and self.organisation is not None
            and self.organisation.is_buyer
            and self.has(Role.BUYER)
        )

    @property
    def is_operator(self) -> bool:
        """Tell whether the actor runs the market."""
        return self._of_platform and self.has(Role.OPERATOR)

    @property
    def is_platform_finance(self) -> bool:
        """Tell whether the actor keeps the market's books."""
        return self._of_platform and self.has(Role.FINANCE)

    @property
    def is_platform_auditor(self) -> bool:
        """Tell whether the actor may read everything that is published and booked."""
        return self._of_platform and self.has(Role.AUDITOR)

    @property
    def can_see_own_money(self) -> bool:
        """Tell whether the actor may see the organisation's balance and bills."""
        return self.organisation is not None and self.has(
            Role.FINANCE, Role.BUYER, Role.SUPPLIER, Role.AUDITOR
        )

    @property
    def needs_second_factor(self) -> bool:
        """Tell whether the actor runs the market or keeps its books, and so needs two factors."""
        return self._of_platform and bool(self.roles & set(settings.SECOND_FACTOR_ROLES))

    @property
    def _of_platform(self) -> bool:
        return self.organisation is not None and self.organisation.is_platform


def actor_for(*, user: User, organisation_id: int | None = None) -> Actor:
    """Return the actor: the organisation asked for if the user belongs to it, else the first."""
    memberships = list(
        Membership.objects.filter(user=user).select_related("organisation").order_by("id")
    )
    chosen = next(
        (m.organisation for m in memberships if m.organisation_id == organisation_id), None
    )
    if chosen is None and memberships:
        chosen = memberships[0].organisation
    roles = frozenset(m.role for m in memberships if chosen and m.organisation_id == chosen.pk)
    return Actor(user=user, organisation=chosen, roles=roles)
