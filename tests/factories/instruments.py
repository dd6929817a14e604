"""Files of metered hours, of VCS serials and of CAD Trust units, for tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from marketplace.models import Organisation
from marketplace.permissions import Actor
from settlement.models import ImportFormat, Registry, RegistryImport, UnitBatch
from settlement.services.registry.granular import MeteredHour, issue_granular
from settlement.services.registry.importing import preview_registry_file
from tests.factories.registry import keeper

PRODUCED = datetime(2026, 3, 15, 2, tzinfo=UTC)  # ten in the morning in Shanghai
HOURS_HEAD = "issuance_id,device,source,starts_at,ends_at,energy_wh,holder"
VCS_HEAD = "serial,programme,issued_on,holder,project_name,adjustment,expires_on,status"


def hour_of_parent(parent: UnitBatch, energy_wh: int, **changes: Any) -> MeteredHour:
    """Return a metered hour of a month's certificates."""
    starts_at = changes.pop("starts_at", PRODUCED)
    return MeteredHour(
        **{
            "parent": parent,
            "device": "INV-01",
            "source": "offshore_wind",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=1),
            "energy_wh": energy_wh,
            **changes,
        }
    )


def bundle(
    parent: UnitBatch,
    owner: Organisation,
    energy_wh: int = 500_000,
    actor: Actor | None = None,
    **changes: Any,
) -> UnitBatch:
    """Issue granular certificates for an hour."""
    hour = hour_of_parent(parent, energy_wh, **changes)
    return issue_granular(actor=actor or keeper(), hour=hour, holder=owner)


def hours_line(parent: UnitBatch, owner: Organisation, **changes: str) -> str:
    """Return a line of a file of metered hours."""
    cells = {
        "issuance_id": parent.issuance_id,
        "device": "INV-01",
        "source": "offshore_wind",
        "starts_at": "2026-03-15T10:00:00+08:00",
        "ends_at": "2026-03-15T11:00:00+08:00",
        "energy_wh": "500000",
        "holder": owner.code,
        **changes,
    }
    return ",".join(cells.values())


def vcs_serial(first: int = 100, last: int = 199, **changes: str) -> str:
    """Return a serial block of VCS: a wind project in China, 2025."""
    parts = {"country": "CN", "scope": "1", "project": "2222", "days": "01012025-31122025"}
    said = {**parts, **changes}
    return (
        f"9660-{first}-{last}-VCS-VCU-261-VER-{said['country']}-{said['scope']}-{said['project']}"
        f"-{said['days']}-1"
    )


def vcs_line(owner: Organisation, **changes: str) -> str:
    """Return a line of a file of VCS serials."""
    cells = {
        "serial": vcs_serial(),
        "programme": "ACM0002",
        "issued_on": "2026-02-01",
        "holder": owner.code,
        "project_name": "Example wind farm",
        "adjustment": "committed",
        "expires_on": "",
        "status": "",
        **changes,
    }
    return ",".join(cells.values())


def cad_trust(owner: Organisation, **changes: Any) -> dict[str, Any]:
    """Return a document of one project with one unit; changes are to the unit."""
    unit = {
        "issuanceId": "i-1",
        "serialNumberBlock": vcs_serial(),
        "unitBlockStart": "100",
        "unitBlockEnd": "199",
        "unitCount": 100,
        "vintageYear": 2025,
        "unitType": "Reduction - technical",
        "unitStatus": "Held",
        "unitOwner": owner.code,
        "correspondingAdjustmentDeclaration": "Committed",
        "correspondingAdjustmentStatus": "Not Started",
        **changes,
    }
    project = {
        "projectId": "2222",
        "projectName": "Example wind farm",
        "currentRegistry": "Verra",
        "sector": "Energy industries (renewable / non-renewable sources)",
        "methodology": "VCS - ACM0002",
        "projectLocations": [{"country": "China"}],
        "issuances": [
            {
                "id": "i-1",
                "startDate": "2025-01-01",
                "endDate": "2025-12-31",
                "verificationReportDate": "2026-02-01",
            }
        ],
    }
    return {"projects": [project], "units": [unit]}


def read_file(
    text: str | dict[str, Any], *, registry: str, file_format: ImportFormat, actor: Actor
) -> RegistryImport:
    """Read a registry's file in a format."""
    data = text if isinstance(text, str) else json.dumps(text)
    return preview_registry_file(
        actor=actor,
        registry=Registry.objects.get(code=registry),
        file_name="file",
        data=data.encode(),
        file_format=file_format,
    )
