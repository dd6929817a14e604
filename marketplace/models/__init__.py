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
from marketplace.models.market import (
    CounterpartyMode,
    MarketClock,
    MarketRules,
    PaymentTermUnit,
)
from marketplace.models.notices import (
    SUGGESTION_TRANSITIONS,
    Notice,
    NoticeAudience,
    Suggestion,
    SuggestionState,
)
from marketplace.models.notifications import (
    DISPATCH_TRANSITIONS,
    DispatchState,
    EmailDelivery,
    Notification,
    NotificationCopy,
    NotificationSetting,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
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
from marketplace.models.recorded import RecordedAtField
from marketplace.models.records import (
    AuditEvent,
    Heartbeat,
    IdempotencyRecord,
    InboxReceipt,
    OutboxEvent,
)
from marketplace.models.sign_in import Authenticator, Invitation, RecoveryCode, UserSession
from marketplace.models.tokens import ApiToken
from marketplace.models.users import User

__all__ = [
    "DISPATCH_TRANSITIONS",
    "DOCUMENT_TRANSITIONS",
    "LISTING_TRANSITIONS",
    "ORGANISATION_TRANSITIONS",
    "REQUEST_TRANSITIONS",
    "SUGGESTION_TRANSITIONS",
    "ApiToken",
    "AuditEvent",
    "Authenticator",
    "CounterpartyMode",
    "DispatchState",
    "DocumentKind",
    "DocumentState",
    "EmailDelivery",
    "HardwareModel",
    "Heartbeat",
    "Hub",
    "HubKind",
    "HubPairing",
    "IdempotencyRecord",
    "InboxReceipt",
    "Invitation",
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
    "Notification",
    "NotificationCopy",
    "NotificationSetting",
    "Organisation",
    "OrganisationDocument",
    "OrganisationState",
    "OutboxEvent",
    "PaymentTermUnit",
    "PoolBenchmark",
    "PriceBand",
    "Product",
    "ProductVatRate",
    "RecordedAtField",
    "RecoveryCode",
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
    "UserSession",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WorkloadScenario",
]
