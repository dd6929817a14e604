"""Batches in full, with the hour or the origin behind them, and files with their warnings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from settlement.api.registry.serializers import BatchOutput, TotalsOutput
from settlement.domain.registry.granular import STATUSES
from settlement.models import BatchKind


class BundleOutput(serializers.Serializer):
    """The production that granular certificates of a batch are of; one serial is a watt-hour."""

    parent_issuance_id = serializers.CharField(source="parent_slice.batch.issuance_id")
    device = serializers.CharField()
    energy_source = serializers.CharField(source="source")
    production_starts_at = serializers.DateTimeField(source="starts_at")
    production_ends_at = serializers.DateTimeField(source="ends_at")
    wh_by_status = serializers.SerializerMethodField()

    def get_wh_by_status(self, bundle: Any) -> dict[str, int]:
        """Return watt-hours by status in the words of granular certificates."""
        totals = self.context["totals"].by_state
        return {STATUSES.get(state, state): units for state, units in totals.items()}


class OriginOutput(serializers.Serializer):
    """A batch as its international registry writes it."""

    native_serial = serializers.CharField()
    country = serializers.CharField()
    sector = serializers.IntegerField()
    adjustment = serializers.CharField()
    has_additional_certification = serializers.BooleanField()


class BatchDetailOutput(serializers.Serializer):
    """A batch with its units by state."""

    batch = BatchOutput()
    totals = TotalsOutput()
    bundle = serializers.SerializerMethodField()
    origin = serializers.SerializerMethodField()

    @extend_schema_field(BundleOutput(allow_null=True))
    def get_bundle(self, content: Any) -> Any:
        """Return the production of granular certificates."""
        if content["batch"].kind != BatchKind.GRANULAR:
            return None
        return BundleOutput(content["batch"].bundle, context={"totals": content["totals"]}).data

    @extend_schema_field(OriginOutput(allow_null=True))
    def get_origin(self, content: Any) -> Any:
        """Return what the home registry says of an international batch."""
        origin = getattr(content["batch"], "origin", None)
        return None if origin is None else OriginOutput(origin).data


class WarningOutput(serializers.Serializer):
    """A project of another registry that could be the same; nothing is refused for it."""

    code = serializers.CharField()
    project = serializers.CharField()
    registry = serializers.CharField()
    other = serializers.CharField()
    sector = serializers.CharField()
    country = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class FileOutput(serializers.Serializer):
    """A file of a registry."""

    id = serializers.UUIDField(source="public_id")
    registry = serializers.CharField(source="registry.code")
    file_format = serializers.CharField()
    sha256 = serializers.CharField(source="file_sha256")
    state = serializers.CharField()
    units = serializers.IntegerField()
    lines = serializers.SerializerMethodField()

    warnings = WarningOutput(many=True)

    def get_lines(self, file: Any) -> int:
        """Return how many batches the file brings."""
        return len(file.rows)
