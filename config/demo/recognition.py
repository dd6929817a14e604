"""The demonstration's month of recognition: three data centres retire, recognise, hit a cap, net.

Everything is done by the members' and the platform's people through the services, once; credits
are examples (示例) issued for the demonstration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from config.demo.cast import Cast, platform_actor
from config.demo.funding import fund
from config.demo.stage import Stage
from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.domain.carbon.errors import CapExceeded
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    EmissionStatement,
    NettingCycle,
    Programme,
    Project,
    Recognition,
    RecognitionAgreement,
    Registry,
    StatementSubject,
    UnitBatch,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.carbon.statements import issue_month
from settlement.services.chain import seal_blocks
from settlement.services.invariants import sweep_ledger
from settlement.services.recognition.agreements import (
    AgreementDraft,
    decide_version,
    propose_agreement,
)
from settlement.services.recognition.netting import compute_cycle, settle_cycle
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.recognising import recognise
from settlement.services.recognition.schemes import join_scheme
from settlement.services.recognition.seed import seed_platform_scheme
from settlement.services.recognition.terms import TermsDraft
from settlement.services.registry.holdings import BatchFacts, hold_units
from settlement.services.registry.seed import seed_registries

UNITS = 400
CENTRES = 3
PRICE = Decimal("78.60")
# Who owes whom, by the position among the three, in tonnes.
OWED = ((0, 1, "12.4"), (1, 2, "7.9"), (2, 0, "3.15"), (0, 2, "5.25"))


@dataclass(frozen=True)
class Source:
    """Where one data centre's credits come from: registry, programme, and how far they count."""

    registry: str
    programme: str
    project_zh: str
    project_en: str
    province: str
    discount_d: str
    relative_cap: str | None
    absolute_cap_t: str | None


SOURCES = (
    Source("PHCER", "FOREST", "韶关林业示例", "Shaoguan forestry (example)", "Guangdong",
           "0.10", "0.5", "80"),
    Source("CQCER", "BIOGAS", "重庆沼气示例", "Chongqing biogas (example)", "Chongqing",
           "0", None, "2.5"),
    Source("CCER", "AFFORESTATION", "塞罕坝造林示例", "Saihanba afforestation (example)", "Hebei",
           "0", "0.5", None),
)  # fmt: skip

# What a programme's projects are, where its name does not say it.
TECHNOLOGIES = {"FOREST": "forestry"}

# Credits that all three hold: what is netted is one class.
SHARED = replace(
    SOURCES[2],
    programme="OFFSHORE-WIND",
    project_zh="唐山海上风电示例",
    project_en="Tangshan offshore wind (example)",
)


def play_recognition(cast: Cast, stage: Stage) -> list[str]:
    """Play the month once and return the lines to print; a second call only tells again.

    The three suppliers with the largest data-centre statements take part.
    """
    today = market_date(market_now())
    issue_month(month=today.replace(day=1), only_missing=True)
    statements = _largest_statements(cast, today)
    if len(statements) < CENTRES:
        return [
            "碳汇互认 recognition: 数据中心报表不足三份 fewer than three data centres have stated"
        ]
    actors = [cast.supplying[statement.organisation_id] for statement in statements]
    _prepare(actors, today)
    stage.watch()
    lines = [
        _recognise(actor, statement) for actor, statement in zip(actors, statements, strict=True)
    ]
    stage.watch()
    cycle = _net(actors, today)
    return [*lines, *_told(cycle, today)]


def _largest_statements(cast: Cast, today: date) -> list[EmissionStatement]:
    """Return the largest statement of each of three suppliers, largest first."""
    rows = EmissionStatement.objects.filter(
        subject=StatementSubject.POOL,
        superseded_by__isnull=True,
        organisation__in=list(cast.supplying),
        month=today.replace(day=1),
    )
    found: dict[int, EmissionStatement] = {}
    for statement in rows.defer("inputs").order_by("-market_based_t", "pk"):
        found.setdefault(statement.organisation_id, statement)
    return list(found.values())[:CENTRES]


def _prepare(actors: Sequence[Actor], today: date) -> None:
    """Seed registries, agreements and credits; the three report in the platform's scheme."""
    seed_registries()
    scheme = seed_platform_scheme()
    maker, checker = platform_actor(Role.FINANCE), platform_actor(Role.FINANCE, number=1)
    for priority, (actor, source) in enumerate(zip(actors, SOURCES, strict=True), 1):
        organisation = _organisation(actor)
        join_scheme(
            actor=maker, organisation=organisation, scheme=scheme, valid_from=date(2026, 1, 1)
        )
        _agree(source, scheme, priority, today, maker, checker)
        _issue(source.registry, source.programme, source, organisation, today, maker)
    for actor in actors:
        _issue(SHARED.registry, SHARED.programme, SHARED, _organisation(actor), today, maker)


def _agree(
    source: Source, scheme: Registry, priority: int, today: date, maker: Actor, checker: Actor
) -> None:
    code = f"{source.registry}-HR"
    if RecognitionAgreement.objects.filter(code=code).exists():
        return
    programme = Programme.objects.get(registry__code=source.registry, code=source.programme)
    version = propose_agreement(
        actor=maker,
        draft=AgreementDraft(
            code,
            f"{source.registry} 计入衡算互认台账",
            f"{source.registry} counted in the recognition ledger",
            source.registry,
            scheme.code,
        ),
        terms=TermsDraft(
            instrument_types=(programme.instrument_type,),
            programmes=(programme.code,),
            vintage_min=today.year - 3,
            vintage_max=today.year,
            valid_from=date(today.year, 1, 1),
            valid_to=date(today.year + 2, 12, 31),
            discount_d=Decimal(source.discount_d),
            relative_cap=Decimal(source.relative_cap) if source.relative_cap else None,
            absolute_cap_t=Decimal(source.absolute_cap_t) if source.absolute_cap_t else None,
            priority=priority,
        ),
        reason="示例 example",
    )
    decide_version(actor=checker, version_public_id=version.public_id, approve=True)


def _issue(
    registry: str,
    programme: str,
    source: Source,
    holder: Organisation,
    today: date,
    keeper: Actor,
) -> None:
    issuance = f"DEMO-{registry}-{programme}-{holder.code}"
    if UnitBatch.objects.filter(issuance_id=issuance).exists():
        return
    home = Registry.objects.get(code=registry)
    project, _ = Project.objects.get_or_create(
        registry=home,
        native_id=f"DEMO-{programme}",
        defaults={
            "name_zh": source.project_zh,
            "name_en": source.project_en,
            "province": source.province,
            "technology": TECHNOLOGIES.get(programme, programme.lower().replace("-", "_")),
            "is_example": True,
        },
    )
    hold_units(
        actor=keeper,
        holder=holder,
        facts=BatchFacts(
            registry=home,
            programme=Programme.objects.get(registry=home, code=programme),
            project=project,
            issuance_id=issuance,
            run=SerialRun(f"DEMO-{programme}-{holder.code}-", "", 6, 1, UNITS),
            starts_on=date(today.year - 2, 1, 1),
            ends_on=date(today.year - 2, 12, 31),
            issued_on=date(today.year - 1, 6, 30),
        ),
    )


def _recognise(actor: Actor, statement: EmissionStatement) -> str:
    """Cover one statement as far as the rules allow; say what it came to, or which cap is full."""
    organisation = _organisation(actor)
    made = Recognition.objects.filter(organisation=organisation, statement=statement).first()
    try:
        if made is None:
            made = recognise(
                actor=actor, statement_public_id=statement.public_id, idempotency_key="demo-month"
            )
        recognise(
            actor=actor, statement_public_id=statement.public_id, idempotency_key="demo-again"
        )
    except CapExceeded as refusal:
        capped = f"，达到上限 cap reached ({refusal.params.get('agreement', '')})"
    except RuleBroken as refusal:
        capped = f"（{refusal.code}）"
    else:
        capped = ""
    if made is None:
        return f"碳汇互认 {organisation.code}: 未互认 nothing recognised{capped}"
    return (
        f"碳汇互认 {organisation.code} {made.number}: 基于市场 market-based"
        f" {made.market_based_t} t, 抵减 applied {made.applied_t} t,"
        f" 剩余 left {made.residual_t} t{capped}"
    )


def _net(actors: Sequence[Actor], today: date) -> NettingCycle:
    """Net what the three owe each other; one person computes, another settles."""
    code = f"LHZC-{today:%Y%m}"
    known = NettingCycle.objects.filter(code=code).first()
    if known is not None:
        return known
    maker, checker = platform_actor(Role.FINANCE), platform_actor(Role.FINANCE, number=1)
    for actor in actors:
        fund(_organisation(actor), deposit_cny=Decimal(5000), credit_cny=Decimal(0), note="DEMO-HR")
    cycle = open_cycle(
        actor=maker,
        draft=CycleDraft(
            code, "CCER", "reduction", today.year - 2, today + timedelta(days=1), PRICE
        ),
    )
    codes = [_organisation(actor).code for actor in actors]
    for number, (payer, payee, tonnes) in enumerate(OWED, 1):
        draft = ObligationDraft(
            codes[payer], codes[payee], Decimal(tonnes), f"示例合同 example contract {number}"
        )
        add_obligation(actor=maker, cycle_public_id=cycle.public_id, draft=draft)
    freeze_cycle(actor=maker, cycle_public_id=cycle.public_id)
    compute_cycle(actor=maker, cycle_public_id=cycle.public_id)
    return settle_cycle(actor=checker, cycle_public_id=cycle.public_id)


def _told(cycle: NettingCycle, today: date) -> list[str]:
    computation = cycle.computations.order_by("-number").first()
    lines = []
    if computation is not None:
        lines.append(
            f"互认轧差 netting {cycle.code} {cycle.get_state_display()}: 总额 gross"
            f" {computation.gross_t} t, 净额 net {computation.net_t} t,"
            f" 轧差率 ratio {computation.ratio}"
        )
    off = differences_by_asset(trial_balance(date(2000, 1, 1), today + timedelta(days=400)))
    is_zero = not any(off.values())
    assets = ", ".join(sorted(off))
    lines.append(f"试算平衡 trial balance {'为零 zero' if is_zero else off}: {assets}")
    return [*lines, _swept()]


def _swept() -> str:
    """Ask every rule of the books once, as every night does, and say what it found."""
    seal_blocks()
    run = sweep_ledger()
    broken = run.results.filter(finding_count__gt=0).count()
    found = f"{broken} 项异常 broken" if broken else "无异常 nothing found"
    return f"账簿核查 sweep of the books: {run.results.count()} 项规则 rules, {found}"


def _organisation(actor: Actor) -> Organisation:
    if actor.organisation is None:
        raise LookupError("the actor acts for nobody")
    return actor.organisation
