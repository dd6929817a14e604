"""More of everything that lists of certificates, credits, recognition and netting show."""

from datetime import date, timedelta
from decimal import Decimal

from settlement.models import Registry, RetirementPurpose
from settlement.services.recognition.netting import compute_cycle
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.recognising import recognise
from settlement.services.registry.holdings import transfer_units
from settlement.services.registry.importing import preview_registry_file
from settlement.services.registry.reservations import reserve_units
from settlement.services.registry.retiring import retire_units
from tests.api.registry_stage import FILED_SERIAL, HEAD
from tests.factories import registry as registry_rows
from tests.factories.recognition import NOON, Region, issue, state
from tests.web.lists.market_rows import NOW, World, turn_clock

# Months that are over when the statements are covered, newest first.
MONTHS = [date(2026, month, 1) for month in (3, 2, 1)] + [
    date(2025, month, 1) for month in (12, 11, 10)
]


def add_units(world: World) -> None:
    """Add a batch of certificates and one of credits, and what is done with units."""
    turn_clock(NOW)
    registry_rows.registries(NOW)
    desk, number = world.desk, world.rounds
    project = registry_rows.make_project(native_id=f"GP-{number}")
    batch = registry_rows.issue(desk.buying, 100, project=project)
    registry_rows.issue(desk.buying, 100, registry="CCER")
    registry_rows.issue(desk.selling, 10)
    transfer_units(
        actor=desk.buyer,
        ranges=[registry_rows.block(batch, 1, 10)],
        to_organisation=desk.selling,
        idempotency_key=f"t{number}",
    )
    reserve_units(
        actor=desk.buyer,
        ranges=[registry_rows.block(batch, 11, 20)],
        expires_at=NOW + timedelta(days=3),
        source_type="test",
        source_id=str(number),
    )
    retire_units(
        actor=desk.buyer,
        ranges=[registry_rows.block(batch, 21, 30)],
        beneficiary=desk.buying,
        purpose=RetirementPurpose.VOLUNTARY,
        claim_month=registry_rows.MONTH,
        idempotency_key=f"r{number}",
    )
    cells = (
        *(f"F-{number}", f"GP-{number}", "WIND", FILED_SERIAL(1 + 20 * number)),
        *(FILED_SERIAL(9 + 20 * number), "9", "2026-04", "2026-04-30", "2026-05-20"),
        *(desk.buying.code, "9"),
    )
    preview_registry_file(
        actor=registry_rows.keeper(),
        registry=Registry.objects.get(code="GEC"),
        file_name=f"gec{number}.csv",
        data=f"{HEAD}\n{','.join(cells)}".encode(),
    )


def add_recognition(world: World) -> None:
    """Add an agreement, a proposal, a recognised statement and a computed cycle."""
    turn_clock(NOON)
    number, buying = world.rounds, world.desk.buying
    world.region = region = world.region or Region(centre=buying)
    code = f"RC{number}"
    region.agree(f"AGR-{number}", code)
    region.agree(f"AGR-P{number}", f"RP{number}", approve=False)
    issue(buying, code, vintage=2023, first=1, last=100)
    statement = state(buying, "5", month=MONTHS[number])
    recognise(
        actor=world.desk.buyer,
        statement_public_id=statement.public_id,
        idempotency_key=f"k{number}",
    )
    draft = CycleDraft(f"N-{number}", code, "reduction", 2023, date(2026, 3, 31), Decimal("78.60"))
    cycle = open_cycle(actor=region.first, draft=draft)
    owed = ObligationDraft(buying.code, world.desk.selling.code, Decimal("2.5"), f"C-{number}")
    add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=owed)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    turn_clock(NOW)
