"""Pages of the months of the books and of the sweep."""

from django.urls import path

from settlement.web.closing import period_pages, sweep_pages

MONTH = "finance/periods/<str:month>"

urlpatterns = [
    path("finance/periods/", period_pages.list_periods, name="periods"),
    *(
        path(
            f"finance/periods/changes/<uuid:public_id>/{verdict}/",
            period_pages.decide_change,
            {"verdict": verdict},
            name=f"period-change-{verdict}",
        )
        for verdict in ("approve", "reject")
    ),
    path(f"{MONTH}/", period_pages.show_period, name="period"),
    path(f"{MONTH}/soft-close/", period_pages.close_softly, name="period-soft-close"),
    *(
        path(
            f"{MONTH}/{kind.replace('_', '-')}/",
            period_pages.ask_for_change,
            {"kind": kind},
            name=f"period-{kind.replace('_', '-')}",
        )
        for kind in ("hard_close", "reopen")
    ),
    path("finance/sweeps/", sweep_pages.list_sweeps, name="sweeps"),
    path("finance/sweeps/run/", sweep_pages.run_sweep, name="sweep-run"),
    path("finance/sweeps/<int:pk>/", sweep_pages.show_sweep, name="sweep"),
]
