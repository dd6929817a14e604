"""The platform's hand on its registries: files, CCER, locks, invalidation; signed in only."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import SessionView
from marketplace.api.fields import IdentifierField
from marketplace.api.parsers import CsvParser, JsonFileParser
from marketplace.api.serializers import StrictSerializer, checked_body
from settlement.api.registry.instrument_serializers import FileOutput
from settlement.api.registry.serializers import (
    BatchOutput,
    CcerIssueInput,
    CcerRegistrationInput,
    DutyOutput,
    FileQuery,
    InvalidationOutput,
    LockInput,
    MovementOutput,
    ProjectOutput,
    ReasonedInput,
)
from settlement.domain.registry.serial_texts import read_run
from settlement.models import ImportFormat, Programme
from settlement.selectors.registry.naming import blocks_named, member_named, registry_named
from settlement.services.registry.access import may_keep_registry
from settlement.services.registry.disputes import lock_units, unlock_units
from settlement.services.registry.exclusivity import (
    CcerIssue,
    ccer_programme,
    issue_ccer,
    register_ccer_project,
)
from settlement.services.registry.import_rows import form_of
from settlement.services.registry.importing import (
    confirm_registry_file,
    discard_registry_file,
    preview_registry_file,
)
from settlement.services.registry.invalidation import invalidate_units, meet_duty

TAG = ["registry keeping"]


class KeeperView(SessionView):
    """An endpoint for the platform's people who keep the registries."""

    readers = staticmethod(may_keep_registry)
    writers = staticmethod(may_keep_registry)


class FilesView(KeeperView):
    """Files of registries."""

    parser_classes = [CsvParser, JsonFileParser]

    @extend_schema(
        operation_id="registry_files_preview",
        tags=TAG,
        parameters=[FileQuery],
        request={"text/csv": OpenApiTypes.STR, "application/json": OpenApiTypes.OBJECT},
        responses={201: FileOutput},
    )
    def post(self, request: Request) -> Response:
        """Read a registry's file and check every line; nothing is taken over before confirmation.

        CSV for tables, serials of VCS and metered hours; JSON for projects and units in the fields
        of CAD Trust. One bad line refuses the file: the errors name line, column and code. The
        same file is read once; sending it again returns the first.
        """
        query = FileQuery.read(request)
        file = preview_registry_file(
            actor=self.actor,
            registry=registry_named(query["registry"]),
            file_name=query.get("name", "registry.csv"),
            data=request.data if isinstance(request.data, bytes) else b"",
            file_format=query.get("file_format", ImportFormat.TABLE),
        )
        return Response(FileOutput(file).data, status=status.HTTP_201_CREATED)


class FileConfirmation(KeeperView):
    """The second word on a file."""

    @extend_schema(
        operation_id="registry_files_confirm", tags=TAG, request=None, responses=FileOutput
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Take a file over, every batch of it or nothing; a repeated call changes nothing."""
        return Response(
            FileOutput(confirm_registry_file(actor=self.actor, public_id=public_id)).data
        )


class FileDiscarding(KeeperView):
    """A file put aside."""

    @extend_schema(
        operation_id="registry_files_discard", tags=TAG, request=None, responses=FileOutput
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Put a file aside that was read and not taken over."""
        return Response(
            FileOutput(discard_registry_file(actor=self.actor, public_id=public_id)).data
        )


class CcerRegistration(KeeperView):
    """A project that enters CCER."""

    @extend_schema(
        operation_id="registry_projects_register_ccer",
        tags=TAG,
        request=CcerRegistrationInput,
        responses=ProjectOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Record the registration; unsold certificates of the crediting period freeze."""
        values = checked_body(CcerRegistrationInput, request)
        project = register_ccer_project(actor=self.actor, project_id=public_id, **values)
        return Response(ProjectOutput(project).data)


class CcerIssues(KeeperView):
    """Credits for energy."""

    @extend_schema(
        operation_id="registry_projects_issue_ccer",
        tags=TAG,
        request=CcerIssueInput,
        responses={201: BatchOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Issue CCER credits; as many frozen certificates die as the energy has MWh."""
        values = checked_body(CcerIssueInput, request)
        programme = ccer_programme(values["programme"])
        batch = issue_ccer(
            actor=self.actor,
            project_id=public_id,
            issue=_issue(values, programme),
            holder=member_named(values["holder"], field="holder"),
        )
        return Response(BatchOutput(batch).data, status=status.HTTP_201_CREATED)


class Locks(KeeperView):
    """Units locked by a dispute."""

    @extend_schema(
        operation_id="unit_locks_create",
        tags=TAG,
        request=LockInput,
        responses={201: MovementOutput},
    )
    def post(self, request: Request) -> Response:
        """Lock held units of a member while a dispute is open."""
        values = checked_body(LockInput, request)
        return self._answer(lock_units(**self._arguments(values)))

    def _arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "actor": self.actor,
            "ranges": blocks_named(values["ranges"]),
            "holder": member_named(values["holder"], field="holder"),
            "reason": values["reason"],
        }

    def _answer(self, movement: object) -> Response:
        return Response(MovementOutput(movement).data, status=status.HTTP_201_CREATED)


class Unlocks(Locks):
    """Units freed again."""

    @extend_schema(
        operation_id="unit_unlocks_create",
        tags=TAG,
        request=LockInput,
        responses={201: MovementOutput},
    )
    def post(self, request: Request) -> Response:
        """Free locked units of a member again."""
        values = checked_body(LockInput, request)
        return self._answer(unlock_units(**self._arguments(values)))


class Invalidations(KeeperView):
    """Units that their registry takes back."""

    @extend_schema(
        operation_id="unit_invalidations_create",
        tags=TAG,
        request=ReasonedInput,
        responses={201: InvalidationOutput},
    )
    def post(self, request: Request) -> Response:
        """Invalidate held and retired units; each retired one opens a duty of replacement."""
        values = checked_body(ReasonedInput, request)
        movement, duties = invalidate_units(
            actor=self.actor, ranges=blocks_named(values["ranges"]), reason=values["reason"]
        )
        content = {"movement": movement, "duties": duties}
        return Response(InvalidationOutput(content).data, status=status.HTTP_201_CREATED)


class DutyInput(StrictSerializer):
    """The retirement for replacement that meets a duty."""

    retirement = IdentifierField()


class DutyMeeting(KeeperView):
    """A duty of replacement that is met."""

    @extend_schema(
        operation_id="replacement_duties_meet",
        tags=TAG,
        request=DutyInput,
        responses=DutyOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Record that a retirement for replacement meets a duty; it may meet several."""
        values = checked_body(DutyInput, request)
        duty = meet_duty(actor=self.actor, duty_id=public_id, retirement_id=values["retirement"])
        return Response(DutyOutput(duty).data)


def _issue(values: dict[str, Any], programme: Programme) -> CcerIssue:
    run = read_run(
        values["first_serial"],
        values["last_serial"],
        values["units"],
        form_of(programme.registry),
    )
    return CcerIssue(
        programme=programme,
        issuance_id=values["issuance_id"],
        run=run,
        mwh_by_month={month["month"].replace(day=1): month["mwh"] for month in values["months"]},
        baseline_factor=values["baseline_factor"],
        issued_on=values["issued_on"],
    )
