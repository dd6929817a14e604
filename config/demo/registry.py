"""The demonstration's certificates and credits: a file, a sale, a claim, a freeze, an issue.

Everything is done by people through the services, once; projects and units are examples (示例).
"""

from datetime import date, timedelta
from decimal import Decimal

from config.demo.cast import Cast, platform_actor
from config.demo.instruments import play_instruments
from config.demo.stage import Stage
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.domain.registry.blocks import UnitBlock, choose_lowest
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    CcerState,
    ImportState,
    Project,
    Registry,
    Retirement,
    RetirementPurpose,
    UnitBatch,
)
from settlement.selectors.registry import available_blocks
from settlement.selectors.registry.energy import certificates_cancelled, certificates_frozen
from settlement.services.registry.exclusivity import (
    CcerIssue,
    ccer_programme,
    issue_ccer,
    register_ccer_project,
)
from settlement.services.registry.holdings import retire_units, transfer_units
from settlement.services.registry.importing import confirm_registry_file, preview_registry_file
from settlement.services.registry.seed import seed_registries

# Native id, names, province, technology, programme, filing code of 17 characters, MWh of a month.
PLANTS = (
    ("DEMO-NX-PV", "中卫光伏（示例）", "Zhongwei solar (example)", "Ningxia", "photovoltaic", "PV",
     "PV640500EXAMPLE01", 1200),
    ("DEMO-NM-WIND", "和林格尔风电（示例）", "Helinger wind (example)", "Inner Mongolia",
     "onshore_wind", "WIND", "WF150100EXAMPLE02", 900),
    ("DEMO-GD-OFF", "阳江海上风电（示例）", "Yangjiang offshore wind (example)", "Guangdong",
     "offshore_wind", "WIND", "WF441700EXAMPLE03", 600),
)  # fmt: skip
HEADER = (
    "issuance_id,project,programme,first_serial,last_serial,units,period_start,period_end,"
    "issued_on,holder,metered_mwh,class_codes"
)
SOLD, CLAIMED, CREDITED_MWH = 300, 120, 200
FACTOR = Decimal("0.5703")


def play_registry(cast: Cast, stage: Stage) -> list[str]:
    """Play the month of certificates once and return the lines to print."""
    today = market_date(market_now())
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    suppliers = [actor for actor in cast.supplying.values() if actor.organisation][: len(PLANTS)]
    codes = [buyer.organisation_code for buyer in cast.buyers] or list(cast.buying)
    if len(suppliers) < len(PLANTS) or not codes:
        return ["绿证 certificates: 会员不足 too few members"]
    seed_registries()
    keeper = platform_actor(Role.FINANCE)
    lines = [_import(keeper, suppliers, month, today)]
    stage.watch()
    # Whoever only buys, as the person does whose sign-in the demonstration shows.
    only_buying = [
        cast.buying[code]
        for code in codes
        if getattr(cast.buying[code].organisation, "pk", None) not in cast.supplying
    ]
    claimant = (only_buying or [cast.buying[codes[0]]])[0]
    lines += [_sell_and_claim(suppliers[0], claimant, month, today), _register(keeper, month)]
    stage.watch()
    lines.append(_credit(keeper, suppliers[2], month, today))
    stage.watch()
    parent = f"{PLANTS[1][0]}-{month:%Y%m}"
    return lines + play_instruments(
        keeper, suppliers[1], claimant, parent=parent, month=month, today=today
    )


def _import(keeper: Actor, suppliers: list[Actor], month: date, today: date) -> str:
    home = Registry.objects.get(code="GEC")
    rows = [HEADER]
    for plant, actor in zip(PLANTS, suppliers, strict=True):
        native, zh, en, province, technology, programme, filing, mwh = plant
        Project.objects.get_or_create(
            registry=home,
            native_id=native,
            defaults={
                "name_zh": zh,
                "name_en": en,
                "province": province,
                "technology": technology,
                "owner": actor.organisation,
                "is_example": True,
            },
        )
        first, last = (f"{filing}{month:%Y%m}{number:07}AB" for number in (1, mwh))
        code = actor.organisation.code if actor.organisation else ""
        rows.append(
            f"{native}-{month:%Y%m},{native},{programme},{first},{last},{mwh},{month:%Y-%m},"
            f"{_last_day(month)},{today},{code},{mwh},AB"
        )
    data = ("\n".join(rows) + "\n").encode()
    if UnitBatch.objects.filter(issuance_id=f"{PLANTS[0][0]}-{month:%Y%m}").exists():
        return "绿证文件 certificate file: 已入库 taken over before"
    file = preview_registry_file(
        actor=keeper, registry=home, file_name=f"gec-{month:%Y-%m}-example.csv", data=data
    )
    if file.state == ImportState.PREVIEWED:
        confirm_registry_file(actor=keeper, public_id=file.public_id)
    return f"绿证文件 certificate file: {file.units} 张 certificates, {len(file.rows)} 批 batches"


def _sell_and_claim(seller: Actor, buyer: Actor, month: date, today: date) -> str:
    """Sell certificates; the buyer claims most for the month before, one for the month so far."""
    batch = UnitBatch.objects.get(issuance_id=f"{PLANTS[0][0]}-{month:%Y%m}")
    if buyer.organisation is None or seller.organisation is None:
        return ""
    sold = [UnitBlock(batch.pk, batch.first_serial, batch.first_serial + SOLD - 1)]
    transfer_units(
        actor=seller,
        ranges=sold,
        to_organisation=buyer.organisation,
        reason="示例 example",
        idempotency_key=f"demo-sale:{batch.issuance_id}",
    )
    claims = [
        _claim(buyer, buyer.organisation, CLAIMED - 1, month, f"demo-claim:{batch.issuance_id}"),
        _claim(
            buyer,
            buyer.organisation,
            1,
            today.replace(day=1),
            f"demo-claim-so-far:{batch.issuance_id}",
        ),
    ]
    told = ", ".join(f"{claim.number} {claim.units} 张" for claim in claims)
    return f"绿证核销 certificates claimed: {buyer.organisation.name_zh} {told}"


def _claim(buyer: Actor, owner: Organisation, units: int, month: date, key: str) -> Retirement:
    held = [one.block for one in available_blocks(owner, registry="GEC")]
    return retire_units(
        actor=buyer,
        ranges=choose_lowest(held, units),
        beneficiary=owner,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=month,
        note="示例 example",
        idempotency_key=key,
    )


def _register(keeper: Actor, month: date) -> str:
    project = Project.objects.get(registry__code="GEC", native_id=PLANTS[2][0])
    if project.ccer_state == CcerState.NONE:
        register_ccer_project(
            actor=keeper,
            project_id=project.public_id,
            first_day=date(month.year, 1, 1),
            last_day=date(month.year + 6, 12, 31),
        )
    frozen = certificates_frozen(project, month)
    return f"CCER 项目登记 project registered: {project.name_zh}, 冻结绿证 frozen {frozen}"


def _credit(keeper: Actor, owner: Actor, month: date, today: date) -> str:
    project = Project.objects.get(registry__code="GEC", native_id=PLANTS[2][0])
    units = int(CREDITED_MWH * FACTOR)
    issuance = f"DEMO-CCER-{month:%Y%m}"
    batch = UnitBatch.objects.filter(issuance_id=issuance).first()
    if batch is None:
        batch = issue_ccer(
            actor=keeper,
            project_id=project.public_id,
            issue=CcerIssue(
                programme=ccer_programme("OFFSHORE-WIND"),
                issuance_id=issuance,
                run=SerialRun(f"{issuance}-", "", 6, 1, units),
                mwh_by_month={month: CREDITED_MWH},
                baseline_factor=FACTOR,
                issued_on=today,
            ),
            holder=owner.organisation,
        )
    cancelled = certificates_cancelled(project, month)
    return f"CCER 签发 issued: {batch.units} tCO2e, 作废绿证 certificates cancelled {cancelled}"


def _last_day(month: date) -> date:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return following - timedelta(days=1)
