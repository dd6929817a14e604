"""Project package: settings, entry points and the only code that combines the three apps."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
