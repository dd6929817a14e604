"""Notices reach whom they are for; suggestions are answered."""

import pytest

from marketplace.domain.errors import NotAdmitted, NotPermitted, RuleBroken
from marketplace.models import OutboxEvent, Role
from marketplace.selectors.notices import (
    notices_for,
    public_answers,
    suggestion_queue,
    suggestions_of,
)
from marketplace.services.notices import (
    answer_suggestion,
    publish_notice,
    review_suggestion,
    send_suggestion,
)
from tests.factories.marketplace import OrganisationFactory, member, operator
from tests.factories.orders import stop_clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    stop_clock()


def _publish(actor, audience="all", **more):
    return publish_notice(
        actor=actor,
        title_zh="停机检修",
        title_en="Maintenance",
        body_zh="周日 02:00 起停机。\n预计两小时。",
        body_en="Down from Sunday 02:00.\nTwo hours.",
        audience=audience,
        **more,
    )


def test_a_notice_is_read_by_whom_it_is_for() -> None:
    desk = operator()
    own, other = OrganisationFactory(), OrganisationFactory()
    seller = member(own, Role.SUPPLIER)
    clerk = member(other, Role.FINANCE)
    everybody = _publish(desk)
    sellers = _publish(desk, "role", role=Role.SUPPLIER)
    one = _publish(desk, "organisation", organisation=other)

    assert list(notices_for(seller)) == [sellers, everybody]
    assert list(notices_for(clerk)) == [one, everybody]
    assert notices_for(desk).count() == 3
    event = OutboxEvent.objects.filter(topic="notice.published").latest("id")
    assert event.payload["organisation_id"] == other.pk


def test_only_the_operator_publishes_and_to_somebody() -> None:
    with pytest.raises(NotPermitted):
        _publish(member(OrganisationFactory(), Role.BUYER))
    with pytest.raises(RuleBroken) as caught:
        _publish(operator(), "role")
    assert (caught.value.code, caught.value.field) == ("audience_unclear", "role")


def test_a_suggestion_is_reviewed_answered_and_perhaps_public() -> None:
    desk = operator()
    actor = member(OrganisationFactory(), Role.BUYER)
    first = send_suggestion(actor=actor, subject="更多节点", text="请增加成都节点。")
    second = send_suggestion(actor=actor, subject="Shorter lots", text="One card, please.")

    review_suggestion(actor=desk, public_id=first.public_id)
    answer_suggestion(actor=desk, public_id=first.public_id, answer="明年。", is_public=True)
    with pytest.raises(RuleBroken) as caught:
        answer_suggestion(actor=desk, public_id=first.public_id, answer="again")

    assert caught.value.code == "state_forbids"
    assert list(suggestions_of(actor.organisation)) == [second, first]
    assert list(public_answers()) == [first]
    assert list(suggestion_queue()) == [second, first]
    with pytest.raises(NotAdmitted):
        send_suggestion(actor=desk, subject="x", text="y")
    with pytest.raises(NotPermitted):
        review_suggestion(actor=actor, public_id=second.public_id)
