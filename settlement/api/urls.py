"""Addresses of deliveries, readings and money."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
