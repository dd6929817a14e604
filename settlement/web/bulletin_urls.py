"""Pages of the daily bulletin; open to everybody."""

from django.urls import path

from settlement.web import bulletin_pages

DAY = "<slug:day>"

urlpatterns = [
    path("", bulletin_pages.list_bulletins, name="bulletins"),
    path(f"{DAY}/", bulletin_pages.show_bulletin, name="bulletin"),
    path(f"{DAY}/<slug:language>.pdf", bulletin_pages.download_bulletin, name="bulletin-pdf"),
]
