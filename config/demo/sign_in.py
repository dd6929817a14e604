"""Second factors of the demonstration's people, who have no telephone."""

from marketplace.models import User
from marketplace.services.second_factor import begin_authenticator, has_second_factor


def enrol_platform() -> int:
    """Give everybody who runs the market an authenticator; return how many were new.

    Nobody knows its secret: the demonstration's sign-in page shows a code for one use instead
    (the setting SHOW_SIGN_IN_CODES).
    """
    users = User.objects.filter(memberships__organisation__is_platform=True).distinct()
    new = [user for user in users if not has_second_factor(user)]
    for user in new:
        app = begin_authenticator(user=user)
        app.confirmed = True
        app.save(update_fields=["confirmed"])
    return len(new)
