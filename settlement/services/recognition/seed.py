"""The platform's own recognition scheme: a ledger of recognition, whose units nobody holds."""

from django.db import transaction

from settlement.models import Asset, Registry, RegistryKind, RegistryUnit
from settlement.services.registry.accounts import open_registry_accounts

PLATFORM_SCHEME = "HSHR"


@transaction.atomic
def seed_platform_scheme() -> Registry:
    """Write the scheme in which data centres of this platform report, if it is missing."""
    names = {"name_zh": "衡算碳汇互认台账", "name_en": "Hengsuan recognition ledger"}
    asset, _ = Asset.objects.get_or_create(code=PLATFORM_SCHEME, defaults={**names, "scale": 0})
    scheme, _ = Registry.objects.get_or_create(
        code=PLATFORM_SCHEME,
        defaults={
            **names,
            "jurisdiction": "CN",
            "kind": RegistryKind.PLATFORM,
            "unit": RegistryUnit.TCO2E,
            "asset": asset,
            "serial_pattern": r"[0-9]+",
            "source": "Recognition events of this platform; nothing is issued or re-issued here.",
        },
    )
    open_registry_accounts(scheme)
    return scheme
