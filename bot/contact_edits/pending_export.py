"""Pending changes as files: a change sheet that a registrar reads beside the SIS, and PowerSchool's contacts import.

A spreadsheet runs a cell that begins like a formula, and PowerSchool deletes what begins with `#`: neither is ever written. Every
export is in the audit.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.contact_edits.pending import ChangeKind, PendingChange, iter_pending
from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.roster import Student
from bot.domain import phone, spreadsheet
from bot.domain.display import full_name, plural
from bot.domain.names import DESCRIBED
from bot.domain.spreadsheet import escape_cell
from bot.errors import UserError
from bot.settings import Settings

NO_CONTACT_IDS = "export.no_contact_ids"


class ExportFormat(StrEnum):
    SHEET = "sheet"
    POWERSCHOOL = "powerschool"


@dataclass(frozen=True)
class PendingFile:
    """How many changes are in a file, and how many were left out, by reason; those are in the change sheet only."""

    changes: int
    left_out: dict[str, int] = field(default_factory=dict)


def export_pending(
    session: Session,
    students: Select[int],
    export_format: ExportFormat,
    to: TextIO,
    *,
    settings: Settings,
    actor: str,
    narrowed_to: str | None = None,
    now: datetime,
) -> PendingFile:
    """Write every pending change of the contacts of `students` (a query of ids); `narrowed_to` is the filter behind that query."""
    changes = iter_pending(session, students)
    if export_format is ExportFormat.SHEET:
        file = write_change_sheet(changes, to, zone=settings.zone, region=settings.phone_region)
    else:
        file = write_powerschool_file(changes, to, region=settings.phone_region)
    audit.record(
        session,
        Subject("file", None),
        actor=actor,
        action="changes.exported",
        after=f"{export_format}: {plural(file.changes, 'change')}",
        reason=narrowed_to,
        now=now,
    )
    return file


def export_to_path(
    session: Session, path: Path, export_format: ExportFormat, *, settings: Settings, now: datetime
) -> PendingFile:
    """Write the pending changes of all students' contacts to a new file that only its owner can read.

    Raises:
        UserError: the path exists already, or cannot be written.
    """
    students = select(Student.id).where(Student.active)
    with _new_private_file(path) as file:
        return export_pending(session, students, export_format, file, settings=settings, actor="cli", now=now)


@contextmanager
def _new_private_file(path: Path) -> Iterator[TextIO]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError("export.exists", f"{path} exists already. Choose another name, or delete it first.") from None
    except OSError as problem:
        raise UserError("export.not_writable", f"{path} cannot be written: {problem.strerror}.") from problem
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink()
        raise


_KINDS = {
    ChangeKind.PHONE: "phone",
    ChangeKind.METHOD: "contact method",
    ChangeKind.REMOVED: "no contact anymore",
}


def write_change_sheet(changes: Iterable[PendingChange], to: TextIO, *, zone: ZoneInfo, region: str) -> PendingFile:
    """Write one row per change, all in words, with times in the district's zone. A spreadsheet opens it correctly."""
    to.write(spreadsheet.BYTE_ORDER_MARK)
    sheet = csv.writer(to)
    sheet.writerow(
        (
            *("school", "student", "student id", "contact", "contact id", "change", "in the SIS now", "entered here"),
            *("state", "changed by", f"changed at ({zone})"),
        )
    )
    number = 0
    for number, change in enumerate(changes, 1):  # noqa: B007 - the number is needed after the loop.
        cells = (
            *("; ".join(change.schools), "; ".join(change.students), "; ".join(change.student_ids)),
            full_name(change.given_name, change.family_name),
            *(change.sis_contact_id or change.contact_sourced_id, _KINDS[change.kind]),
            *(_value(change.kind, change.old, region), _value(change.kind, change.new, region)),
            "the SIS has another value by now; choose in Slack first" if change.disputed else "not yet in the SIS",
            *(change.made_by, f"{change.made_at.astimezone(zone):%Y-%m-%d %H:%M}"),
        )
        sheet.writerow([escape_cell(cell) for cell in cells])
    return PendingFile(number)


def _value(kind: ChangeKind, value: str | None, region: str) -> str:
    if kind is ChangeKind.PHONE:
        return phone.format_number(value, region) if value else "no number"
    return value or ""


# The columns of the Data Import Manager, "Contacts", of PowerSchool SIS 22.9, in their order.
POWERSCHOOL_COLUMNS = (
    *("New Contact Identifier", "Contact ID", "Prefix", "First Name", "Middle Name", "Last Name", "Suffix", "Gender"),
    *("Employer", "Is Active", "State Contact ID", "Exclude From State Reporting"),
    *(
        f"PERSONCOREFIELDS.{name}"
        for name in (
            *("countryOfOrigin", "dob", "educationLevel", "employmentStatus", "govWorkLoc", "isAvailableAtWork"),
            *("isDeceased", "isOnActiveDuty", "livesOnBase", "maidenName", "militaryStatus", "needsInterpreterAssist"),
            *("occupation", "payGrade", "serviceBranch", "ssn"),
        )
    ),
    *("Email Address", "Contact Email Address ID", "Email Type", "Is Primary Email Address", "Extension", "Is SMS"),
    *("PHONENUMBERCOREFIELDS.isUnlisted", "Contact Phone Number ID", "phoneNumberAsEntered", "Phone Type"),
    *("Phone Number Priority Order", "Is Preferred", "Street", "Line Two", "Unit", "City", "State", "Postal Code"),
    *("Geocode Latitude", "Geocode Longitude", "PERSONADDRESSCOREFIELDS.addressVerification"),
    *("PERSONADDRESSCOREFIELDS.county", "PERSONADDRESSCOREFIELDS.isAddressVerified"),
    *("PERSONADDRESSCOREFIELDS.line3", "Contact Address ID", "Address Type", "Address Priority Order"),
    *("Address Start Date", "Address End Date", "* NOT MAPPED *", "studentNumber", "Contact Priority Order"),
    *("Student Contact ID", "Student Contact Detail ID", "Relationship Type", "Original Contact Type"),
    *("Relationship Note", "Relationship Start Date", "Relationship End Date"),
    *("STUDENTCONTACTASSOCCOREFIELDS.legalGuardian", "Contact Has Custody", "Contact Lives With"),
    *("Contact Allow School Pickup", "Is Emergency Contact", "Contact Receives Mailings"),
    *(f"STUDENTCONTACTDETAILCOREFIELDS.{name}" for name in ("classroomParticipation", "isCaregiver", "isVolunteer")),
)


def write_powerschool_file(changes: Iterable[PendingChange], to: TextIO, *, region: str) -> PendingFile:
    """Write new numbers for PowerSchool's Data Import Manager ("Contacts"; source: its own template of version 22.9).

    Each becomes the contact's first and preferred number; the old one stays below it until someone deletes it there. Changes that
    the import cannot express, that a person has to settle first, or of contacts without a Contact ID of PowerSchool's are left out:
    one bad row would take related rows with it, and another product's id may be another person's in PowerSchool.

    Raises:
        UserError: there are changes, and the ids of none of their contacts are PowerSchool's.
    """
    table = csv.DictWriter(to, POWERSCHOOL_COLUMNS, restval="")
    table.writeheader()
    written, left_out = 0, dict[str, int]()
    for change in changes:
        if reason := _why_not_importable(change):
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        row = {
            "Contact ID": change.powerschool_id,
            "First Name": change.given_name,
            "Last Name": change.family_name,
            "Is SMS": "1" if change.texted else "0",
            "phoneNumberAsEntered": phone.format_number(change.new or "", region),
            "Phone Type": "Mobile" if change.texted else "Home",
            "Phone Number Priority Order": "1",
            "Is Preferred": "1",
        }
        table.writerow(row)
        written += 1
    if not written and _UNKNOWN_ID in left_out:
        raise UserError(
            NO_CONTACT_IDS,
            "No changed contact has a Contact ID that is known to be PowerSchool's, so nothing was exported: the import would "
            f"change other people. To fix it, {_FIX_IDS}. Until then, export the change sheet.",
        )
    return PendingFile(written, left_out)


_FIX_IDS = (
    "export the contacts from PowerSchool with the column Contact ID, set SIS_CONTACTS_CSV to that file (or give it to the "
    "sync with --contacts), and sync"
)
_UNKNOWN_ID = f"the Contact ID is not known to be PowerSchool's; {_FIX_IDS}"


def _why_not_importable(change: PendingChange) -> str | None:
    cells = (change.given_name, change.family_name)
    is_misread = not change.family_name or any(cell.startswith(("#", *spreadsheet.FORMULA)) for cell in cells)
    reasons = (
        (change.kind is not ChangeKind.PHONE, "the import takes no contact methods and no removals"),
        (change.disputed, "the SIS has another number by now; choose in Slack first"),
        (change.new is None, "delete a removed number there by hand"),
        (change.powerschool_id is None, _UNKNOWN_ID),
        (change.given_name.endswith(DESCRIBED), "the contact has no name in the SIS; change the number there by hand"),
        (is_misread, "PowerSchool would misread the name"),
    )
    return next((reason for applies, reason in reasons if applies), None)
