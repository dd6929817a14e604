"""Settings of ``make demo``: as in production, but on this machine alone and without TLS."""

from config import env
from config.settings.base import *  # noqa: F403
from config.settings.base import STORAGES

DEBUG = False
SHOW_SIGN_IN_CODES = True
INDICATIVE_PAUSE_S = 45
STYLEGUIDE = True
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
