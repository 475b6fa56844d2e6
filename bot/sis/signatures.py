"""The first bytes of files that are taken for an export and are something else."""

_SIGNATURES = (
    (b"\x1f\x8b", "is a gzip archive, not a CSV file; unpack it first"),
    (b"PK\x03\x04", "is an Excel workbook or a zip, not a CSV file; save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook (XLS), not a CSV file; save it as CSV"),
    (b"%PDF", "is a PDF, not a CSV file; export it as CSV"),
    (b"<!doctype html", "is a web page, often the login page of the server, not a CSV file; export it again"),
    (b"<html", "is a web page, often the login page of the server, not a CSV file; export it again"),
    (b"<?xml", "is an XML file, not a CSV file; export it as CSV"),
    (b"{", "is a JSON file, often an error of the server, not a CSV file; export it again"),
)


def describe_other_bytes(head: bytes) -> str | None:
    """Return what a file is by its first bytes, as the end of a sentence; None if it may be a CSV file."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for signature, what in _SIGNATURES if start.startswith(signature.lower())), None)
