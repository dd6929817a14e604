"""Mounts the pages and the API of each app; what combines them is in ``config.views``."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from config import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("marketplace.web.urls")),
    path("", include("orders.web.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
]
