"""Addresses of service terms and of the rules of disputes and defaults."""

from django.urls import path

from settlement.web.terms import case_rule_pages, service_pages

urlpatterns = [
    path("service-terms/", service_pages.show_terms, name="service-terms"),
    path("service-terms/history/", service_pages.list_history, name="service-terms-history"),
    path("rules-in-force/", case_rule_pages.show_rules, name="case-rules"),
]
