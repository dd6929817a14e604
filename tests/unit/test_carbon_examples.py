"""Every result of the worked examples comes out of the rules exactly, from one table."""

import importlib.util
import tomllib
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.domain.money import round_money, round_quotient
from settlement.domain.carbon.certificates import (
    CertificateBlock,
    check_certificate,
    choose_certificates,
    last_valid_day,
)
from settlement.domain.carbon.effectiveness import (
    WORK_PER_UNIT_HOUR,
    EmbodiedCarbon,
    Work,
    cue_of,
    intensity_of,
    pue_of,
    ref_of,
)
from settlement.domain.carbon.energy import (
    EnergyInterval,
    it_energy_wh,
    state_location_based,
)
from settlement.domain.carbon.errors import CARBON_REFUSALS, CarbonRuleBroken
from settlement.domain.carbon.exclusivity import (
    ProjectMonth,
    check_sale,
    freeze_on_registration,
    issue_credits,
)
from settlement.domain.carbon.matching import (
    CHINA_TIME,
    SlotLength,
    SlotMatch,
    cfe_score,
    match_slots,
    match_target,
    state_market_based,
    sum_by_slot,
)
from settlement.domain.carbon.netting import Obligation, net_cycle
from settlement.domain.carbon.recognition import AgreementTerms, CreditBlock, plan_recognition
from settlement.domain.carbon.serials import SerialRange

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = tomllib.loads(
    (ROOT / "docs/explanation/carbon-examples.toml").read_text(encoding="utf-8")
)


def _facts(name):
    return {line[0]: line[3] for line in EXAMPLES[name]["facts"]}


def _expected(name):
    return {line[0]: line[3] for line in EXAMPLES[name]["results"]}


def _rows(name, table):
    found = EXAMPLES[name]["tables"][table]
    keys = [column[0] for column in found["columns"]]
    return [dict(zip(keys, row, strict=True)) for row in found["rows"]]


def _texts(results):
    return {key: str(value) for key, value in results.items()}


def _month(text):
    return date.fromisoformat(f"{text}-01")


def _serials(text):
    first, last = text.split("-")
    return SerialRange(int(first), int(last))


def _code_of(call):
    with pytest.raises(CarbonRuleBroken) as refused:
        call()
    return refused.value.code


def test_e1_card_hours_to_emissions():
    facts = {key: Decimal(value) for key, value in _facts("E1").items()}
    it_wh = it_energy_wh(
        [(facts["card_hours"], facts["card_w"]), (facts["card_hours"], facts["host_w"])]
    )
    stated = state_location_based([EnergyInterval(it_wh, facts["pue"], facts["location_factor"])])
    market = state_market_based(
        [SlotMatch(stated.facility_wh, 0)], residual_factor=facts["residual_factor"]
    )
    card = EmbodiedCarbon(int(facts["embodied_g"]), int(facts["embodied_h"]))
    amount = int(facts["card_hours"]) * WORK_PER_UNIT_HOUR
    intensity = intensity_of([Work(amount, stated.grams, "card", card)])

    assert _expected("E1") == _texts(
        {
            "it_wh": it_wh,
            "facility_wh": stated.facility_wh,
            "location_g": stated.grams,
            "location_t": stated.tonnes,
            "market_t": market.tonnes,
            "pue": pue_of(stated.facility_wh, stated.it_wh),
            "cue": cue_of(stated.grams, stated.it_wh),
            "ref": ref_of(0, stated.facility_wh),
            "embodied_total_g": intensity.embodied_g,
            "sci": intensity.sci_g,
        }
    )


def test_e2_hourly_against_yearly_matching():
    facts = {key: Decimal(value) for key, value in _facts("E2").items()}
    rows = _rows("E2", "hours")
    start = datetime(2025, 6, 1, tzinfo=CHINA_TIME)
    hours = [start + timedelta(hours=int(row["hour"])) for row in rows]
    load = [(h, int(row["load_kwh"]) * 1000) for h, row in zip(hours, rows, strict=True)]
    green = [(h, int(row["green_kwh"]) * 1000) for h, row in zip(hours, rows, strict=True)]
    hourly = match_slots(*(sum_by_slot(side, SlotLength.HOUR) for side in (load, green)))
    yearly = match_slots(*(sum_by_slot(side, SlotLength.YEAR) for side in (load, green)))
    by_hour = state_market_based(hourly.values(), residual_factor=facts["residual_factor"])
    by_year = state_market_based(yearly.values(), residual_factor=facts["residual_factor"])
    located = state_location_based(
        EnergyInterval(wh, Decimal(1), facts["location_factor"]) for _, wh in load
    )
    shares = [Decimal(row["grid_share"]) for row in rows]

    assert [hourly[h].matched_wh // 1000 for h in hours] == [int(r["matched_kwh"]) for r in rows]
    assert _expected("E2") == _texts(
        {
            "matched_kwh": by_hour.matched_wh // 1000,
            "excess_kwh": by_hour.excess_wh // 1000,
            "cfe_score": cfe_score(zip((hourly[h] for h in hours), shares, strict=True)),
            "green_share": by_hour.green_share,
            "location_t": located.tonnes,
            "market_t": by_hour.tonnes,
            "yearly_matched_kwh": by_year.matched_wh // 1000,
            "yearly_green_share": by_year.green_share,
            "yearly_market_t": by_year.tonnes,
        }
    )


def test_e3_certificates_months_life_and_target_share():
    facts, stock = _facts("E3"), _rows("E3", "stock")
    claim = _month(facts["claim_month"])
    retired_on, price = date.fromisoformat(facts["retired_on"]), Decimal(facts["price"])
    load = int(facts["load_wh"])
    wanted = match_target(load, share=Decimal(facts["share"])).certificates
    choice = choose_certificates(
        [
            CertificateBlock(row["month"], _month(row["month"]), SerialRange(1, int(row["held"])))
            for row in stock
        ],
        count=wanted,
        claim_month=claim,
        retired_on=retired_on,
    )
    match = match_target(load, share=Decimal(facts["share"]), retired=choice.count)
    used = {block.batch: block.serials.count for block in choice.used}
    refused = {entry.block.batch: entry.code for entry in choice.refused}
    costs = {month: round_money(count * price) for month, count in used.items()}
    market = state_market_based(
        [SlotMatch(load, match.allocated_wh)], residual_factor=Decimal(facts["residual_factor"])
    )
    located = state_location_based(
        [EnergyInterval(load, Decimal(1), Decimal(facts["location_factor"]))]
    )

    for row in stock:
        month = _month(row["month"])
        assert last_valid_day(month).isoformat() == row["last_day"]
        assert used.get(row["month"], 0) == int(row["used"])
        assert refused.get(row["month"], "") == row["code"]
        assert costs.get(row["month"], Decimal("0.00")) == Decimal(row["cost"])
        if row["code"]:
            check = {"claim_month": claim, "retired_on": retired_on}
            assert _code_of(lambda m=month, c=check: check_certificate(m, **c)) == row["code"]
    assert _expected("E3") == _texts(
        {
            "target_wh": match.target_wh,
            "certificates": choice.count,
            "allocated_wh": match.allocated_wh,
            "residual_wh": market.residual_wh,
            "green_share": market.green_share,
            "location_t": located.tonnes,
            "market_t": market.tonnes,
            "cost": sum(costs.values()),
        }
    )


def _terms(row, priority):
    return AgreementTerms(
        code=row["code"],
        from_registry=row["registry"],
        to_scheme="HENGSUAN",
        instrument_types=frozenset({row["type"]}),
        vintage_min=int(row["vintage_min"]),
        vintage_max=int(row["vintage_max"]),
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31),
        k=Decimal(row["k"]),
        discount=Decimal(row["d"]),
        relative_cap=Decimal(row["relative_cap"]),
        absolute_left=Decimal(row["absolute_t"]) if row["absolute_t"] else None,
        priority=priority,
    )


def _block(row):
    return CreditBlock(
        batch=f"{row['registry']}-{row['vintage']}",
        registry=row["registry"],
        programme=row["registry"],
        instrument_type=row["type"],
        vintage=int(row["vintage"]),
        serials=_serials(row["serials"]),
    )


def _by_batch(blocks):
    return {block.batch: str(block.serials) for block in blocks}


def test_e4_two_agreements_with_caps():
    facts, holdings = _facts("E4"), _rows("E4", "holdings")
    terms = [_terms(row, n) for n, row in enumerate(_rows("E4", "agreements"), start=1)]
    need = Decimal(facts["need_t"])
    plan = plan_recognition(
        need,
        terms,
        [_block(row) for row in holdings],
        market_based_t=need,
        scheme="HENGSUAN",
        on=date.fromisoformat(facts["retired_on"]),
    )
    used = {}
    for line in plan.lines:
        used |= _by_batch(line.used)
    left = _by_batch(plan.left)

    assert _rows("E4", "lines") == [
        _texts(
            {
                "code": line.agreement,
                "f": agreement.tonnes_per_credit,
                "room_t": line.cap_room_t,
                "needed": line.needed,
                "allowed": line.allowed,
                "available": line.available,
                "credits": line.credits,
                "applied_t": line.applied_t,
                "residual_t": line.residual_t,
            }
        )
        for line, agreement in zip(plan.lines, terms, strict=True)
    ]
    money = Decimal(0)
    for row in holdings:
        batch = f"{row['registry']}-{row['vintage']}"
        assert used.get(batch, "") == row["retired"]
        assert left.get(batch, "") == row["left"]
        count = _serials(row["retired"]).count if row["retired"] else 0
        assert round_money(count * Decimal(row["price"])) == Decimal(row["money"])
        money += Decimal(row["money"])
    assert [(entry.block.batch, entry.code) for entry in plan.refused] == [
        ("PHCER-2021", "VINTAGE_OUT_OF_WINDOW")
    ]
    assert _expected("E4") == _texts({"net_residual_t": plan.net_residual_t, "money": money})


def test_e5_certificates_or_credits():
    facts = _facts("E5")
    metered, factor = Decimal(facts["metered_mwh"]), Decimal(facts["baseline_factor"])
    month = ProjectMonth(metered, int(facts["issued"]), sold=int(facts["sold"]))
    frozen = freeze_on_registration(month)
    credits, after = issue_credits(frozen, mwh=frozen.unclaimed_mwh, baseline_factor=factor)

    assert _expected("E5") == _texts(
        {
            "frozen": frozen.frozen,
            "eligible_mwh": frozen.unclaimed_mwh,
            "credits": credits,
            "cancelled": after.cancelled,
            "claimed_mwh": after.sold + after.credited_mwh,
            "sale_after_freeze": _code_of(lambda: check_sale(frozen, 1)),
            "one_mwh_more": _code_of(
                lambda: issue_credits(frozen, mwh=Decimal(6001), baseline_factor=factor)
            ),
        }
    )


def test_e6_netting_four_data_centres():
    obligations = [
        Obligation(row["payer"], row["payee"], Decimal(row["tonnes"]))
        for row in _rows("E6", "obligations")
    ]
    result = net_cycle(obligations, price_cny=Decimal(_facts("E6")["price"]))
    delivered = sum(row.delivered for row in result.positions)

    assert _rows("E6", "positions") == [
        _texts(
            {
                "code": row.participant,
                "net_t": round_money(row.tonnes, 6),
                "delivered": row.delivered,
                "quota": round_quotient(row.tonnes * delivered, result.net_t, 6)
                if row.tonnes > 0
                else "",
                "received": row.received,
                "cash": row.cash_cny,
            }
        )
        for row in result.positions
    ]
    assert _expected("E6") == _texts(
        {
            "gross_t": round_money(result.gross_t, 6),
            "net_t": round_money(result.net_t, 6),
            "delivered": delivered,
            "rounding": result.rounding_cny,
        }
    )


def test_every_refusal_has_its_own_code():
    assert len({refusal.code for refusal in CARBON_REFUSALS}) == len(CARBON_REFUSALS) == 18


@pytest.mark.parametrize("language", [0, 1])
def test_the_pages_show_the_table(language):
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tools/carbon_examples.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)

    assert pages.PAGES[language].read_text(encoding="utf-8") == pages.render(language)
