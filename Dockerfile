FROM python:3.13-slim-bookworm

# Pango draws the PDF documents; everything else comes from the pinned packages.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/hengsuan
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY . .
ENV PYTHONUNBUFFERED=1 \
    HENGSUAN_VAR=/srv/hengsuan/var \
    DJANGO_SETTINGS_MODULE=config.settings.production
# The values below exist only while static files are gathered; nothing of them stays in the image.
RUN useradd --system --uid 10001 hengsuan \
    && mkdir -p var/media && chown -R hengsuan var \
    && python tools/compile_messages.py \
    && SECRET_KEY=build FIELD_ENCRYPTION_KEYS=build ALLOWED_HOSTS=build \
       DATABASE_URL=postgres://build/build CELERY_BROKER_URL=amqp://build// \
       python manage.py collectstatic --no-input

USER hengsuan
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", "--graceful-timeout", "20", "--no-control-socket"]
