"""The way back to the SIS: what was changed here and is not there yet, for whoever types it in.

The SIS is the system of record and OneRoster cannot be written to, so these leave as files: a change sheet to read, and a
file that PowerSchool imports. Nothing is marked as sent: a change is done when the next sync finds it in the SIS.
"""

from bot.sis_changes.exporting import Form, export
from bot.sis_changes.files import Written, change_sheet, powerschool
from bot.sis_changes.waiting import MADE_BY, Change, Counts, Waiting, counts, made_by, newest, waiting

__all__ = [
    "MADE_BY",
    "Change",
    "Counts",
    "Form",
    "Waiting",
    "Written",
    "change_sheet",
    "counts",
    "export",
    "made_by",
    "newest",
    "powerschool",
    "waiting",
]
