"""What a dialog of one student is told. Phones are E.164, for the surface to mask."""

from dataclasses import dataclass
from datetime import datetime

from bot.cleanup_list.rows import StudentRow
from bot.cleanup_list.suggestions import Suggestion
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditField, EditState
from bot.domain.sms_status import SmsStatus
from bot.errors import UserError


@dataclass(frozen=True)
class ActiveEdit:
    """An edit in force. `sis_value` is the third value of a conflict and `sis_at` its date."""

    edit_id: int
    field: EditField
    state: EditState
    value: str | None
    sis_value: str | None
    sis_at: datetime | None
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class Evidence:
    """The delivery that a status comes from. `meaning` is what the provider's `code` says, None where it gave none that we
    know; `answered` is False where the window of the mass message closed on silence.
    """

    message: str
    sent_at: datetime
    provider: str | None
    code: str | None
    meaning: str | None
    answered: bool


@dataclass(frozen=True)
class ContactCard:
    """A contact as a person may change it. `phone` is E.164; `undo_edit_id` is what Undo would take back.

    `stopped_by` told us that the number opted out: a provider, a system of the district, or the Slack user to whom it was said.
    """

    contact_id: int
    version: int
    name: str
    relationship: str | None
    method: ContactMethod
    phone: str | None
    email: str | None
    status: SmsStatus | None
    since: datetime | None
    why: Evidence | None
    opted_out: bool
    stopped_by: str | None
    on_list: bool
    updated_at: datetime | None
    updated_by: str | None
    claimed_by: str | None
    claimed_at: datetime | None
    edits: tuple[ActiveEdit, ...]
    undo_edit_id: int | None
    suggestion: Suggestion | None


@dataclass(frozen=True)
class RemovedContact:
    """A contact that staff removed, from this student or from all of its own, and can bring back."""

    removal_id: int
    contact_id: int
    name: str
    relationship: str | None
    reason: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True)
class Sibling:
    """Another student of the same adult."""

    student_id: int
    name: str


@dataclass(frozen=True)
class StudentCard:
    """`siblings` are those whom the asking person may see."""

    student: StudentRow
    contacts: tuple[ContactCard, ...]
    removed: tuple[RemovedContact, ...]
    siblings: tuple[Sibling, ...]

    def contact(self, contact_id: int) -> ContactCard:
        """One of the contacts.

        Raises:
            UserError: it is not a contact of this student any more.
        """
        for one in self.contacts:
            if one.contact_id == contact_id:
                return one
        raise UserError(
            "contact.removed",
            "That contact has been removed meanwhile. Close this dialog and type /cleanup for today's list.",
        )
