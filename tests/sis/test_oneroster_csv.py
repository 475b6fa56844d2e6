import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import sis_bundles as bundles

from bot.errors import UserError
from bot.sis.oneroster_csv import Export
from bot.sis.rows import AgentRow, ClassRow, EnrollmentRow, OrgRow, Rejection, RoleRow, TermRow, UnreadRow, UserRow


def open_parts(source, region="US"):
    return Export(source).open(region=region, watermarks={})


def read(source):
    with open_parts(source) as parts:
        return [row for part in parts for row in part.rows()]


def of_type(row_type, rows):
    return [row for row in rows if isinstance(row, row_type)]


def reasons(rows):
    return [(row.file, row.line, row.column_name, row.reason) for row in of_type(Rejection, rows)]


def folder_with(tmp_path, **texts):
    for name, content in texts.items():
        (tmp_path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def users_in(tmp_path, content):
    return read(folder_with(tmp_path, users=content))


def test_bundle_gives_rows_of_every_kind_with_their_lines(tmp_path):
    rows = read(bundles.write(bundles.a_district(), tmp_path))
    assert reasons(rows) == []
    assert of_type(OrgRow, rows)[1] == (3, "lincoln", False, "Lincoln Elementary", "school", "district")
    assert of_type(TermRow, rows) == [(2, "Y27", False, date(2026, 8, 17), date(2027, 6, 5))]
    assert of_type(ClassRow, rows) == [(2, "5A", False, "Homeroom 5A", True, "lincoln", ["Y27"])]
    assert of_type(AgentRow, rows) == [(5, "sam", "maria"), (5, "sam", "joao"), (7, "maria", "sam"), (8, "joao", "lea")]
    assert [row.is_primary for row in of_type(EnrollmentRow, rows)] == [True, False, False]
    ana = of_type(UserRow, rows)[0]
    assert (ana.given_name, ana.family_name, ana.search) == ("Ana", "García", "ana garcia")


def test_role_of_1_1_holds_in_each_organization(tmp_path):
    tables = bundles.a_district_in_1_1()
    bundles.users_by_id(tables)["ana"]["orgSourcedIds"] = "lincoln,roosevelt"
    rows = read(bundles.write(tables, tmp_path))
    assert [(row.person, row.role, row.org) for row in of_type(RoleRow, rows)][:2] == [
        ("ana", "teacher", "lincoln"),
        ("ana", "teacher", "roosevelt"),
    ]


@pytest.mark.parametrize("inside", ["", "export 2026-11-23/"])
def test_zip_gives_the_rows_of_its_folder(tmp_path, inside):
    tables = bundles.a_district()
    zipped = bundles.write_zip(tables, tmp_path / "roster.zip", inside=inside)
    assert read(zipped) == read(bundles.write(tables, tmp_path / "folder"))


@pytest.mark.parametrize("inside", ["", "export\\"])
def test_zip_with_backslashes_is_read(tmp_path, inside):
    tables = bundles.a_district()
    zipped = tmp_path / "roster.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, text in bundles.files_of(tables).items():
            archive.writestr(f"{inside}{name}", text)
    assert read(zipped) == read(bundles.write(tables, tmp_path / "folder"))


def test_files_that_macos_adds_are_ignored(tmp_path):
    zipped = bundles.write_zip(bundles.a_district(), tmp_path / "roster.zip")
    before = read(zipped)
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("__MACOSX/._users.csv", b"\x00\x05\x16\x07")
    assert read(zipped) == before


PLAIN = "sourcedId,givenName,familyName,phone\r\nmaria,Maria,Rivera,3125550142\r\njoao,João,Sousa,3125550143\r\n"
STAYS = "the row was left out, and what we hold of it stays"
ALL_STAYS = "whose row it is cannot be read, so nothing that is missing from this file becomes inactive"
UGLY = {
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16, as Excel's Unicode text": PLAIN.encode("utf-16"),
    "bare line feeds": PLAIN.replace("\r\n", "\n").encode(),
    "bare carriage returns": PLAIN.replace("\r\n", "\r").encode(),
    "mixed line ends": PLAIN.replace("\r\n", "\n", 1).encode(),
    "no line end at the end": PLAIN.rstrip().encode(),
    "blank lines at the end": (PLAIN + "\r\n,,,\r\n").encode(),
    "padded cells": PLAIN.replace(",", "  , \t").encode(),
    "padded quoted cells": PLAIN.replace("Maria", ' "Maria" ').encode(),
    "zero-width characters": PLAIN.replace("Maria", "\u200bMaria\ufeff").encode(),
    "a NUL": PLAIN.replace("Maria", "Ma\x00ria").encode(),
    "wrong header case": PLAIN.replace("sourcedId", "SOURCEDID").replace("givenName", "Given Name").encode(),
    "prefixes of a report writer": PLAIN.replace("sourcedId,givenName", "a_sourcedId,b_givenName").encode(),
    "an empty last header cell": PLAIN.replace("phone\r\n", "phone,\r\n").encode(),
    "cells beyond the header, all blank": PLAIN.replace("0142", "0142,,").encode(),
    "a column of the district's own": PLAIN.replace("phone", "phone,metadata.sms").replace("0142", "0142,7").encode(),
    "the same header twice": PLAIN.replace("phone", "phone,Phone").replace("0142", "0142,7").encode(),
    "formulas that keep zeros": PLAIN.replace("3125550142", '="3125550142"').encode(),
}


@pytest.mark.parametrize("content", UGLY.values(), ids=UGLY)
def test_ugly_file_gives_the_rows_of_a_plain_one(tmp_path, content):
    rows = users_in(tmp_path, content)
    people = [(row.sourced_id, row.given_name, row.family_name, row.phone) for row in of_type(UserRow, rows)]
    assert people == [("maria", "Maria", "Rivera", "+13125550142"), ("joao", "João", "Sousa", "+13125550143")]
    assert reasons(rows) == []


def test_unclosed_quote_costs_only_its_line(tmp_path):
    lost = PLAIN.replace("maria,Maria", 'maria,"Maria') + "".join(f"p{n},Per,Son,\r\n" for n in range(100))
    rows = users_in(tmp_path, lost)
    assert reasons(rows) == [("users.csv", 2, None, f"has a quote that is opened and not closed; {STAYS}")]
    assert of_type(UnreadRow, rows) == [(2, "users", "maria", True)]
    assert [row.line for row in of_type(UserRow, rows)] == list(range(3, 104))


def test_line_end_in_a_quoted_cell_keeps_line_numbers(tmp_path):
    rows = users_in(tmp_path, PLAIN.replace("Maria", '"Maria\r\nElena"'))
    assert [(row.line, row.given_name) for row in of_type(UserRow, rows)] == [(2, "Maria Elena"), (4, "João")]


def test_huge_line_is_rejected_alone(tmp_path):
    rows = users_in(tmp_path, PLAIN.replace("Maria", "M" * 1_000_000))
    assert [line for _, line, _, _ in reasons(rows)] == [2]
    assert [row.line for row in of_type(UserRow, rows)] == [3]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("length", [119_998, 119_999, 120_000, 239_999, 359_999])
def test_line_of_about_the_longest_length_is_one_line(tmp_path, length, end):
    long = "long,Lo,Ng,".ljust(length, "5")
    rows = users_in(tmp_path, PLAIN.replace("maria", f"{long}\r\nmaria").replace("\r\n", end))
    assert [row.line for row in of_type(UserRow, rows) if row.sourced_id != "long"] == [3, 4]


def test_windows_1252_is_read_and_reported_once(tmp_path):
    rows = users_in(tmp_path, PLAIN.encode("cp1252") + b"jose,Jos\xe9,N\xfa\xf1ez,\r\n")
    assert [row.given_name for row in of_type(UserRow, rows)] == ["Maria", "João", "José"]
    assert reasons(rows) == [("users.csv", 3, None, "is not UTF-8; 2 lines were read as Windows-1252")]


def test_row_without_id_or_with_extra_cells_is_rejected(tmp_path):
    rows = users_in(tmp_path, PLAIN + ",No,Id,\r\nx,Too,Many,,,cells\r\nshort,Short\r\n")
    assert reasons(rows) == [
        ("users.csv", 4, "sourcedId", f"is blank; {ALL_STAYS}"),
        ("users.csv", 5, None, f"has more cells than the header; {STAYS}"),
    ]
    assert of_type(UserRow, rows)[-1].given_name == "Short"


def test_file_without_a_required_column_is_not_readable(tmp_path):
    folder_with(tmp_path, users="id,givenName,familyName\r\n1,Ana,García\r\n")
    with open_parts(tmp_path) as [users]:
        assert [row.column_name for row in users.rows()] == ["sourcedId"]
        assert not users.is_readable


def test_titles_of_1_0_are_read(tmp_path):
    content = "sourcedId,role,orgs,givenName,familyName,agents,grade\r\nsam,student,lincoln,Sam,Rivera,maria,K\r\n"
    rows = users_in(tmp_path, content)
    assert of_type(AgentRow, rows) == [(2, "sam", "maria")]
    assert of_type(RoleRow, rows)[0].org == "lincoln"
    assert of_type(UserRow, rows)[0].grade == "K"


def test_file_name_in_another_case_is_found(tmp_path):
    (tmp_path / "Users.CSV").write_text(PLAIN)
    assert len(of_type(UserRow, read(tmp_path))) == 2


MODES = {
    "bulk, and rows without a status": ("bulk", "", False),
    "bulk, though the rows carry a status as many exports do": ("bulk", "active", False),
    "delta, and rows with a status": ("delta", "active", True),
    "delta, but the rows say bulk and the files win": ("delta", "", False),
}


@pytest.mark.parametrize(("declared", "status", "is_delta"), MODES.values(), ids=MODES)
def test_delta_needs_both_the_manifest_and_the_rows(tmp_path, declared, status, is_delta):
    header = "sourcedId,status,givenName,familyName\r\n"
    folder_with(
        tmp_path, users=f"{header}ana,{status},Ana,García\r\n", manifest=f"propertyName,value\nfile.users,{declared}\n"
    )
    with open_parts(tmp_path) as [users]:
        list(users.rows())
        assert users.is_delta is is_delta


ORDERS = {
    "only days are above twelve": ("17/08/2026,05/06/2027", "US", date(2027, 6, 5)),
    "only days are above twelve, in second place": ("8/17/2026,6/5/2027", "GB", date(2027, 6, 5)),
    "nothing tells in the United States": ("8/7/2026,6/5/2027", "US", date(2027, 6, 5)),
    "nothing tells elsewhere": ("8/7/2026,6/5/2027", "GB", date(2027, 5, 6)),
    "ISO": ("2026-08-17,2027-06-05", "GB", date(2027, 6, 5)),
}


@pytest.mark.parametrize(("dates", "region", "ends_on"), ORDERS.values(), ids=ORDERS)
def test_ambiguous_date_is_read_as_others_of_its_file(tmp_path, dates, region, ends_on):
    folder_with(tmp_path, academicSessions=f"sourcedId,startDate,endDate\nY27,{dates}\n")
    with open_parts(tmp_path, region) as [sessions, *_]:
        assert [row.ends_on for row in sessions.rows()] == [ends_on]


def write_zip(tmp_path, **members):
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


UNSAFE = {
    "path outside": ("unsafe_path", {"../users.csv": PLAIN}),
    "path outside on Windows": ("unsafe_path", {"..\\users.csv": PLAIN}),
    "absolute path": ("unsafe_path", {"/etc/users.csv": PLAIN}),
    "drive": ("unsafe_path", {"C:users.csv": PLAIN}),
    "bomb": ("zip_bomb", {"users.csv": b"0" * 80_000_000}),
}


@pytest.mark.parametrize(("problem", "members"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe_zip_is_refused_completely(tmp_path, problem, members):
    assert refused(write_zip(tmp_path, **members)) == problem


def refused(source):
    with pytest.raises(UserError) as error:
        read(source)
    return error.value.code.removeprefix("sis.")


def test_damaged_zip_empty_folder_and_missing_path_are_refused(tmp_path):
    zipped = bundles.write_zip(bundles.a_district(), tmp_path / "roster.zip")
    content = zipped.read_bytes()
    zipped.write_bytes(content[:400] + b"\x00" * 40 + content[440:])
    (tmp_path / "empty").mkdir()
    assert [refused(tmp_path / name) for name in ("roster.zip", "empty", "missing")] == [
        *("bad_zip", "no_files", "not_found"),
    ]


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_rows_and_rejections(tmp_path_factory, content, with_header):
    folder = tmp_path_factory.mktemp("fuzz")
    header = b"sourcedId,givenName,familyName,phone,sms\r\n" if with_header else b""
    (folder / "users.csv").write_bytes(header + content)
    for row in users_in(folder, header + content):
        assert row.line is None or row.line >= 1
