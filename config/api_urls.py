"""The interface for programs: each app's part, the description, wrong addresses."""

from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from marketplace.api.access import PublicView


class WrongAddress(PublicView):
    """Answers every other address in the shape of errors; a slash at the end is part of one."""

    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answer, whatever the method is."""
        raise NotFound


@extend_schema(exclude=True)
class DescriptionView(SpectacularAPIView):
    """The OpenAPI description."""

    authentication_classes: list[type] = []


urlpatterns = [
    path("schema/", DescriptionView.as_view(), name="schema"),
    path("", include("marketplace.api.urls")),
    path("", include("orders.api.urls")),
    path("", include("settlement.api.urls")),
    re_path(r"", WrongAddress.as_view(), name="api-wrong-address"),
]
