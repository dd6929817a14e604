"""Notices to members, and their suggestions."""

from django.urls import path

from marketplace.web import notice_pages, suggestion_pages

urlpatterns = [
    path("notices/", notice_pages.list_notices, name="notices"),
    path("notices/new/", notice_pages.write_notice, name="notice-new"),
    path("notices/<uuid:public_id>/", notice_pages.show_notice, name="notice"),
    path("suggestions/", suggestion_pages.list_suggestions, name="suggestions"),
    path("suggestions/new/", suggestion_pages.write_suggestion, name="suggestion-new"),
    path("suggestions/<uuid:public_id>/", suggestion_pages.show_suggestion, name="suggestion"),
    path(
        "suggestions/<uuid:public_id>/answer/",
        suggestion_pages.work_on_suggestion,
        name="suggestion-answer",
    ),
]
