"""Reference data of the registries the market knows, and the dated GEC/CCER rule set.

Facts with their public sources; what is not published (the widths inside a green certificate's
serial, the form of CCER and local serials) is a setting that says so.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction

from settlement.models import (
    Asset,
    InstrumentType,
    Programme,
    Registry,
    RegistryKind,
    RegistryRuleSet,
    RegistryUnit,
)
from settlement.services.registry.accounts import open_registry_accounts

_OPAQUE = r"[!-~]{1,128}"


@dataclass(frozen=True)
class _RegistryRow:
    code: str
    name_zh: str
    name_en: str
    jurisdiction: str
    kind: RegistryKind
    unit: RegistryUnit
    source: str
    serial_pattern: str = _OPAQUE
    sequence_start: int = 0
    sequence_digits: int = 0
    transfers_allowed: int | None = None
    life_months: int | None = None


REGISTRIES = (
    _RegistryRow(
        "GEC",
        "国家绿证核发交易系统",
        "National green certificate system",
        "CN",
        RegistryKind.ENERGY_ATTRIBUTE,
        RegistryUnit.MWH,
        "国能发新能规〔2024〕67号. 32 characters; the place of the running number is not published"
        " and is an assumption of this import profile.",
        serial_pattern=r"[0-9A-Z]{32}",
        sequence_start=23,
        sequence_digits=7,
        transfers_allowed=1,
        life_months=24,
    ),
    _RegistryRow(
        "CCER",
        "全国温室气体自愿减排注册登记系统",
        "National voluntary emission reduction register",
        "CN",
        RegistryKind.CREDIT,
        RegistryUnit.TCO2E,
        "Ministry of Ecology and Environment; relaunched on 2024-01-22. Serials are read as opaque"
        " text that ends in a number.",
    ),
    _RegistryRow(
        "PHCER",
        "广东省碳普惠",
        "Guangdong carbon inclusion",
        "CN-GD",
        RegistryKind.CREDIT,
        RegistryUnit.TCO2E,
        "Guangdong scheme traded at the Guangzhou exchange. Serials are read as opaque text.",
    ),
    _RegistryRow(
        "CQCER",
        "重庆“碳惠通”",
        "Chongqing certified emission reductions",
        "CN-CQ",
        RegistryKind.CREDIT,
        RegistryUnit.TCO2E,
        "Chongqing scheme. Serials are read as opaque text.",
    ),
    _RegistryRow(
        "GC",
        "小时级绿证登记（本平台）",
        "Granular certificates of this platform",
        "CN",
        RegistryKind.GRANULAR,
        RegistryUnit.WH,
        "Kept here in the style of the EnergyTag standard: watt-hours of a device in at most one"
        " hour, issued against green certificates that are used up for them.",
        serial_pattern=r"GC-[0-9]{8}T[0-9]{4}Z-[0-9]+-[0-9]{1,18}",
        life_months=24,
    ),
    _RegistryRow(
        "VCS",
        "Verra 核证碳标准（VCS）",
        "Verra Verified Carbon Standard",
        "international",
        RegistryKind.CREDIT,
        RegistryUnit.TCO2E,
        "Serial blocks batch-first-last-VCS-VCU-programme-VER-country-scope-project-from-to-flag;"
        " numbers of units run through the whole register.",
        serial_pattern=r"VCS-VCU-[0-9]{1,18}",
    ),
)

PROGRAMMES: tuple[tuple[str, str, str, str, str, InstrumentType, str], ...] = (
    (
        "GEC", "WIND", "风电绿证", "Wind power certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "GEC", "PV", "光伏绿证", "Solar power certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "GEC", "CSP", "光热绿证", "Solar thermal certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "CCER", "AFFORESTATION", "造林碳汇", "Afforestation sinks", "CCER-14-001-V01",
        InstrumentType.SINK_REMOVAL, "0.10",
    ),
    (
        "CCER", "MANGROVE", "红树林营造", "Mangrove planting", "CCER-14-002-V01",
        InstrumentType.SINK_REMOVAL, "0.10",
    ),
    (
        "CCER", "OFFSHORE-WIND", "并网海上风力发电", "Grid-connected offshore wind",
        "CCER-01-002-V01", InstrumentType.REDUCTION, "0",
    ),
    (
        "CCER", "CSP", "并网光热发电", "Grid-connected solar thermal power",
        "CCER-01-001-V01", InstrumentType.REDUCTION, "0",
    ),
    (
        "PHCER", "FOREST", "林业碳普惠", "Forestry under carbon inclusion", "",
        InstrumentType.SINK_REMOVAL, "0",
    ),
    (
        "PHCER", "PV-ROOF", "分布式光伏碳普惠", "Rooftop solar under carbon inclusion", "",
        InstrumentType.REDUCTION, "0",
    ),
    (
        "GC", "WIND", "风电小时级绿证", "Hourly wind power certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "GC", "PV", "光伏小时级绿证", "Hourly solar power certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "GC", "CSP", "光热小时级绿证", "Hourly solar thermal certificates", "",
        InstrumentType.ENERGY_ATTRIBUTE, "0",
    ),
    (
        "VCS", "ACM0002", "并网可再生能源发电", "Grid-connected renewable power", "ACM0002",
        InstrumentType.REDUCTION, "0",
    ),
    (
        "VCS", "VM0007", "减少毁林（REDD+）", "Avoided deforestation (REDD+)", "VM0007",
        InstrumentType.AVOIDANCE, "0",
    ),
    (
        "VCS", "VM0047", "造林与植被恢复", "Afforestation and revegetation", "VM0047",
        InstrumentType.SINK_REMOVAL, "0",
    ),
    (
        "CQCER", "BIOGAS", "沼气利用", "Use of biogas", "", InstrumentType.REDUCTION, "0",
    ),
)  # fmt: skip

RULE_SET = "GEC-CCER-2024"


@transaction.atomic
def seed_registries() -> list[Registry]:
    """Write registries, their assets, accounts, programmes and the rule set that are missing."""
    registries = {row.code: _registry(row) for row in REGISTRIES}
    for code, programme, zh, en, methodology, instrument, share in PROGRAMMES:
        Programme.objects.get_or_create(
            registry=registries[code],
            code=programme,
            defaults={
                "name_zh": zh,
                "name_en": en,
                "methodology": methodology,
                "instrument_type": instrument,
                "non_permanence_share": Decimal(share),
            },
        )
    _rule_set(registries)
    return list(registries.values())


def _registry(row: _RegistryRow) -> Registry:
    asset, _ = Asset.objects.get_or_create(
        code=row.code, defaults={"name_zh": row.name_zh, "name_en": row.name_en, "scale": 0}
    )
    registry, _ = Registry.objects.get_or_create(
        code=row.code,
        defaults={
            "name_zh": row.name_zh,
            "name_en": row.name_en,
            "jurisdiction": row.jurisdiction,
            "kind": row.kind,
            "unit": row.unit,
            "asset": asset,
            "serial_pattern": row.serial_pattern,
            "sequence_start": row.sequence_start,
            "sequence_digits": row.sequence_digits,
            "transfers_allowed": row.transfers_allowed,
            "life_months": row.life_months,
            "source": row.source,
        },
    )
    open_registry_accounts(registry)
    return registry


def _rule_set(registries: dict[str, Registry]) -> None:
    RegistryRuleSet.objects.get_or_create(
        code=RULE_SET,
        version=1,
        defaults={
            "title_zh": "绿证与温室气体自愿减排衔接规则（过渡期两年）",
            "title_en": "Interface of green certificates and CCER (two years of transition)",
            "announcement": "国能综通新能〔2024〕124号",
            "valid_from": date(2024, 10, 1),
            "valid_to": date(2026, 9, 30),
            "renewal_verified": False,
            "certificates_from": registries["GEC"],
            "credits_from": registries["CCER"],
            "technologies": ["offshore_wind", "solar_thermal"],
        },
    )
