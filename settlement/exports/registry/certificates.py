"""The certificate of a retirement (注销证明 / 核销证明), bilingual, with the serials and a hash."""

import hashlib
import json

from settlement.exports.pdf import draw_pdf
from settlement.models import RegistryUnit, Retirement


def retirement_pdf(retirement: Retirement) -> bytes:
    """Return the certificate of a retirement in both languages; raises PdfUnavailable."""
    return draw_pdf("settlement/pdf/retirement.html", retirement_context(retirement))


def retirement_context(retirement: Retirement) -> dict[str, object]:
    """Return what the certificate says."""
    lines = [
        {
            "batch": line.batch.issuance_id,
            "project_zh": line.batch.project.name_zh,
            "project_en": line.batch.project.name_en,
            "programme_zh": line.batch.programme.name_zh,
            "programme_en": line.batch.programme.name_en,
            "vintage": line.batch.vintage_year,
            "first": line.batch.serial_text(line.first_serial),
            "last": line.batch.serial_text(line.last_serial),
            "units": line.units,
        }
        for line in retirement.lines.select_related("batch__project", "batch__programme").order_by(
            "line"
        )
    ]
    return {
        "retirement": retirement,
        "is_certificate": retirement.registry.unit != RegistryUnit.TCO2E,
        "lines": lines,
        "digest": retirement_digest(retirement),
        "entry": retirement.movement.entry.public_id,
    }


def retirement_digest(retirement: Retirement) -> str:
    """Return the SHA-256 of what the retirement says, in canonical JSON."""
    content = {
        "number": retirement.number,
        "registry": retirement.registry.code,
        "holder": retirement.organisation.code,
        "beneficiary": retirement.beneficiary_name,
        "purpose": retirement.purpose,
        "claim_month": retirement.claim_month.isoformat(),
        "retired_on": retirement.retired_on.isoformat(),
        "serials": [
            [line.batch.issuance_id, line.first_serial, line.last_serial]
            for line in retirement.lines.select_related("batch").order_by("line")
        ],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
