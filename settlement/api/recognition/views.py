"""Recognition and netting for programs and browsers."""

from typing import Any
from uuid import UUID, uuid4

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades
from marketplace.api.idempotent import HEADER, IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import PageQuery, page_of
from marketplace.api.serializers import checked_body
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.api.recognition.serializers import (
    AgreementList,
    AgreementOutput,
    CycleDetailOutput,
    CycleOutput,
    CyclePage,
    RecognitionDetailOutput,
    RecognitionInput,
    RecognitionOutput,
    RecognitionPage,
    RecognitionQuery,
)
from settlement.models import Recognition
from settlement.selectors.recognition.agreements import agreement_faces
from settlement.selectors.recognition.records import (
    cycles_for,
    events_of,
    newest_computations,
    obligations_for,
    positions_for,
    recognitions_for,
    sees_all,
)
from settlement.services.recognition.choosing import ChosenUnits
from settlement.services.recognition.recognising import (
    may_recognise,
    recognise,
    recognise_retirement,
)

TAG = ["carbon recognition"]


def reads_records(actor: Actor) -> bool:
    """Tell whether the actor reads recognitions: members their own, the platform all."""
    return sees_trades(actor) or sees_all(actor)


class RecordView(MemberView):
    """An endpoint about recognitions and netting."""

    readers = staticmethod(reads_records)
    writers = staticmethod(may_recognise)
    read_scope = "finance"


class AgreementsView(MemberView):
    """The agreements."""

    @extend_schema(operation_id="agreements_list", tags=TAG, responses=AgreementList)
    def get(self, request: Request) -> Response:
        """List every agreement of mutual recognition with its terms and what its caps have left."""
        faces = agreement_faces(market_date(market_now()), party=self.organisation)
        return Response({"results": AgreementOutput(faces, many=True).data})


class RecognitionsView(RecordView):
    """The recognitions."""

    @extend_schema(
        operation_id="recognitions_list",
        tags=TAG,
        parameters=[RecognitionQuery],
        responses=RecognitionPage,
    )
    def get(self, request: Request) -> Response:
        """List recognitions, newest first."""
        query = RecognitionQuery.read(request)
        rows = recognitions_for(self.actor)
        return page_of(
            rows, request, RecognitionOutput, limit=query["limit"], after=query.get("after")
        )

    @extend_schema(
        operation_id="recognitions_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=RecognitionInput,
        responses={201: RecognitionDetailOutput},
    )
    def post(self, request: Request) -> Response:
        """Retire credits and recognise them for a statement of the organisation.

        Without `chosen` and `retirement` the rules take what covers the need. A request that
        breaks a rule changes nothing and is answered with the code of the rule.
        """
        values = checked_body(RecognitionInput, request)
        key = request.headers.get(HEADER) or str(uuid4())

        def work() -> tuple[int, Any]:
            done = _recognise(self.actor, values, key)
            return status.HTTP_201_CREATED, _detail(done)

        return answer_with_key(self, work)


class RecognitionView(RecordView):
    """One recognition."""

    @extend_schema(operation_id="recognitions_read", tags=TAG, responses=RecognitionDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a recognition with its events."""
        found = recognitions_for(self.actor).filter(public_id=public_id).first()
        if found is None:
            raise NotFound
        return Response(_detail(found))


class CyclesView(RecordView):
    """The netting cycles."""

    @extend_schema(
        operation_id="netting_cycles_list", tags=TAG, parameters=[PageQuery], responses=CyclePage
    )
    def get(self, request: Request) -> Response:
        """List netting cycles: a member those that it is a party of."""
        query = PageQuery.read(request)
        rows = cycles_for(self.actor)
        return page_of(rows, request, CycleOutput, limit=query["limit"], after=query.get("after"))


class CycleView(RecordView):
    """One netting cycle."""

    @extend_schema(operation_id="netting_cycles_read", tags=TAG, responses=CycleDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a cycle with obligations and positions: a member sees its own."""
        cycle = cycles_for(self.actor).filter(public_id=public_id).first()
        if cycle is None:
            raise NotFound
        computation = newest_computations([cycle]).get(cycle.pk)
        content = {
            "cycle": cycle,
            "computation": computation,
            "obligations": obligations_for(self.actor, cycle),
            "positions": positions_for(self.actor, computation) if computation else [],
        }
        return Response(CycleDetailOutput(content).data)


def _recognise(actor: Actor, values: dict[str, Any], key: str) -> Recognition:
    if values.get("retirement"):
        return recognise_retirement(
            actor=actor,
            statement_public_id=values["statement"],
            retirement_public_id=values["retirement"],
            idempotency_key=key,
        )
    chosen = [ChosenUnits(**each) for each in values.get("chosen", [])]
    return recognise(
        actor=actor, statement_public_id=values["statement"], idempotency_key=key, chosen=chosen
    )


def _detail(recognition: Recognition) -> Any:
    content = {"recognition": recognition, "events": events_of(recognition)}
    return RecognitionDetailOutput(content).data
