"""The demonstration's month of certificates, played twice."""

import pytest

from config.demo.registry import play_registry
from marketplace.models import Role
from settlement.models import RegistryImport, Retirement, UnitMovement
from tests.factories.marketplace import operator
from tests.factories.registry import holder, registries
from tests.integration.settlement.serial_rules import broken_rules

pytestmark = pytest.mark.django_db


class _Cast:
    def __init__(self) -> None:
        suppliers = [holder() for _ in range(3)]
        self.supplying = {actor.organisation.pk: actor for actor in suppliers}
        self.buying = {"B": holder()}
        self.buyers = ()


class _Stage:
    def watch(self) -> None:
        """Nothing runs beside."""


def test_the_month_of_certificates_is_played_once() -> None:
    registries()
    operator(Role.FINANCE)
    cast = _Cast()

    lines = play_registry(cast, _Stage())
    movements = UnitMovement.objects.count()
    again = play_registry(cast, _Stage())

    assert "2700" in lines[0]
    assert "frozen 600" in lines[2]
    assert lines[3].startswith("CCER 签发 issued: 114 tCO2e")
    assert len(again) == len(lines)
    assert UnitMovement.objects.count() == movements
    assert lines[4].startswith("小时级绿证 granular certificates: 1800000 Wh")
    assert lines[5].startswith("VCS: 400 tCO2e")
    vcs = RegistryImport.objects.get(file_format="vcs")
    assert [(w["registry"], w["other"]) for w in vcs.warnings] == [("CCER", "DEMO-GD-OFF")]
    # Claims of two months, two certificates used up for an hour, part of the hour.
    assert sorted(Retirement.objects.values_list("units", flat=True)) == [1, 2, 119, 200_000]
    assert broken_rules() == []
