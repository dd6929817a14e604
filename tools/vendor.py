"""Copy the pinned browser libraries into static/vendor and record where they came from.

    python tools/vendor.py            download the pinned packages, copy the named files
    python tools/vendor.py --check    compare the files with the recorded checksums (offline)

`package.json` holds the versions, the table below the files. `static/vendor/manifest.toml` records
source, version, licence and SHA-256 of every file. A package whose version did not change must give
the same bytes again, otherwise the run stops.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
MANIFEST = VENDOR / "manifest.toml"
ICON_LIST = VENDOR / "icons.txt"

# npm package -> (folder name, licence, {file in the package: file name here})
PACKAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "@fontsource-variable/inter": (
        "inter",
        "OFL-1.1",
        {"files/inter-latin-wght-normal.woff2": "inter-latin.woff2", "LICENSE": "LICENSE"},
    ),
    "@tabler/core": (
        "tabler",
        "MIT",
        {"dist/css/tabler.min.css": "tabler.min.css", "dist/js/tabler.min.js": "tabler.min.js"},
    ),
    "@tabler/icons": ("tabler-icons", "MIT", {"LICENSE": "LICENSE"}),
    "echarts": (
        "echarts",
        "Apache-2.0",
        {"dist/echarts.min.js": "echarts.min.js", "LICENSE": "LICENSE", "NOTICE": "NOTICE"},
    ),
    "htmx.org": ("htmx", "0BSD", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"}),
}
# Source maps are not shipped; a dangling reference would stop the hashed static storage.
SOURCE_MAP = re.compile(rb"(/\*# sourceMappingURL=\S+ ?\*/|//# sourceMappingURL=\S+)\s*$")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pinned_versions() -> dict[str, str]:
    """Return package name -> exact version from package.json."""
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]


def download(versions: dict[str, str], into: Path) -> Path:
    """Install the pinned packages into a scratch folder and return its node_modules."""
    (into / "package.json").write_text(json.dumps({"dependencies": versions}), encoding="utf-8")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    subprocess.run(command, cwd=into, check=True, stdout=subprocess.DEVNULL)
    return into / "node_modules"


def build_sprite(icons: Path) -> str:
    """Join the outline icons named in icons.txt into one SVG file of symbols."""
    symbols = []
    names = [line.strip() for line in ICON_LIST.read_text(encoding="utf-8").splitlines()]
    for name in sorted(set(filter(None, names))):
        source = (icons / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        body = source.split(">", 1)[1].rsplit("</svg>", 1)[0]
        body = re.sub(r'<path stroke="none"[^>]*/>', "", body)
        body = re.sub(r"\s*\n\s*", "", body)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def copy_package(name: str, version: str, node_modules: Path) -> dict[str, Path]:
    """Copy one package's named files; return source file -> path here."""
    folder, _licence, files = PACKAGES[name]
    target = VENDOR / f"{folder}-{version}"
    for old in VENDOR.glob(f"{folder}-[0-9]*"):
        shutil.rmtree(old)
    target.mkdir(parents=True)
    copied = {}
    for source, local in files.items():
        content = (node_modules / name / source).read_bytes()
        if local.endswith((".css", ".js")):
            content = SOURCE_MAP.sub(b"", content)
        (target / local).write_bytes(content)
        copied[source] = target / local
    if name == "@tabler/icons":
        (target / "sprite.svg").write_text(build_sprite(node_modules / name), encoding="utf-8")
        copied["icons/outline/*.svg (see icons.txt)"] = target / "sprite.svg"
    return copied


def manifest_text(copied: dict[str, dict[str, Path]], versions: dict[str, str]) -> str:
    """Return the manifest as TOML."""
    lines = ["# Written by tools/vendor.py; do not edit. Versions: package.json.", ""]
    for name, files in copied.items():
        for source, path in files.items():
            lines += [
                "[[file]]",
                f'path = "{path.relative_to(VENDOR).as_posix()}"',
                f'package = "{name}"',
                f'version = "{versions[name]}"',
                f'licence = "{PACKAGES[name][1]}"',
                f'source = "https://www.npmjs.com/package/{name}/v/{versions[name]} : {source}"',
                f'sha256 = "{sha256_of(path)}"',
                "",
            ]
    return "\n".join(lines)


def recorded() -> dict[str, dict[str, str]]:
    """Return path -> entry of the manifest on disk; empty before the first run."""
    if not MANIFEST.exists():
        return {}
    entries = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["file"]
    return {entry["path"]: entry for entry in entries}


def find_differences() -> list[str]:
    """Compare the files on disk with the manifest; return one sentence per difference."""
    entries = recorded()
    problems = [f"{path} is missing" for path in entries if not (VENDOR / path).exists()]
    for path, entry in entries.items():
        if (VENDOR / path).exists() and sha256_of(VENDOR / path) != entry["sha256"]:
            problems.append(f"{path} differs from its recorded checksum")
        if pinned_versions().get(entry["package"]) != entry["version"]:
            problems.append(f"{path} is version {entry['version']}, package.json wants another")
    known = {VENDOR / path for path in entries} | {MANIFEST, ICON_LIST}
    strangers = [path for path in VENDOR.rglob("*") if path.is_file() and path not in known]
    problems += [f"{path.relative_to(VENDOR)} is not in the manifest" for path in strangers]
    return problems


def vendor() -> list[str]:
    """Download, copy and record; return changed files of unchanged versions."""
    versions, before = pinned_versions(), recorded()
    VENDOR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        node_modules = download(versions, Path(scratch))
        copied = {name: copy_package(name, versions[name], node_modules) for name in PACKAGES}
    MANIFEST.write_text(manifest_text(copied, versions), encoding="utf-8")
    return [
        f"{path} changed although its version did not"
        for path, entry in recorded().items()
        if path in before
        and before[path]["version"] == entry["version"]
        and before[path]["sha256"] != entry["sha256"]
        and not path.endswith("sprite.svg")  # the icon list may grow
    ]


def main() -> int:
    """Run the command line; 0 when everything agrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare with the manifest")
    problems = find_differences() if parser.parse_args().check else vendor()
    print("\n".join(problems) if problems else f"{len(recorded())} vendored files agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
