"""Every table, by who writes it: the sync, staff, mass messages, Slack."""

from bot.models.base import Base, ContactMethod
from bot.models.edits import IN_FORCE, Audit, Edit, EditField, EditState, Removal
from bot.models.messages import Delivery, ListChange, ListEntry, ListMove, MassMessage, OptOutText, PhoneNumber, Receipt
from bot.models.roster import (
    ClassStudent,
    ClassTeacher,
    Contact,
    School,
    SchoolClass,
    Staff,
    StaffRole,
    Student,
    StudentContact,
    StudentSchool,
    SyncRejection,
    SyncRun,
    SyncState,
)
from bot.models.slack import DigestPost, OpenList, PostKind, PostState, SlackUser, Subscription
from bot.models.views import contact_reach, contacts_with, effective_contacts, textable

__all__ = [
    "IN_FORCE",
    "Audit",
    "Base",
    "ClassStudent",
    "ClassTeacher",
    "Contact",
    "ContactMethod",
    "Delivery",
    "DigestPost",
    "Edit",
    "EditField",
    "EditState",
    "ListChange",
    "ListEntry",
    "ListMove",
    "MassMessage",
    "OpenList",
    "OptOutText",
    "PhoneNumber",
    "PostKind",
    "PostState",
    "Receipt",
    "Removal",
    "School",
    "SchoolClass",
    "SlackUser",
    "Staff",
    "StaffRole",
    "Student",
    "StudentContact",
    "StudentSchool",
    "Subscription",
    "SyncRejection",
    "SyncRun",
    "SyncState",
    "contact_reach",
    "contacts_with",
    "effective_contacts",
    "textable",
]
