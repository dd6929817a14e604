"""Two members with units and the platform's operator, calling the interface."""

from datetime import datetime
from typing import Any

from settlement.models import Registry, UnitBatch
from tests.api.callers import Caller, browser_of
from tests.api.refusing import CSV, Ask
from tests.factories.marketplace import operator
from tests.factories.registry import NOW, holder, issue, make_project, registries

HEAD = (
    "issuance_id,project,programme,first_serial,last_serial,units,period_start,period_end,"
    "issued_on,holder,metered_mwh"
)
FILED_SERIAL = "WF1234567890ABCDE202604{:07}AB".format


class Stage:
    """A member with certificates and credits, another member, the platform's operator."""

    def __init__(self, at: datetime = NOW) -> None:
        registries(at)
        self.actor, self.other = holder(), holder()
        self.own, self.others = browser_of(self.actor), browser_of(self.other)
        self.keeper = browser_of(operator())
        self.project = make_project(native_id="GP-9")
        if at < NOW:
            return  # nothing of this year is issued yet
        self.gec = issue(self.actor.organisation, 100, project=self.project)
        self.ccer = issue(self.actor.organisation, 100, registry="CCER")

    def ranges(self, batch: UnitBatch, first: int = 1, last: int = 10) -> list[dict[str, object]]:
        """Return a range as JSON."""
        return [{"batch": str(batch.public_id), "first_serial": first, "last_serial": last}]

    def retirement(self, batch: UnitBatch, first: int = 1, last: int = 10, **changes: Any) -> Ask:
        """Return the request to retire units."""
        caller: Caller = changes.pop("caller", self.own)
        body = {
            "ranges": self.ranges(batch, first, last),
            "beneficiary": self.actor.organisation.code,
            "purpose": "voluntary",
            "claim_month": "2026-03-01",
            **changes,
        }
        return Ask(caller, "retirements/", body)

    def retire(self, batch: UnitBatch, first: int = 1, last: int = 10, **changes: Any) -> Any:
        """Ask to retire units."""
        return self.retirement(batch, first, last, **changes).send("en")

    def handing_on(self, batch: UnitBatch, first: int = 1, last: int = 10, **changes: Any) -> Ask:
        """Return the request to hand units to the other member."""
        caller: Caller = changes.pop("caller", self.own)
        body = {
            "ranges": self.ranges(batch, first, last),
            "to_organisation": self.other.organisation.code,
            **changes,
        }
        return Ask(caller, "unit-transfers/", body)

    def transfer(self, batch: UnitBatch, first: int = 1, last: int = 10, **changes: Any) -> Any:
        """Ask to hand units to the other member."""
        return self.handing_on(batch, first, last, **changes).send("en")

    def setting_aside(self, expires_at: str) -> Ask:
        """Return the request to set credits aside."""
        body = {"ranges": self.ranges(self.ccer), "reference": "r", "expires_at": expires_at}
        return Ask(self.own, "unit-reservations/", body)

    def invalidation(self, batch: UnitBatch) -> Ask:
        """Return the request to take units back."""
        return Ask(
            self.keeper, "unit-invalidations/", {"ranges": self.ranges(batch), "reason": "森林火灾"}
        )

    def registration(self) -> Ask:
        """Return the request to register the project with CCER."""
        return Ask(
            self.keeper,
            f"registry-projects/{self.project.public_id}/register-ccer/",
            {"first_day": "2026-01-01", "last_day": "2026-12-31"},
        )

    def register(self) -> Any:
        """Ask to register the project with CCER."""
        return self.registration().send("en")

    def crediting(self, mwh: int, units: int, **changes: Any) -> Ask:
        """Return the request to issue CCER credits for energy of March."""
        body = {
            "programme": "OFFSHORE-WIND",
            "issuance_id": "C-1",
            "first_serial": "CCER-X-001",
            "last_serial": f"CCER-X-{units:03}",
            "units": units,
            "months": [{"month": "2026-03-01", "mwh": mwh}],
            "baseline_factor": "0.5703",
            "issued_on": "2026-11-20",
            "holder": self.actor.organisation.code,
            **changes,
        }
        return Ask(self.keeper, f"registry-projects/{self.project.public_id}/issue-ccer/", body)

    def credit(self, mwh: int, units: int) -> Any:
        """Ask to issue CCER credits for energy of March."""
        return self.crediting(mwh, units).send("en")

    def line(self, **changes: str) -> str:
        """Return a line of a file of green certificates: nine of April, good as they stand."""
        cells = {
            "issuance_id": "F-1",
            "project": "GP-9",
            "programme": "WIND",
            "first_serial": FILED_SERIAL(1),
            "last_serial": FILED_SERIAL(9),
            "units": "9",
            "period_start": "2026-04",
            "period_end": "2026-04-30",
            "issued_on": "2026-05-20",
            "holder": self.actor.organisation.code,
            "metered_mwh": "9",
            **changes,
        }
        return ",".join(cells.values())

    def file(self, *lines: str, registry: str = "GEC") -> Ask:
        """Return the request to read a registry's file of these lines."""
        text = "\n".join([HEAD, *lines])
        assert Registry.objects.filter(code=registry).exists()
        return Ask(self.keeper, f"registry-files/?registry={registry}", text, CSV)

    def confirmation(self, *lines: str) -> Ask:
        """Return the request to take a file over that was read."""
        read = self.file(*lines).send("en")
        assert read.status_code == 201, read.json()
        return Ask(self.keeper, f"registry-files/{read.json()['id']}/confirm/")
