"""Files that members hand in: told by content, never trusted by name."""

import pytest

from marketplace.domain.document_files import MAX_BYTES, check_file, clean_name
from marketplace.domain.errors import RuleBroken

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0....\xff\xd9"


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("营业执照.pdf", PDF, "application/pdf"),
        ("scan.PNG", PNG, "image/png"),
        ("scan.jpeg", JPEG, "image/jpeg"),
    ],
)
def test_plain_documents_are_taken(name, data, media_type):
    checked = check_file(name=name, data=data)

    assert (checked.name, checked.media_type) == (name, media_type)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"", "document_empty"),
        ("a.pdf", PDF + b"0" * MAX_BYTES, "document_too_large"),
        ("a.png", PDF, "document_type"),
        ("a.pdf", b"MZ\x90\x00", "document_type"),
        ("a.html", b"<html>", "document_type"),
        ("a.svg", b"<svg onload=alert(1)>", "document_type"),
        ("a.pdf", b"%PDF-1.7 cut off", "document_type"),
        ("a.pdf", PDF.replace(b"/Type", b"/OpenAction 2 0 R /Type"), "document_active"),
        ("a.pdf", PDF.replace(b"/Type", b"/JavaScript 2 0 R /Type"), "document_active"),
        ("a.pdf", PDF.replace(b"/Type", b"/J#61vaScript 2 0 R /Type"), "document_active"),
    ],
)
def test_everything_else_is_refused_at_its_field(name, data, code):
    with pytest.raises(RuleBroken) as refused:
        check_file(name=name, data=data)

    assert (refused.value.code, refused.value.field) == (code, "file")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\temp\\证.pdf", "证.pdf"),
        ("a\u202efdp.pdf", "afdp.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("", "document"),
    ],
)
def test_names_hold_no_folders_and_no_tricks(given, kept):
    assert clean_name(given) == kept
