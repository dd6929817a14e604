"""Data centres with credits, statements and agreements, for tests of recognition and netting."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    AgreementVersion,
    Asset,
    EmissionStatement,
    FactorSet,
    MatchingSlot,
    Programme,
    Project,
    Registry,
    SchemeMembership,
    StatementSubject,
    UnitBatch,
)
from settlement.services.accounts import open_platform_accounts
from settlement.services.recognition.agreements import (
    AgreementDraft,
    decide_version,
    propose_agreement,
)
from settlement.services.recognition.terms import TermsDraft
from settlement.services.registry.accounts import open_registry_accounts
from settlement.services.registry.holdings import BatchFacts, hold_units
from tests.factories.ledger import make_member
from tests.factories.marketplace import member, operator
from tests.factories.settlement import move_clock

_numbers = count(1)
MONTH = date(2026, 3, 1)
TODAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 4, tzinfo=UTC)  # noon in Shanghai
TYPES = {"PHCER": "sink_removal", "CCER": "reduction", "GEC": "energy_attribute"}


def make_registry(code: str, *, kind: str = "credit", jurisdiction: str = "CN") -> Registry:
    """Return a registry with its asset, accounts and one programme of its kind."""
    Asset.objects.get_or_create(code=code, defaults={"name_zh": code, "name_en": code, "scale": 0})
    registry, is_new = Registry.objects.get_or_create(
        code=code,
        defaults={
            "name_zh": code,
            "name_en": code,
            "jurisdiction": jurisdiction,
            "kind": kind,
            "unit": "MWh" if kind == "energy_attribute" else "tCO2e",
            "asset_id": code,
            "serial_pattern": r"[0-9]+",
        },
    )
    if is_new:
        open_registry_accounts(registry)
        Programme.objects.create(
            registry=registry,
            code=f"{code}-P",
            name_zh=f"{code}方法学",
            name_en=f"{code} methodology",
            instrument_type=TYPES.get(code, "reduction"),
        )
    return registry


def issue(
    holder: Organisation,
    registry: str,
    *,
    vintage: int,
    first: int,
    last: int,
    keeper: Actor | None = None,
    programme: Programme | None = None,
) -> UnitBatch:
    """Put a batch of credits with its holder."""
    home = make_registry(registry)
    number = next(_numbers)
    project = Project.objects.create(
        registry=home,
        native_id=f"P{number}",
        name_zh=f"项目{number}",
        name_en=f"Project {number}",
        province="Hebei",
        technology="forest",
    )
    return hold_units(
        actor=keeper or operator(),
        holder=holder,
        facts=BatchFacts(
            registry=home,
            programme=programme or home.programmes.get(code=f"{registry}-P"),
            project=project,
            issuance_id=f"ISS-{number}",
            run=SerialRun(f"{registry}-{vintage}-{number}-", "", 6, first, last),
            starts_on=date(vintage, 1, 1),
            ends_on=date(vintage, 12, 31),
            issued_on=date(vintage + 1, 1, 15),
        ),
    )


def state(
    organisation: Organisation,
    market_based_t: str,
    *,
    month: date = MONTH,
    supersedes: EmissionStatement | None = None,
) -> EmissionStatement:
    """Return a statement of a buyer's month with these market-based tonnes."""
    factors, _ = FactorSet.objects.get_or_create(
        year=2023,
        version=1,
        defaults={
            "announcement": "2025 No. 47",
            "published_on": date(2025, 12, 1),
            "origin": "shipped",
            "state": "approved",
            "sha256": "0" * 64,
        },
    )
    tonnes = Decimal(market_based_t)
    return EmissionStatement.objects.create(
        subject=StatementSubject.BUYER,
        version=supersedes.version + 1 if supersedes else 1,
        supersedes=supersedes,
        organisation=organisation,
        month=month,
        delivery_count=1,
        is_estimated=False,
        it_wh=1_000_000,
        facility_wh=1_200_000,
        slot=MatchingSlot.HOUR,
        matched_wh=0,
        residual_wh=1_200_000,
        excess_wh=0,
        certificates=0,
        location_g=tonnes * 1_000_000,
        market_g=tonnes * 1_000_000,
        location_based_t=tonnes,
        market_based_t=tonnes,
        factor_set=factors,
        factor_year=2023,
        announcement=factors.announcement,
        residual_factor=Decimal("0.6096"),
        code_version="test",
        inputs="{}",
        sha256="0" * 64,
    )


def terms(instrument_type: str = "sink_removal", **changes: Any) -> TermsDraft:
    """Return terms of the year 2026 for vintages of 2022 to 2025 without caps."""
    given = {
        "instrument_types": (instrument_type,),
        "vintage_min": 2022,
        "vintage_max": 2025,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
        "relative_cap": None,
        **changes,
    }
    return TermsDraft(**given)


@dataclass
class Region:
    """A scheme, the platform's people, and a data centre with money that reports in the scheme."""

    scheme: Registry = field(default_factory=lambda: make_registry("HS", kind="platform"))
    centre: Organisation = field(default_factory=lambda: make_member(funds="10000"))
    first: Actor = field(default_factory=lambda: operator(Role.FINANCE))
    second: Actor = field(default_factory=lambda: operator(Role.FINANCE))

    def __post_init__(self) -> None:
        move_clock(NOON)
        open_platform_accounts()
        self.join(self.centre)

    @property
    def person(self) -> Actor:
        """Somebody of the data centre."""
        return member(self.centre, Role.FINANCE)

    def join(self, organisation: Organisation) -> Organisation:
        """Let an organisation report in the scheme."""
        SchemeMembership.objects.create(
            organisation=organisation, scheme=self.scheme, valid_from=date(2020, 1, 1)
        )
        return organisation

    def agree(
        self, code: str, registry: str, draft: TermsDraft | None = None, *, approve: bool = True
    ) -> AgreementVersion:
        """Return the first version of an agreement towards the scheme, approved unless told."""
        make_registry(registry)
        version = propose_agreement(
            actor=self.first,
            draft=AgreementDraft(code, f"{code}协议", f"Agreement {code}", registry, "HS"),
            terms=draft or terms(TYPES.get(registry, "reduction")),
            reason="test",
        )
        if approve:
            decide_version(actor=self.second, version_public_id=version.public_id, approve=True)
            version.refresh_from_db()
        return version


@contextmanager
def unchanged(*models: Any) -> Iterator[None]:
    """Fail when a block adds or removes rows of the models."""
    before = [model.objects.count() for model in models]
    yield
    assert [model.objects.count() for model in models] == before
