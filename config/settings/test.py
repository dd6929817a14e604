"""Settings of the test suite: own embedded cluster, tasks run in place, fast hashing."""

import os

from config import env

# A cluster of its own, so that tests never meet a developer's data and may trade safety for speed.
# And one for each of parallel test processes: an open transaction of one would keep the ledger of
# the other from being sealed, because the oldest transaction is that of the whole cluster.
_TESTS = "-".join(filter(None, ["test", os.environ.get("PYTEST_XDIST_WORKER")]))
# The process that shares the tests out reads these settings first and hands its choice down.
_CHOICE = "HENGSUAN_TESTS_CHOSE"
if env.text("HENGSUAN_VAR") in {"", os.environ.get(_CHOICE)}:
    os.environ["HENGSUAN_VAR"] = os.environ[_CHOICE] = str(env.BASE_DIR / "var" / _TESTS)
os.environ.setdefault("HENGSUAN_DB_ROLE", "owner")
os.environ.setdefault("HENGSUAN_PG_FAST", "1")

from config.settings.base import *  # noqa: E402, F403
from config.settings.base import DATABASES  # noqa: E402

DEBUG = False
ALLOWED_HOSTS = ["*"]
# One database per run: two runs in one checkout do not meet.
DATABASES["default"]["TEST"] = {
    "NAME": env.text("HENGSUAN_TEST_DATABASE", f"test_hengsuan_{os.getpid()}"),
}
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Tests of the second factor switch it on; the others sign people in directly.
SECOND_FACTOR_ROLES = []
WEBHOOK_TRUSTED_HOSTS = ["127.0.0.1"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
LOG_LEVEL = "WARNING"
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
