"""Who trades what."""

from marketplace.models.hubs import Hub, HubKind, HubPairing, Link, Side
from marketplace.models.listings import (
    LISTING_TRANSITIONS,
    Listing,
    ListingAvailability,
    ListingPriceStep,
    ListingState,
    MaintenanceWindow,
)
from marketplace.models.market import CounterpartyMode, MarketClock, MarketRules
from marketplace.models.organisations import (
    ORGANISATION_TRANSITIONS,
    Membership,
    Organisation,
    OrganisationState,
    Role,
)
from marketplace.models.pools import ResourceAlias, ResourcePool, TrustLevel
from marketplace.models.products import (
    HardwareModel,
    Product,
    ProductVatRate,
    ResourceClass,
    WorkloadScenario,
)
from marketplace.models.records import (
    AuditEvent,
    Heartbeat,
    IdempotencyRecord,
    InboxReceipt,
    OutboxEvent,
)
from marketplace.models.tokens import ApiToken
from marketplace.models.users import User

__all__ = [
    "LISTING_TRANSITIONS",
    "ORGANISATION_TRANSITIONS",
    "ApiToken",
    "AuditEvent",
    "CounterpartyMode",
    "HardwareModel",
    "Heartbeat",
    "Hub",
    "HubKind",
    "HubPairing",
    "IdempotencyRecord",
    "InboxReceipt",
    "Link",
    "Listing",
    "ListingAvailability",
    "ListingPriceStep",
    "ListingState",
    "MaintenanceWindow",
    "MarketClock",
    "MarketRules",
    "Membership",
    "Organisation",
    "OrganisationState",
    "OutboxEvent",
    "Product",
    "ProductVatRate",
    "ResourceAlias",
    "ResourceClass",
    "ResourcePool",
    "Role",
    "Side",
    "TrustLevel",
    "User",
    "WorkloadScenario",
]
