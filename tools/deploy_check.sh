#!/bin/sh
# Django's deployment check on the production settings, with the variables a deployment must set.
set -eu
cd "$(dirname "$0")/.."
key=$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(32))')
exec env DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=market.example.org \
    SECRET_KEY="$key$key" FIELD_ENCRYPTION_KEYS="$key" \
    DATABASE_URL=postgres://hengsuan_app:x@db/hengsuan \
    OWNER_DATABASE_URL=postgres://hengsuan_owner:x@db/hengsuan \
    CELERY_BROKER_URL=amqp://hengsuan:x@broker// \
    .venv/bin/python manage.py check --deploy --fail-level WARNING
