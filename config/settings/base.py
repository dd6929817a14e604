"""Settings shared by every environment: apps, middleware, database, language, security."""

import tomllib

from django.utils.translation import gettext_lazy as _

from config import env
from config.settings.celery import *  # noqa: F403
from config.settings.database import *  # noqa: F403
from config.settings.logging import *  # noqa: F403

BASE_DIR = env.BASE_DIR
VAR_DIR = env.var_dir()
# Stands in every report, so that a file can be made again by the program that made it.
CODE_VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# --- apps ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "settlement",
    "orders",
    "marketplace",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "djmoney",
    "django_htmx",
    "template_partials",
    "csp",
    "axes",
    "django_otp",
    "django_structlog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.MarketTimeZoneMiddleware",
    "marketplace.web.presence.PresenceMiddleware",
    "marketplace.web.access.OrganisationMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.context_processors.portal",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- people -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "marketplace.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

AXES_VERBOSE = False
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_IPWARE_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)

# Else the lock counts under the model's `email`, which no form sends, and holds nobody back.
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"

# Roles of the platform whose people sign in with a second factor, or set one up at once.
SECOND_FACTOR_ROLES = ["operator", "finance"]
# The demonstration alone shows the code on the page that asks for it.
SHOW_SIGN_IN_CODES = False
# How old the last password or code may be when money moves or a key is made.
SECURITY_CONFIRMATION_S = 900
SESSION_LONGEST_S = 24 * 3600
PASSWORD_RESET_TIMEOUT = 3600

SECRET_KEY = env.secret("SECRET_KEY")
# Fernet keys of stored access details: the first one writes, every one reads.
FIELD_ENCRYPTION_KEYS = env.encryption_keys("FIELD_ENCRYPTION_KEYS")

SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    },
}
# --- messages to the outside ---------------------------------------------------------------------

# Links in e-mails lead here.
SITE_URL = env.text("SITE_URL", "http://localhost:8000")
globals().update(env.email("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Hengsuan <no-reply@localhost>")
EMAIL_TIMEOUT = 10
# Hosts that webhooks may reach by plain http and at private addresses: tests, an operator's own.
WEBHOOK_TRUSTED_HOSTS = env.words("WEBHOOK_TRUSTED_HOSTS")
WEBHOOK_TIMEOUT_S = 10

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- language, time, numbers --------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
MARKET_TIME_ZONE = env.text("MARKET_TIME_ZONE", "Asia/Shanghai")
FORMAT_MODULE_PATH = ["config.formats"]
USE_THOUSAND_SEPARATOR = True

DEFAULT_CURRENCY = "CNY"
CURRENCIES = ["CNY", "USD", "EUR", "HKD"]

# --- files --------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {
    "default": env.cache("CACHE_URL")
    or {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "hengsuan"},
}

# --- interface for programs ---------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.api.authentication.OrganisationTokenAuthentication",
        "marketplace.api.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.api.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "marketplace.api.errors.answer_error",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# A courtesy counted in each process, not a protection; see marketplace.api.throttles.
API_CALLS_PER_MINUTE = {"orders": 600, "sign_in": 20}
KNOX_TOKEN_MODEL = "marketplace.ApiToken"  # noqa: S105 - a model
REST_KNOX = {"TOKEN_LIMIT_PER_USER": 20, "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hengsuan API",
    "DESCRIPTION": "Compute-power exchange: capacity, orders, clearing, settlement.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["marketplace.api.schema.describe_errors"],
}

# --- ports: answers that a lower app needs from a higher one ------------------------------------

# What every page shows but only a higher app knows; see marketplace.context_processors.
PORTAL_PROVIDERS = {
    "navigation": "marketplace.web.navigation.navigation",
    "bell": "marketplace.web.notification_pages.bell",
    "auction_strip": "orders.web.strip.auction_strip",
    "recent_prices": "orders.web.recent_prices.recent_prices",
    "green_hours": "orders.web.green_hours.green_hours",
    "listing_sales": "orders.web.listing_sales.listing_sales",
    "price_ranges": "orders.web.listing_sales.price_ranges",
    "delivery_record": "settlement.web.delivery_record.delivery_record_provider",
    "trading_progress": "settlement.web.supplier_desk.trading_progress",
}
# Registration numbers in the footer, as the operator was given them (ICP备案, 公安备案).
ICP_NUMBER = env.text("ICP_NUMBER")
PUBLIC_SECURITY_NUMBER = env.text("PUBLIC_SECURITY_NUMBER")
COLLATERAL_BACKEND = "settlement.services.collateral.LedgerCollateral"
CARBON_BACKEND = "settlement.services.carbon_estimates.EstimatedCarbon"
# Real seconds between two indicative clearings at least; a clock that runs fast asks for many.
INDICATIVE_PAUSE_S = 0
# A book is cleared in parts of this size, curve rows × hubs × products, by all workers at hand; one
# of less than two such parts by a single worker.
CLEARING_PART_SIZE = env.number("CLEARING_PART_SIZE", 500_000)
CLEARING_MOST_PARTS = env.number("CLEARING_MOST_PARTS", 12)
COMMITMENTS_BACKEND = "orders.services.listing_commitments.BookedCommitments"
# Health: a worker whose heartbeat row is older than this is called dead.
WORKER_HEARTBEAT_LIMIT_S = 30

# --- proofs -------------------------------------------------------------------------------------

# Where a test kills the process (orders.services.failpoints); inert unless both are set.
FAILPOINT = env.text("FAILPOINT") if env.flag("ALLOW_FAILPOINTS") else ""
