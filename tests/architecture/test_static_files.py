"""Vendored browser files are what was recorded, and nothing inline slips past the policy."""

import re
import runpy
import tomllib

INLINE = re.compile(
    r"""<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\shx-on|\son[a-z]+=|\bhx-vals=["']js:""",
    re.IGNORECASE,
)


def test_vendored_files_match_their_checksums(root):
    tool = runpy.run_path(str(root / "tools" / "vendor.py"))

    assert tool["find_differences"]() == []


def test_every_vendored_package_carries_a_licence(root):
    manifest = tomllib.loads((root / "static/vendor/manifest.toml").read_text(encoding="utf-8"))

    assert {entry["package"] for entry in manifest["file"] if not entry["licence"]} == set()


def test_every_icon_that_a_page_names_is_in_the_sprite(root):
    sprite = next((root / "static" / "vendor").glob("tabler-icons-*/sprite.svg"))
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite.read_text(encoding="utf-8")))
    named = set()
    for path in (root / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'{% icon "([^"]+)"', text))
        named |= set(re.findall(r'icon_name="([^"]+)"', text))

    assert named - known == set()


def test_templates_contain_nothing_inline(root):
    found = {}
    for path in (root / "templates").rglob("*.html"):
        hits = INLINE.findall(path.read_text(encoding="utf-8"))
        if hits:
            found[path.relative_to(root).as_posix()] = hits

    assert found == {}


def test_no_own_style_upper_cases_units(root):
    own = (root / "static" / "css").glob("*.css")

    assert [path.name for path in own if "uppercase" in path.read_text(encoding="utf-8")] == []
