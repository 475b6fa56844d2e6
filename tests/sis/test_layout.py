"""Files whose cells are separated otherwise, or whose header is not on the first line, are read as if they were usual ones."""

import pytest

from bot.errors import UserError
from bot.sis.oneroster_csv import Export
from bot.sis.rows import Kind, OrgRow, Rejection

HEADER = ["sourcedId", "name", "type"]
ROWS = [["lincoln", "Lincoln; the 1st | school", "school"], ["d", "District east", "district"]]


def written(delimiter):
    def cell(text):
        return f'"{text}"' if any(sign in text for sign in ",;|\t") else text

    return "\r\n".join(delimiter.join(map(cell, row)) for row in [HEADER, *ROWS]) + "\r\n"


def read_orgs(tmp_path, content):
    (tmp_path / "orgs.csv").write_bytes(content)
    (tmp_path / "manifest.csv").write_text("propertyName,value\nfile.orgs,bulk\n")
    with Export(tmp_path).open(region="US", watermarks={}) as parts:
        (part,) = [part for part in parts if part.kind is Kind.ORGS]
        return part, list(part.rows())


LAYOUTS = {
    "semicolons": written(";"),
    "tabs": written("\t"),
    "bars": written("|"),
    "sep line": "sep=;\r\n" + written(";"),
    "title and blank line": "Lincoln USD, schools, 11/29/2026\r\n\r\n" + written(","),
    "title above tabs": "Schools\r\n" + written("\t"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_recognized_header_is_read(tmp_path, text, encoding):
    part, rows = read_orgs(tmp_path, text.encode(encoding))
    first = text.splitlines().index(next(line for line in text.splitlines() if line.startswith("sourcedId"))) + 2
    assert part.is_readable
    assert rows == [
        OrgRow(first, "lincoln", False, "Lincoln; the 1st | school", "school", ""),
        OrgRow(first + 1, "d", False, "District east", "district", ""),
    ]


def test_lost_quote_costs_one_row_with_any_delimiter(tmp_path):
    _, rows = read_orgs(tmp_path, written(";").replace("lincoln;", 'lincoln;"', 1).encode() + b"e;East;school\r\n")
    assert [row.sourced_id for row in rows if isinstance(row, OrgRow)] == ["d", "e"]


OTHER = {
    "login page": (b"\r\n<!DOCTYPE HTML><html>", "is a web page"),
    "gzip": (b"\x1f\x8b\x08", "is a gzip archive"),
    "workbook": (b"PK\x03\x04\x14\x00", "is an Excel workbook"),
    "JSON": (b'{"error": "expired"}', "is a JSON file"),
    "Clever": (b"School_id,School_name,School_number\nS1,East,1\n", "is in Clever's format"),
}


@pytest.mark.parametrize(("content", "what"), OTHER.values(), ids=OTHER)
def test_other_file_is_named(tmp_path, content, what):
    part, (rejection,) = read_orgs(tmp_path, content)
    assert not part.is_readable
    assert isinstance(rejection, Rejection)
    assert rejection.reason.startswith(what)


def test_web_page_instead_of_a_zip_is_named(tmp_path):
    (tmp_path / "export.zip").write_text("<html><title>Sign in</title></html>")
    with (
        pytest.raises(UserError, match=r"export\.zip is a web page"),
        Export(tmp_path / "export.zip").open(region="US", watermarks={}),
    ):
        pass
