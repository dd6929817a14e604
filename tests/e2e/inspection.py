"""What a page is looked at for: accessibility, width, and words of the other language."""

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from marketplace.domain.reference import load_table

AXE = Axe()
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
# Every text of the page with its parent, and every attribute that is read out or shown. What says
# that it is in another language, code and addresses are left out.
COLLECT_TEXTS = """() => {
  const own = document.documentElement.lang;
  const silent = "script, style, template, code, pre, .identifier, textarea";
  const foreign = (element) => {
    const marked = element.closest("[lang]");
    return marked && marked.lang !== own;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const parent = walker.currentNode.parentElement;
    if (text && !parent.closest(silent) && !foreign(parent)) found.push(text);
  }
  for (const element of document.querySelectorAll("[title], [placeholder], [aria-label], [alt]")) {
    if (foreign(element)) continue;
    for (const name of ["title", "placeholder", "aria-label", "alt"]) {
      const text = (element.getAttribute(name) || "").trim();
      if (text) found.push(text);
    }
  }
  found.push(document.title);
  return [...new Set(found)];
}"""
CHINESE = re.compile(r"[\u3400-\u9fff]+")
WORD = re.compile(r"[A-Za-z][A-Za-z’']+")
# The same in both languages: addresses, codes with digits or dashes, words in capitals.
CODES = re.compile(r"\S+@\S+|\S*https?:\S*|\b[\w-]*[\d_][\w-]*\b|\b[A-Z]{2,}(?:-[A-Z]+)*\b")
# Names, units and file formats that Chinese readers write in Latin letters too.
SAME_IN_CHINESE = {
    *("Webhook", "Chrome", "Edge", "Firefox", "Safari", "Linux", "Windows", "macOS", "Android"),
    *(
        "Hengsuan",
        "English",
        "vCPU",
        "Wh",
        "kg",
        "kW",
        "kWh",
        "MWh",
        "kgCO",
        "gCO",
        "tCO",
        "ms",
        "Gbps",
        "GiB",
        "Gbit",
    ),
    *("NumPy", "SciPy", "HiGHS", "Python"),
    *("camt", "pain"),  # messages of ISO 20022
    *("Verra", "Trust", "csv"),
    *("FinOps", "IT", "Gb", "sha", "zip", "python", "pip", "txt"),
}


def accessibility_violations(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 A and AA, one line an element."""
    found = AXE.run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {_describe(node)}" for rule in found for node in rule["nodes"]]


def _describe(node: dict[str, Any]) -> str:
    reasons = "; ".join(one["message"] for one in (*node["any"], *node["all"], *node["none"]))
    return f"{' '.join(map(str, node['target']))} {node['html'][:160]} ({reasons})"


def sideways_pixels(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(
        page.evaluate(
            "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        )
    )


def untranslated(page: Page, language: str) -> list[str]:
    """Return the texts of a page that hold words of the other language."""
    texts: list[str] = page.evaluate(COLLECT_TEXTS)
    find = _latin_words if language == "zh-hans" else _chinese_words
    return [text for text in texts if find(text)]


def _chinese_words(text: str) -> list[str]:
    return CHINESE.findall(_without_names(text, _CHINESE_NAMES))


def _latin_words(text: str) -> list[str]:
    rest = CODES.sub(" ", _without_names(text, _LATIN_NAMES))
    return [word for word in WORD.findall(rest) if word not in SAME_IN_CHINESE]


def _without_names(text: str, names: list[str]) -> str:
    for name in names:
        text = text.replace(name, " ")
    return text


def _names(**columns: str) -> list[str]:
    """Return the names in columns of the shipped tables, longest first."""
    found = {
        name
        for table, listed in columns.items()
        for row in load_table(table)
        for column in listed.split()
        if (name := row[column].strip())
    }
    return sorted(found, key=len, reverse=True)


# Names that members gave to people, pools and places stay as they were given.
_CHINESE_NAMES = [
    *_names(
        pools="name dengbao_evidence xinchuang_evidence carbon_evidence benchmark_name",
        members="contact_name city_zh name_zh bank_name",
        member_users="display_name",
    ),
    "简体中文",  # in the list of languages each is named in itself
]
_LATIN_NAMES = _names(pools="hardware name interconnect benchmark_name", accelerators="name vendor")
