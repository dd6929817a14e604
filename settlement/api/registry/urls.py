"""Addresses of registries, holdings and retirements."""

from django.urls import path

from settlement.api.registry import keeper_views, member_views, public_views

urlpatterns = [
    path("registries/", public_views.RegistriesView.as_view(), name="api-registries"),
    path("registry-projects/", public_views.ProjectsView.as_view(), name="api-registry-projects"),
    path("unit-batches/", public_views.BatchesView.as_view(), name="api-unit-batches"),
    path("unit-batches/<uuid:public_id>/", public_views.BatchView.as_view(), name="api-unit-batch"),
    path("serials/", public_views.SerialView.as_view(), name="api-serials"),
    path("holdings/", member_views.HoldingsView.as_view(), name="api-holdings"),
    path("unit-transfers/", member_views.TransfersView.as_view(), name="api-unit-transfers"),
    path(
        "unit-reservations/",
        member_views.ReservationsView.as_view(),
        name="api-unit-reservations",
    ),
    path(
        "unit-reservations/<uuid:public_id>/release/",
        member_views.ReservationRelease.as_view(),
        name="api-unit-reservation-release",
    ),
    path("retirements/", member_views.RetirementsView.as_view(), name="api-retirements"),
    path(
        "retirements/<uuid:public_id>/",
        member_views.RetirementView.as_view(),
        name="api-retirement",
    ),
    path("registry-files/", keeper_views.FilesView.as_view(), name="api-registry-files"),
    path(
        "registry-files/<uuid:public_id>/confirm/",
        keeper_views.FileConfirmation.as_view(),
        name="api-registry-file-confirm",
    ),
    path(
        "registry-files/<uuid:public_id>/discard/",
        keeper_views.FileDiscarding.as_view(),
        name="api-registry-file-discard",
    ),
    path(
        "registry-projects/<uuid:public_id>/register-ccer/",
        keeper_views.CcerRegistration.as_view(),
        name="api-registry-project-register-ccer",
    ),
    path(
        "registry-projects/<uuid:public_id>/issue-ccer/",
        keeper_views.CcerIssues.as_view(),
        name="api-registry-project-issue-ccer",
    ),
    path("unit-locks/", keeper_views.Locks.as_view(), name="api-unit-locks"),
    path("unit-unlocks/", keeper_views.Unlocks.as_view(), name="api-unit-unlocks"),
    path(
        "unit-invalidations/",
        keeper_views.Invalidations.as_view(),
        name="api-unit-invalidations",
    ),
    path(
        "replacement-duties/<uuid:public_id>/meet/",
        keeper_views.DutyMeeting.as_view(),
        name="api-replacement-duty-meet",
    ),
]
