"""The demonstration's other instruments: one hour of granular certificates, one block of VCS."""

from datetime import date, datetime, time, timedelta

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import Organisation
from marketplace.permissions import Actor
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import (
    ImportFormat,
    ImportState,
    Project,
    Registry,
    RegistryImport,
    RetirementPurpose,
    UnitBatch,
)
from settlement.services.registry.holdings import retire_units, transfer_units
from settlement.services.registry.importing import (
    batches_of,
    confirm_registry_file,
    preview_registry_file,
)

HOURS_HEADER = "issuance_id,device,source,starts_at,ends_at,energy_wh,holder"
HOUR_WH, HANDED_ON_WH, CANCELLED_WH = 1_800_000, 600_000, 200_000
VCS_HEADER = "serial,programme,issued_on,holder,project_name,adjustment"
VCS_PROJECT, VCS_FIRST, VCS_LAST = "9902", 700_000_001, 700_000_400
VCS_NAME = "示例风电场（VCS） Example wind farm (VCS)"


def play_instruments(
    keeper: Actor, owner: Actor, buyer: Actor, *, parent: str, month: date, today: date
) -> list[str]:
    """Issue an hour, hand part of it on, cancel part of that; take a block of VCS over; once."""
    if owner.organisation is None or buyer.organisation is None:
        return []
    return [
        _hour(keeper, owner, owner.organisation, buyer, buyer.organisation, parent, month),
        _vcs(keeper, owner.organisation, month, today),
    ]


def _hour(
    keeper: Actor,
    owner: Actor,
    seller: Organisation,
    buyer: Actor,
    receiver: Organisation,
    parent: str,
    month: date,
) -> str:
    starts_at = datetime.combine(month.replace(day=15), time(10), tzinfo=MARKET_TIME_ZONE)
    ends_at = starts_at + timedelta(hours=1)
    line = (
        f"{parent},HLGE-WT-07,onshore_wind,{starts_at.isoformat()},{ends_at.isoformat()},"
        f"{HOUR_WH},{seller.code}"
    )
    file = _file(keeper, "GC", ImportFormat.HOURS, f"hours-{month:%Y-%m}", HOURS_HEADER, line)
    (batch,) = batches_of(file)
    transfer_units(
        actor=owner,
        ranges=[UnitBlock(batch.pk, 1, HANDED_ON_WH)],
        to_organisation=receiver,
        reason="示例 example",
        idempotency_key=f"demo-hour-sale:{batch.issuance_id}",
    )
    retire_units(
        actor=buyer,
        ranges=[UnitBlock(batch.pk, 1, CANCELLED_WH)],
        beneficiary=receiver,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=month,
        claim_hour=starts_at,
        note="示例 example",
        idempotency_key=f"demo-hour-claim:{batch.issuance_id}",
    )
    return f"小时级绿证 granular certificates: {batch.units} Wh, {starts_at:%Y-%m-%d %H:%M}"


def _vcs(keeper: Actor, holder: Organisation, month: date, today: date) -> str:
    Project.objects.get_or_create(
        registry=Registry.objects.get(code="VCS"),
        native_id=VCS_PROJECT,
        defaults={
            "name_zh": "示例风电场（VCS）",
            "name_en": "Example wind farm (VCS)",
            "province": "",
            "technology": "onshore_wind",
            "country": "CN",
            "sector": 1,
            "is_example": True,
        },
    )
    serial = (
        f"15001-{VCS_FIRST}-{VCS_LAST}-VCS-VCU-262-VER-CN-1-{VCS_PROJECT}"
        f"-0101{month:%Y}-28{month:%m%Y}-0"
    )
    known = UnitBatch.objects.filter(registry__code="VCS", project__native_id=VCS_PROJECT).first()
    if known is None:
        line = f"{serial},ACM0002,{today},{holder.code},{VCS_NAME},committed"
        file = _file(keeper, "VCS", ImportFormat.VCS, f"vcs-{month:%Y-%m}", VCS_HEADER, line)
        (known,) = batches_of(file)
    return f"VCS: {known.units} tCO2e, {holder.name_zh}"


def _file(
    keeper: Actor, registry: str, file_format: ImportFormat, name: str, *lines: str
) -> RegistryImport:
    file = preview_registry_file(
        actor=keeper,
        registry=Registry.objects.get(code=registry),
        file_name=f"{name}.csv",
        data=("\n".join(lines) + "\n").encode(),
        file_format=file_format,
    )
    if file.state == ImportState.PREVIEWED:
        file = confirm_registry_file(actor=keeper, public_id=file.public_id)
    return file
