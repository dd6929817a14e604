"""Reads and writes auction bundles and result folders: the only code that touches files."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from orders.clearing.canonical import canonical_files
from orders.clearing.errors import BundleRefused, ResultUnreadable
from orders.clearing.raw_tables import RawTable, check_columns
from orders.clearing.result_files import result_files, result_from_files
from orders.clearing.row_tables import Numbering
from orders.clearing.schema import BUNDLE_TABLES
from orders.clearing.types import Auction, Result
from orders.clearing.validation import auction_from_raw_tables

# A fixed stamp, so that the same auction gives the same archive byte for byte.
_ZIP_STAMP = (1980, 1, 1, 0, 0, 0)
_MAX_BYTES = 4 * 1024**3
# Rows of a file that are read at once.
_BLOCK = 20_000
_NOT_COMPARED = "timing.json"  # says how long it took, not what came out


def read_bundle(source: str | Path | BinaryIO) -> Auction:
    """Read a bundle from a folder, a .zip file, or an open binary file that holds a zip.

    Raises:
        BundleRefused: anything the format does not allow, with file, line and reason.
    """
    files = _read_files(source)
    meta = _read_meta(files)
    tables = {}
    for name, content in sorted(files.items()):
        stem = name.removesuffix(".csv")
        if name == "auction.json":
            continue
        if stem not in BUNDLE_TABLES or stem == name:
            raise BundleRefused(name, None, "unknown file")
        tables[stem] = _read_table(stem, content)
    return auction_from_raw_tables(meta, tables)


def write_bundle(auction: Auction, path: str | Path) -> None:
    """Write the canonical form of an auction as a folder, or a zip if the name ends in `.zip`."""
    _write_files(canonical_files(auction), Path(path))


def bundle_sha256(auction: Auction) -> str:
    """Return the hash of the canonical form: rows sorted, decimals normalised."""
    digest = hashlib.sha256()
    for name, content in sorted(canonical_files(auction).items()):
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def write_result(result: Result, path: str | Path) -> None:
    """Write a result folder (or zip). All files but `timing.json` are deterministic."""
    _write_files(result_files(result), Path(path))


def read_result(source: str | Path | BinaryIO) -> Result:
    """Read a result folder or zip back.

    Raises:
        ResultUnreadable: a file or column is missing or a cell is not what it should be.
    """
    try:
        return result_from_files(_read_files(source))
    except BundleRefused as error:
        raise ResultUnreadable(str(error)) from error


def result_sha256(source: str | Path | BinaryIO) -> str:
    """Return the hash of a result: every file but the timing, sorted by name."""
    digest = hashlib.sha256()
    for name, content in sorted(_read_files(source).items()):
        if name != _NOT_COMPARED:
            digest.update(f"{name}\n{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _read_files(source: str | Path | BinaryIO) -> dict[str, bytes]:
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            names = [entry for entry in sorted(path.iterdir()) if entry.suffix in (".csv", ".json")]
            return {entry.name: entry.read_bytes() for entry in names}
        if not path.is_file():
            raise BundleRefused(path.name, None, "no such folder or file")
    try:
        with zipfile.ZipFile(source) as archive:
            return _read_archive(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        name = Path(source).name if isinstance(source, (str, Path)) else "bundle"
        raise BundleRefused(name, None, "not a readable zip archive") from error


def _read_archive(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > _MAX_BYTES:
        raise BundleRefused("bundle", None, "the archive unpacks to more than 4 GiB")
    files: dict[str, bytes] = {}
    for entry in entries:
        name = entry.filename.rsplit("/", 1)[-1]
        if name in files:
            raise BundleRefused(name, None, "the archive holds this file twice")
        files[name] = archive.read(entry)
    return files


def _read_meta(files: Mapping[str, bytes]) -> dict[str, object]:
    if "auction.json" not in files:
        raise BundleRefused("auction.json", None, "the file is missing")
    try:
        meta = json.loads(files["auction.json"].decode("utf-8-sig"), parse_float=Decimal)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleRefused("auction.json", None, "not valid JSON in UTF-8") from error
    if not isinstance(meta, dict):
        raise BundleRefused("auction.json", None, "not a JSON object")
    return meta


def _read_table(name: str, content: bytes) -> RawTable:
    file = f"{name}.csv"
    try:
        # Line by line: a million rows as lists of cells would take far more memory.
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        return _table_of(name, csv.reader(text))
    except UnicodeDecodeError as error:
        raise BundleRefused(file, None, "not UTF-8") from error
    except csv.Error as error:
        raise BundleRefused(file, None, f"not CSV: {error}") from error


def _table_of(name: str, rows: Iterator[list[str]]) -> RawTable:
    file = f"{name}.csv"
    header = next(rows, None)
    if header is None:
        raise BundleRefused(file, None, "the file has no header")
    check_columns(name, header)
    columns = {column: Numbering() for column in header}
    count = 0
    while block := list(islice(rows, _BLOCK)):
        if set(map(len, block)) != {len(header)}:
            number = next(k for k, row in enumerate(block) if len(row) != len(header))
            cells = f"{len(block[number])} cells where {len(header)} belong"
            raise BundleRefused(file, count + number + 2, cells)
        for column, own in zip(columns.values(), zip(*block, strict=True), strict=True):
            column.extend(own)
        count += len(block)
    return RawTable(
        name, {column: own.column(strip=True) for column, own in columns.items()}, count
    )


def _write_files(files: Mapping[str, bytes], path: Path) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, date_time=_ZIP_STAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, files[name])
        return
    path.mkdir(parents=True, exist_ok=True)
    for name in sorted(files):
        (path / name).write_bytes(files[name])
