"""The rule book; open to everybody."""

from django.urls import path

from marketplace.web import rulebook_pages

urlpatterns = [
    path("", rulebook_pages.open_rulebook, name="rulebook"),
    path("<slug:slug>/", rulebook_pages.show_rules, name="rulebook-page"),
]
