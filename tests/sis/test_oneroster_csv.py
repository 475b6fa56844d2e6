import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import sis_bundles as bundles

from bot.errors import UserError
from bot.sis import oneroster_csv
from bot.sis.rows import AgentRow, ClassRow, EnrollmentRow, OrgRow, Rejection, RoleRow, TermRow, UnreadRow, UserRow


def read(source):
    with oneroster_csv.opened(source, region="US") as parts:
        return [row for part in parts for row in part.rows()]


def of(kind, rows):
    return [row for row in rows if isinstance(row, kind)]


def reasons(rows):
    return [(one.file, one.line, one.column_name, one.reason) for one in of(Rejection, rows)]


def folder_with(tmp_path, **texts):
    for name, content in texts.items():
        (tmp_path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def users_in(tmp_path, content):
    return read(folder_with(tmp_path, users=content))


def test_a_bundle_is_read_into_rows_of_every_kind_with_their_lines(tmp_path):
    rows = read(bundles.write(bundles.a_district(), tmp_path))
    assert reasons(rows) == []
    assert of(OrgRow, rows)[1] == (3, "lincoln", False, "Lincoln Elementary", "school", "district")
    assert of(TermRow, rows) == [(2, "Y27", False, date(2026, 8, 17), date(2027, 6, 5))]
    assert of(ClassRow, rows) == [(2, "5A", False, "Homeroom 5A", True, "lincoln", ["Y27"])]
    assert of(AgentRow, rows) == [(5, "sam", "maria"), (5, "sam", "joao"), (7, "maria", "sam"), (8, "joao", "lea")]
    assert [row.is_primary for row in of(EnrollmentRow, rows)] == [True, False, False]
    ana = of(UserRow, rows)[0]
    assert (ana.given_name, ana.family_name, ana.search) == ("Ana", "García", "ana garcia")


def test_in_1_1_a_role_stands_with_the_person_and_holds_in_each_organisation(tmp_path):
    tables = bundles.a_district_in_1_1()
    bundles.users_by_id(tables)["ana"]["orgSourcedIds"] = "lincoln,roosevelt"
    rows = read(bundles.write(tables, tmp_path))
    assert [(row.person, row.role, row.org) for row in of(RoleRow, rows)][:2] == [
        ("ana", "teacher", "lincoln"),
        ("ana", "teacher", "roosevelt"),
    ]


@pytest.mark.parametrize("inside", ["", "export 2026-11-23/"])
def test_a_zip_reads_as_its_folder_does(tmp_path, inside):
    tables = bundles.a_district()
    zipped = bundles.write_zip(tables, tmp_path / "roster.zip", inside=inside)
    assert read(zipped) == read(bundles.write(tables, tmp_path / "folder"))


@pytest.mark.parametrize("inside", ["", "export\\"])
def test_a_zip_with_the_backslashes_of_windows_is_read(tmp_path, inside):
    tables = bundles.a_district()
    zipped = tmp_path / "roster.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, text in bundles.files_of(tables).items():
            archive.writestr(f"{inside}{name}", text)
    assert read(zipped) == read(bundles.write(tables, tmp_path / "folder"))


def test_what_macos_adds_to_a_zip_is_no_part_of_the_bundle(tmp_path):
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
def test_an_ugly_file_reads_as_the_plain_one(tmp_path, content):
    rows = users_in(tmp_path, content)
    people = [(row.sourced_id, row.given_name, row.family_name, row.phone) for row in of(UserRow, rows)]
    assert people == [("maria", "Maria", "Rivera", "+13125550142"), ("joao", "João", "Sousa", "+13125550143")]
    assert reasons(rows) == []


def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path):
    lost = PLAIN.replace("maria,Maria", 'maria,"Maria') + "".join(f"p{n},Per,Son,\r\n" for n in range(100))
    rows = users_in(tmp_path, lost)
    assert reasons(rows) == [("users.csv", 2, None, f"has a quote that is opened and not closed; {STAYS}")]
    assert of(UnreadRow, rows) == [(2, "users", "maria", True)]
    assert [row.line for row in of(UserRow, rows)] == list(range(3, 104))


def test_a_line_end_inside_a_quoted_cell_is_read_and_the_lines_after_it_keep_their_numbers(tmp_path):
    rows = users_in(tmp_path, PLAIN.replace("Maria", '"Maria\r\nElena"'))
    assert [(row.line, row.given_name) for row in of(UserRow, rows)] == [(2, "Maria Elena"), (4, "João")]


def test_a_line_longer_than_memory_should_hold_is_refused_alone(tmp_path):
    rows = users_in(tmp_path, PLAIN.replace("Maria", "M" * 1_000_000))
    assert [line for _, line, _, _ in reasons(rows)] == [2]
    assert [row.line for row in of(UserRow, rows)] == [3]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("length", [119_998, 119_999, 120_000, 239_999, 359_999])
def test_a_line_about_as_long_as_one_may_be_is_one_line(tmp_path, length, end):
    long = "long,Lo,Ng,".ljust(length, "5")
    rows = users_in(tmp_path, PLAIN.replace("maria", f"{long}\r\nmaria").replace("\r\n", end))
    assert [row.line for row in of(UserRow, rows) if row.sourced_id != "long"] == [3, 4]


def test_bytes_that_are_not_utf_8_are_read_as_windows_1252_and_said_once(tmp_path):
    rows = users_in(tmp_path, PLAIN.encode("cp1252") + b"jose,Jos\xe9,N\xfa\xf1ez,\r\n")
    assert [row.given_name for row in of(UserRow, rows)] == ["Maria", "João", "José"]
    assert reasons(rows) == [("users.csv", 3, None, "is not UTF-8; 2 lines were read as Windows-1252")]


def test_a_row_with_more_than_its_header_or_without_its_id_is_rejected_alone(tmp_path):
    rows = users_in(tmp_path, PLAIN + ",No,Id,\r\nx,Too,Many,,,cells\r\nshort,Short\r\n")
    assert reasons(rows) == [
        ("users.csv", 4, "sourcedId", f"is blank; {ALL_STAYS}"),
        ("users.csv", 5, None, f"has more cells than the header; {STAYS}"),
    ]
    assert of(UserRow, rows)[-1].given_name == "Short"


def test_a_file_without_a_column_it_needs_is_not_read_and_nothing_follows_from_it(tmp_path):
    folder_with(tmp_path, users="id,givenName,familyName\r\n1,Ana,García\r\n")
    with oneroster_csv.opened(tmp_path, region="US") as [users]:
        assert [row.column_name for row in users.rows()] == ["sourcedId"]
        assert not users.is_readable


def test_the_names_of_1_0_are_still_read(tmp_path):
    content = "sourcedId,role,orgs,givenName,familyName,agents,grade\r\nsam,student,lincoln,Sam,Rivera,maria,K\r\n"
    rows = users_in(tmp_path, content)
    assert of(AgentRow, rows) == [(2, "sam", "maria")]
    assert of(RoleRow, rows)[0].org == "lincoln"
    assert of(UserRow, rows)[0].grade == "K"


def test_a_file_name_in_the_wrong_case_is_found(tmp_path):
    (tmp_path / "Users.CSV").write_text(PLAIN)
    assert len(of(UserRow, read(tmp_path))) == 2


MODES = {
    "bulk, and rows without a status": ("bulk", "", False),
    "bulk, though the rows carry a status as many exports do": ("bulk", "active", False),
    "delta, and rows with a status": ("delta", "active", True),
    "delta, but the rows say bulk and the files win": ("delta", "", False),
}


@pytest.mark.parametrize(("declared", "status", "is_delta"), MODES.values(), ids=MODES)
def test_a_file_is_a_delta_when_manifest_and_rows_agree(tmp_path, declared, status, is_delta):
    header = "sourcedId,status,givenName,familyName\r\n"
    folder_with(
        tmp_path, users=f"{header}ana,{status},Ana,García\r\n", manifest=f"propertyName,value\nfile.users,{declared}\n"
    )
    with oneroster_csv.opened(tmp_path, region="US") as [users]:
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
def test_a_date_that_fits_both_ways_is_read_as_the_others_of_its_file(tmp_path, dates, region, ends_on):
    folder_with(tmp_path, academicSessions=f"sourcedId,startDate,endDate\nY27,{dates}\n")
    with oneroster_csv.opened(tmp_path, region=region) as [sessions]:
        assert [row.ends_on for row in sessions.rows()] == [ends_on]


def a_zip(tmp_path, **members):
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


TRICKS = {
    "climbs out": {"../users.csv": PLAIN},
    "climbs out as Windows does": {"..\\users.csv": PLAIN},
    "names the root": {"/etc/users.csv": PLAIN},
    "names a drive": {"C:users.csv": PLAIN},
    "swells": {"users.csv": b"0" * 80_000_000},
}


@pytest.mark.parametrize("members", TRICKS.values(), ids=TRICKS)
def test_a_zip_with_a_trick_is_refused_as_a_whole(tmp_path, members):
    with pytest.raises(UserError, match="not read"):
        read(a_zip(tmp_path, **members))


def test_a_damaged_zip_an_empty_folder_and_nothing_at_all_are_said_in_a_sentence(tmp_path):
    zipped = bundles.write_zip(bundles.a_district(), tmp_path / "roster.zip")
    whole = zipped.read_bytes()
    zipped.write_bytes(whole[:400] + b"\x00" * 40 + whole[440:])
    with pytest.raises(UserError, match="Export it again"):
        read(zipped)
    with pytest.raises(UserError, match="holds no OneRoster files"):
        read(_empty(tmp_path))
    with pytest.raises(UserError, match="nothing at"):
        read(tmp_path / "missing")


def _empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_bytes_a_file_holds_every_line_is_a_row_a_rejection_or_blank(tmp_path_factory, content, with_header):
    folder = tmp_path_factory.mktemp("fuzz")
    header = b"sourcedId,givenName,familyName,phone,sms\r\n" if with_header else b""
    (folder / "users.csv").write_bytes(header + content)
    for row in users_in(folder, header + content):
        assert row.line is None or row.line >= 1
