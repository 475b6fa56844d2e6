"""OneRoster bundles for tests: tables of rows (dicts by column), valid by default, written as a folder or a zip.

The small district of all tests: Lincoln Elementary and Roosevelt High; Ana García teaches Sam Rivera and Lea O'Brien in 5A;
Maria is Sam's mother, João is a relative of both children; Clara is Lincoln's clerk, Dana the district's manager.
"""

import csv
import io
import zipfile
from pathlib import Path

COLUMNS = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password,primaryOrgSourcedId",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
USERS_1_1 = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password"
)


def person(sourced_id, given, family, **cells):
    return {"sourcedId": sourced_id, "enabledUser": "true", "givenName": given, "familyName": family, **cells}


def role(person_id, role_word, org="lincoln", **cells):
    row = {"sourcedId": f"R-{person_id}-{org}", "userSourcedId": person_id, "role": role_word, "orgSourcedId": org}
    return row | cells


def enrolled(person_id, role_word="student", in_class="5A", **cells):
    return {
        "sourcedId": f"E-{in_class}-{person_id}",
        "classSourcedId": in_class,
        "schoolSourcedId": "lincoln",
        "userSourcedId": person_id,
        "role": role_word,
        "primary": "true" if role_word == "teacher" else "",
        **cells,
    }


def a_district():
    """Return the tables of a 1.2 bundle, to change before they are written."""
    return {
        "orgs": [
            {"sourcedId": "district", "name": "Maplewood", "type": "district"},
            {"sourcedId": "lincoln", "name": "Lincoln Elementary", "type": "school", "parentSourcedId": "district"},
            {"sourcedId": "roosevelt", "name": "Roosevelt High", "type": "school", "parentSourcedId": "district"},
        ],
        "academicSessions": [
            {"sourcedId": "Y27", "title": "2026-27", "type": "term", "startDate": "2026-08-17", "endDate": "2027-06-05"}
        ],
        "classes": [
            {
                "sourcedId": "5A",
                "title": "Homeroom 5A",
                "classType": "homeroom",
                "schoolSourcedId": "lincoln",
                "termSourcedIds": "Y27",
            }
        ],
        "users": [
            person("ana", "Ana", "García", email="Ana.Garcia@district.example"),
            person("clara", "Clara", "Clerk", email="clara.clerk@district.example"),
            person("dana", "Dana", "Diaz", email="dana.diaz@district.example"),
            person("sam", "Sam", "Rivera", grades="05", agentSourcedIds="maria,joao"),
            person("lea", "Lea", "O'Brien", grades="05"),
            person(
                "maria", "Maria", "Rivera", phone="(312) 555-0142", email="maria@home.example", agentSourcedIds="sam"
            ),
            person("joao", "João", "Sousa", sms="+1 312 555 0143", phone="(312) 555-0144", agentSourcedIds="lea"),
        ],
        "roles": [
            role("ana", "teacher"),
            role("clara", "siteAdministrator"),
            role("dana", "districtAdministrator", "district"),
            role("sam", "student"),
            role("lea", "student"),
            role("maria", "parent"),
            role("joao", "relative"),
        ],
        "enrollments": [enrolled("ana", "teacher"), enrolled("sam"), enrolled("lea")],
    }


def a_district_in_1_1():
    """Return the same people in a 1.1 bundle, where the role and its organizations are part of the user."""
    tables = a_district()
    roles = {role["userSourcedId"]: role for role in tables.pop("roles")}
    for user in tables["users"]:
        role = roles[user["sourcedId"]]
        user["role"] = "administrator" if "dministrator" in role["role"] else role["role"]
        user["orgSourcedIds"] = role["orgSourcedId"]
    return tables


def users_by_id(tables):
    return {user["sourcedId"]: user for user in tables["users"]}


def csv_text(name, rows, *, header=None, newline="\r\n"):
    columns = (header or COLUMNS[name]).split(",")
    columns += sorted({column for row in rows for column in row} - set(columns))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def manifest(tables, *, delta=(), version="1.2"):
    modes = "".join(f"file.{name},{'delta' if name in delta else 'bulk'}\r\n" for name in tables)
    return f"propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,{version}\r\n{modes}"


def files_of(tables, *, delta=()):
    """Return the texts of a bundle by file name."""
    headers = {"users": USERS_1_1} if "roles" not in tables else {}
    files = {f"{name}.csv": csv_text(name, rows, header=headers.get(name)) for name, rows in tables.items()}
    return {"manifest.csv": manifest(tables, delta=delta, version="1.1" if headers else "1.2"), **files}


def write(tables, folder: Path, *, delta=()):
    """Write the bundle as a folder, replacing what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    for name, text in files_of(tables, delta=delta).items():
        (folder / name).write_bytes(text.encode())
    return folder


def write_zip(tables, path: Path, *, inside=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files_of(tables).items():
            archive.writestr(inside + name, text)
    return path
