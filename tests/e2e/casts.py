"""Who plays the story: a supplier of its own for each language and width of the window.

A product for each, so that what one lists does not set the price of another.
"""

from dataclasses import dataclass

import pytest

from marketplace.domain.credit_code import complete_credit_code
from tests.e2e.visitor import NARROW, WIDE


@dataclass(frozen=True)
class Cast:
    """Who plays in one language, before windows of one width."""

    language: str
    width: int
    name_zh: str
    name_en: str
    email: str
    person: str
    credit_code: str
    pool: str
    hub: str
    product: str


ZH_WIDE = Cast(
    language="zh-hans",
    width=WIDE,
    name_zh="芜湖江岸智算有限公司",
    name_en="Wuhu Riverbank Computing Co., Ltd.",
    email="yu.an@jiangan.example",
    person="于岸",
    credit_code=complete_credit_code("91340200XXE2E1001"),
    pool="芜湖江岸一号池",
    hub="芜湖",
    product="K100",
)
EN_NARROW = Cast(
    language="en",
    width=NARROW,
    name_zh="贵安云岩智算有限公司",
    name_en="Gui'an Yunyan Computing Co., Ltd.",
    email="mei.yan@yunyan.example",
    person="Mei Yan",
    credit_code=complete_credit_code("91520900XXE2E2009"),
    pool="Yunyan hall 1",
    hub="Gui'an",
    product="P800",
)
ZH_NARROW = Cast(
    language="zh-hans",
    width=NARROW,
    name_zh="和林格尔草原智算有限公司",
    name_en="Helinger Grassland Computing Co., Ltd.",
    email="bai.yin@caoyuan.example",
    person="白音",
    credit_code=complete_credit_code("91150100XXE2E3001"),
    pool="草原一号池",
    hub="和林格尔",
    product="A800",
)
EN_WIDE = Cast(
    language="en",
    width=WIDE,
    name_zh="成都锦江智算有限公司",
    name_en="Chengdu Jinjiang Computing Co., Ltd.",
    email="jin.lan@jinjiang.example",
    person="Jin Lan",
    credit_code=complete_credit_code("91510100XXE2E4001"),
    pool="Jinjiang hall 1",
    hub="Tianfu",
    product="H20",
)
CASTS = (
    pytest.param(ZH_WIDE, id="zh-hans-1440"),
    pytest.param(EN_NARROW, id="en-390"),
    pytest.param(ZH_NARROW, id="zh-hans-390", marks=pytest.mark.fuller),
    pytest.param(EN_WIDE, id="en-1440", marks=pytest.mark.fuller),
)
