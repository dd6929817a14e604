"""Carbon statements of the demonstration, through the real services.

The settled day's month is stated for every buyer and data centre; stated again, the same inputs
change nothing.
"""

from config.demo.cast import Cast
from config.demo.stage import Stage
from marketplace.domain.periods import market_date
from settlement.models import Delivery, DeliveryState
from settlement.selectors.carbon.statements import market_footprint
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.statements import issue_month


def play_carbon(cast: Cast, stage: Stage) -> list[str]:
    """State the month of the last settled delivery and say what the market emitted in it."""
    load_factor_sets()
    last = Delivery.objects.filter(state=DeliveryState.SETTLED).order_by("-starts_at").first()
    if last is None:
        return []
    month = market_date(last.starts_at).replace(day=1)
    issue_month(month=month)
    found = next((row for row in market_footprint() if row.month == month), None)
    if found is None:
        return []
    line = (
        f"碳核算报表 carbon statements {month:%Y-%m}: {found.buyers} 家买方 buyers,"
        f" {found.facility_kwh:,.1f} kWh,"
        f" 基于位置 location-based {found.location_based_t:,.3f} t,"
        f" 基于市场 market-based {found.market_based_t:,.3f} t"
    )
    return [line]
