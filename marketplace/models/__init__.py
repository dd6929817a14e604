"""Who trades what."""

from marketplace.models.approvals import REQUEST_TRANSITIONS, RequestState, TwoPersonRequest
from marketplace.models.bands import PriceBand
from marketplace.models.benchmarks import PoolBenchmark
from marketplace.models.documents import (
    DOCUMENT_TRANSITIONS,
    DocumentKind,
    DocumentState,
    OrganisationDocument,
)
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
from marketplace.models.notices import (
    SUGGESTION_TRANSITIONS,
    Notice,
    NoticeAudience,
    Suggestion,
    SuggestionState,
)
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
    "DOCUMENT_TRANSITIONS",
    "LISTING_TRANSITIONS",
    "ORGANISATION_TRANSITIONS",
    "REQUEST_TRANSITIONS",
    "SUGGESTION_TRANSITIONS",
    "ApiToken",
    "AuditEvent",
    "CounterpartyMode",
    "DocumentKind",
    "DocumentState",
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
    "Notice",
    "NoticeAudience",
    "Organisation",
    "OrganisationDocument",
    "OrganisationState",
    "OutboxEvent",
    "PoolBenchmark",
    "PriceBand",
    "Product",
    "ProductVatRate",
    "RequestState",
    "ResourceAlias",
    "ResourceClass",
    "ResourcePool",
    "Role",
    "Side",
    "Suggestion",
    "SuggestionState",
    "TrustLevel",
    "TwoPersonRequest",
    "User",
    "WorkloadScenario",
]
