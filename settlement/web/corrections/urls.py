"""Pages of corrections: what runs changed, parked settlements, meter keys, counter resets."""

from django.urls import path

from settlement.web.corrections import meter_pages, parked_pages, run_pages

urlpatterns = [
    path("finance/runs/", run_pages.list_runs, name="settlement-runs"),
    path(
        "finance/runs/<uuid:public_id>/comparison/",
        run_pages.show_comparison,
        name="settlement-run-comparison",
    ),
    path("finance/parked/", parked_pages.list_parked, name="parked"),
    path("finance/parked/<uuid:public_id>/retry/", parked_pages.retry, name="parked-retry"),
    path("finance/parked/<uuid:public_id>/resolve/", parked_pages.resolve, name="parked-resolve"),
    path("capacity/meter-keys/", meter_pages.list_keys, name="meter-keys"),
    path("capacity/meter-keys/<uuid:public_id>/end/", meter_pages.end_key, name="meter-key-end"),
    path(
        "deliveries/<uuid:public_id>/counter-reset/",
        meter_pages.announce,
        name="counter-reset-new",
    ),
    path("operation/counter-resets/", meter_pages.list_resets, name="counter-resets"),
    *(
        path(
            f"operation/counter-resets/<uuid:public_id>/{verdict}/",
            meter_pages.decide,
            {"verdict": verdict},
            name=f"counter-reset-{verdict}",
        )
        for verdict in ("approve", "refuse")
    ),
]
