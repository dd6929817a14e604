"""Pages of suppliers: capacity, pools, listings, import."""

from django.urls import path

from marketplace.web import (
    capacity_import,
    capacity_pages,
    listing_pages,
    listing_wizard,
    pool_benchmarks,
    pool_pages,
)

urlpatterns = [
    path("", capacity_pages.list_capacity, name="capacity"),
    path("export.csv", capacity_pages.export_capacity, name="capacity-csv"),
    path("import/", capacity_import.import_capacity, name="capacity-import"),
    path("import/template.csv", capacity_import.import_template, name="capacity-template"),
    path("pools/", capacity_pages.list_pools, name="pools"),
    path("pools/new/", pool_pages.add_pool, name="pool-new"),
    path("pools/<str:identifier>/", capacity_pages.show_pool, name="pool"),
    path("pools/<str:identifier>/edit/", pool_pages.edit_pool, name="pool-edit"),
    path("pools/<str:identifier>/offline/", pool_pages.take_offline, name="pool-offline"),
    path("pools/<str:identifier>/online/", pool_pages.bring_online, name="pool-online"),
    path(
        "pools/<str:identifier>/benchmarks/",
        pool_benchmarks.upload_results,
        name="pool-benchmarks",
    ),
    path(
        "pools/<str:identifier>/benchmarks/template.csv",
        pool_benchmarks.results_template,
        name="pool-benchmarks-template",
    ),
    path("listings/new/", listing_wizard.edit_listing, name="listing-new"),
    path("listings/new/preview/", listing_wizard.preview_listing, name="listing-preview"),
    path("listings/new/discard/", listing_wizard.drop_listing_draft, name="listing-discard"),
    path("listings/<uuid:public_id>/", listing_pages.show_my_listing, name="my-listing"),
    path("listings/<uuid:public_id>/edit/", listing_wizard.edit_listing, name="listing-edit"),
    path(
        "listings/<uuid:public_id>/edit/preview/",
        listing_wizard.preview_listing,
        name="listing-edit-preview",
    ),
    path(
        "listings/<uuid:public_id>/maintenance/",
        listing_pages.plan_maintenance,
        name="listing-maintenance",
    ),
    path(
        "listings/<uuid:public_id>/maintenance/<int:maintenance_id>/remove/",
        listing_pages.drop_maintenance,
        name="listing-maintenance-remove",
    ),
    *(
        path(
            f"listings/<uuid:public_id>/{move}/",
            listing_pages.move_listing,
            {"move": move},
            name=f"listing-{move}",
        )
        for move in listing_pages.MOVES
    ),
]
