"""Mounts the pages and the API of each app; what combines them is in ``config.views``."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from config import views
from marketplace.web.styleguide import styleguide

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("marketplace.web.urls")),
    path("", include("settlement.web.public_urls")),
    path("", include("orders.web.urls")),
    path("", include("settlement.web.urls")),
    path("api/v1/", include("config.api_urls")),
]

# Members of a real market have no use for it.
if settings.DEBUG or getattr(settings, "STYLEGUIDE", False):
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
