"""The two files: a change sheet that a registrar reads beside the SIS, and PowerSchool's contacts import.

A spreadsheet runs a cell that begins like a formula, and PowerSchool deletes what begins with `#`: neither is ever written.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.contact_edits.pending import PendingChange, PendingPage
from bot.domain import phone, spreadsheet
from bot.domain.spreadsheet import escape_cell
from bot.wording import say

_SHEET = (
    *("school", "student", "student_id", "contact", "contact_id", "change", "old", "new", "state"),
    *("made_by", "made_at"),
)

# The columns of the Data Import Manager, "Contacts", of PowerSchool SIS 22.9, in their order.
_POWERSCHOOL = (
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


@dataclass(frozen=True)
class PendingFile:
    """How many changes stand in a file, and how many are left out, by why: they stand in the change sheet only."""

    changes: int
    left_out: dict[str, int]


def change_sheet(changes: Iterable[PendingPage], to: TextIO, *, zone: ZoneInfo, region: str) -> PendingFile:
    """A row a change, everything in words, times on the district's clock. Opens right in a spreadsheet."""
    to.write(spreadsheet.BYTE_ORDER_MARK)
    sheet = csv.writer(to)
    sheet.writerow([say(f"sis_changes.column.{name}", zone=zone) for name in _SHEET])
    number = 0
    for number, one in enumerate(changes, 1):  # noqa: B007 - how many there were.
        sheet.writerow([escape_cell(cell) for cell in _in_words(one, zone, region)])
    return PendingFile(number, {})


def _in_words(one: PendingPage, zone: ZoneInfo, region: str) -> tuple[str, ...]:
    return (
        *("; ".join(one.schools), "; ".join(one.students), "; ".join(one.student_ids)),
        *(f"{one.given_name} {one.family_name}", one.contact_sourced_id, say(f"sis_changes.change.{one.change}")),
        *(_value(one.change, one.old, region), _value(one.change, one.new, region)),
        ("the SIS has another value by now; choose in Slack first" if one.disputed else "not yet in the SIS"),
        *(one.made_by, f"{one.made_at.astimezone(zone):%Y-%m-%d %H:%M}"),
    )


def _value(change: PendingChange, value: str | None, region: str) -> str:
    if change is PendingChange.PHONE:
        return phone.format_number(value, region) if value else "no number"
    return value or ""


def powerschool_file(changes: Iterable[PendingPage], to: TextIO, *, region: str) -> PendingFile:
    """New numbers as PowerSchool's Data Import Manager takes them ("Contacts"; source: its own template of version 22.9).

    Each comes in as the contact's first and preferred number; the old one stays below it until somebody deletes it there.
    The sourcedIds of contacts must be PowerSchool's Contact IDs. What the import cannot say or a person has to settle
    first is left out: one bad row would take the related ones with it.
    """
    table = csv.DictWriter(to, _POWERSCHOOL, restval="")
    table.writeheader()
    written, left_out = 0, dict[str, int]()
    for one in changes:
        if reason := _unfit(one):
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        table.writerow(_imported(one, region))
        written += 1
    return PendingFile(written, left_out)


def _unfit(one: PendingPage) -> str | None:
    if one.change is not PendingChange.PHONE:
        return "it takes no contact methods and no removals"
    if one.disputed:
        return "the SIS has another number by now; choose in Slack first"
    if one.new is None:
        return "a number that is gone is deleted by hand there"
    cells = (one.contact_sourced_id, one.given_name, one.family_name)
    if not one.family_name or any(cell.startswith(("#", *spreadsheet.FORMULA)) for cell in cells):
        return "the name or id would not be read as one"
    return None


def _imported(one: PendingPage, region: str) -> dict[str, str]:
    return {
        "Contact ID": one.contact_sourced_id,
        "First Name": one.given_name,
        "Last Name": one.family_name,
        "Is SMS": "1" if one.texted else "0",
        "phoneNumberAsEntered": phone.format_number(one.new or "", region),
        "Phone Type": "Mobile" if one.texted else "Home",
        "Phone Number Priority Order": "1",
        "Is Preferred": "1",
    }
