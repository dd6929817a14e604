"""What is traded, over which links, for which kinds of work."""

from django.db.models import QuerySet

from marketplace.domain.errors import NotFound
from marketplace.models import HardwareModel, Link, Product, WorkloadScenario


def active_links() -> QuerySet[Link]:
    """Return the links in use."""
    return Link.objects.filter(active=True).select_related("from_hub", "to_hub").order_by("id")


def traded_products() -> QuerySet[Product]:
    """Return the products in the order of the portal."""
    return Product.objects.filter(active=True).order_by("sort_order", "code")


def scenarios() -> QuerySet[WorkloadScenario]:
    """Return the workload scenarios in the order of the portal."""
    return WorkloadScenario.objects.order_by("sort_order", "code")


def product_by_code(code: str) -> Product:
    """Return a traded product; raises NotFound."""
    product = traded_products().filter(code=code).first()
    if product is None:
        raise NotFound(field="product")
    return product


def hardware_by_name(name: str) -> HardwareModel | None:
    """Return a hardware model, None for no name; raises NotFound."""
    if not name:
        return None
    hardware = HardwareModel.objects.filter(name=name).first()
    if hardware is None:
        raise NotFound(field="hardware")
    return hardware
