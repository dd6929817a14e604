"""Writes the pages of worked carbon examples from their one table.

`python tools/carbon_examples.py` brings both pages up to date; `--check` only compares them.
"""

import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "explanation"
TABLE = FOLDER / "carbon-examples.toml"
PAGES = {0: FOLDER / "carbon-examples.md", 1: FOLDER / "carbon-examples.zh.md"}
INTRODUCTION = (
    """# Worked examples of the carbon rules

Made from [carbon-examples.toml](carbon-examples.toml); a test computes every result from the facts
with the same functions that
the market uses. The rules are on [the page on carbon](carbon.md).
""",
    """# 碳核算规则算例

本页由 [carbon-examples.toml](carbon-examples.toml) 生成；
测试用市场实际使用的函数从已知条件逐项重算每个结果。规则见[碳核算说明](carbon.zh.md)。
""",
)
HEADS = (("Given", "Value"), ("已知", "数值"))
RESULTS = (("Result", "Value"), ("结果", "数值"))
RULES = ("Rules", "规则")
COLON = (": ", "：")


def render(language: int) -> str:
    """Return the page in English (0) or Chinese (1)."""
    examples = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    parts = [INTRODUCTION[language]]
    for name, example in examples.items():
        parts.append(f"## {name} {example['title'][language]}\n")
        parts.append(f"{RULES[language]}{COLON[language]}{example['rules']}\n")
        parts.append(_figures(HEADS[language], example["facts"], language))
        for table in example.get("tables", {}).values():
            parts.append(f"{table['title'][language]}{COLON[language].strip()}\n")
            heads = [column[1 + language] for column in table["columns"]]
            parts.append(_table(heads, table["rows"]))
        parts.append(_figures(RESULTS[language], example["results"], language))
    return "\n".join(parts)


def _figures(heads: tuple[str, str], lines: list[list[str]], language: int) -> str:
    return _table(heads, [[line[1 + language], f"{line[3]} {line[4]}".strip()] for line in lines])


def _table(heads: tuple[str, ...] | list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines.extend("| " + " | ".join(cell or "—" for cell in row) + " |" for row in rows)
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or compare the pages; return 1 when a compared page is out of date."""
    stale = [p for n, p in PAGES.items() if not p.exists() or p.read_text("utf-8") != render(n)]
    if "--check" in arguments:
        for page in stale:
            print(f"{page.name} is out of date: run tools/carbon_examples.py")
        return 1 if stale else 0
    for language, page in PAGES.items():
        page.write_text(render(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
