"""Who a Slack user is in the SIS, and what they may do: Slack user -> email -> staff -> roles.

What cannot be decided is refused. An email address is the only link, so it counts only where Slack confirmed it, and people who
share one get no more than the narrowest of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.db.models.roster import Staff, StaffRole
from bot.db.models.slack import SlackUser
from bot.db.session import fetch_rows
from bot.domain import display
from bot.errors import UserError

DISTRICT_ROLES = {"districtAdministrator", "systemAdministrator"}
CLASS_ROLES = {"teacher", "aide"}
NO_ROLES = {"student", "guardian", "parent", "relative", "proctor"}


@dataclass(frozen=True)
class SlackIdentity:
    """A user as Slack describes them. `full_member` is False for guests, bots, strangers, and deactivated accounts.

    `email` is normalized as the sync stores staff addresses: lower case, without blanks around it. An unconfirmed one proves
    nothing: anyone can have typed it.
    """

    user_id: str
    email: str | None
    full_member: bool
    email_confirmed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", (self.email or "").strip().lower() or None)

    @property
    def proven_email(self) -> str | None:
        """The email that identifies this person in the SIS, None where nothing does."""
        return self.email if self.full_member and self.email_confirmed else None


@dataclass(frozen=True)
class AccessRules:
    """The district's settings: who may enter before the first sync, which OneRoster roles may edit (empty: all who may see),
    and which may export full numbers (empty: none).
    """

    admin_emails: tuple[str, ...] = ()
    editor_roles: tuple[str, ...] = ()
    export_roles: tuple[str, ...] = ()

    @property
    def helper(self) -> str:
        """The person to ask for access, as words inside a sentence."""
        return self.admin_emails[0] if self.admin_emails else "your district's data manager"


@dataclass(frozen=True)
class _Rights:
    """The rights of one person of the SIS, or those that several people with one address have in common."""

    name: str
    level: AccessLevel
    staff_ids: tuple[int, ...]
    school_ids: tuple[int, ...]
    may_edit: bool
    may_export: bool


_STAFF_COLUMNS = (
    *(Staff.id, Staff.given_name, Staff.family_name, Staff.search),
    *(StaffRole.role, StaffRole.school_id),
)
_STAFF_BY_EMAIL = (
    select(*_STAFF_COLUMNS)
    .outerjoin(StaffRole, StaffRole.staff_id == Staff.id)
    .where(Staff.email == bindparam("email"), Staff.active)
    .order_by(Staff.id)
)
# The rows for `actor_from_rows`; none for a user who was last checked with Slack before `checked_since`.
KNOWN_USER_QUERY = (
    select(SlackUser.email, SlackUser.full_member, *_STAFF_COLUMNS)
    .outerjoin(Staff, and_(Staff.email == SlackUser.email, Staff.active))
    .outerjoin(StaffRole, StaffRole.staff_id == Staff.id)
    .where(SlackUser.user_id == bindparam("user_id"), SlackUser.checked_at > bindparam("checked_since"))
    .order_by(Staff.id)
)


def load_actor(session: Session, person: SlackIdentity, *, rules: AccessRules, today: date) -> Actor:
    """Return the actor behind a Slack identity.

    Raises:
        UserError: this person may not use the list; the sentence says who can help.
    """
    email = _require_email(person, rules.helper)
    rows = session.execute(_STAFF_BY_EMAIL, {"email": email}).all()
    return _actor(person.user_id, email, rows, rules, today)


def load_known_actor(
    session: Session, user_id: str, *, checked_since: datetime, rules: AccessRules, today: date
) -> Actor | None:
    """Return the actor behind a Slack user id without asking Slack; None for a user who was not checked lately, or has no access."""
    rows = fetch_rows(session, KNOWN_USER_QUERY, {"user_id": user_id, "checked_since": checked_since})
    return actor_from_rows(user_id, rows, rules=rules, today=today)


def actor_from_rows(user_id: str, rows: Sequence[Any], *, rules: AccessRules, today: date) -> Actor | None:
    """Return the actor from the rows of `KNOWN_USER_QUERY`, ordered by `id`.

    None if there are none, and for a person who would be refused: what Slack says about them may be different now.
    """
    if not rows or not rows[0].full_member or not rows[0].email:
        return None
    try:
        return _actor(user_id, rows[0].email, [row for row in rows if row.id], rules, today)
    except UserError:
        return None


def _actor(user_id: str, email: str, rows: Sequence[Any], rules: AccessRules, today: date) -> Actor:
    """Combine the rows of the staff with this email: one for each role of each of their records.

    Records of the same name are one person, as the SIS may have one per school: their roles add up. People of different names who
    share an address get only the rights that all of them have, because Slack does not say which of them it is.
    """
    records = defaultdict[str, list[Any]](list)
    for row in rows:
        records[row.search].append(row)
    people = [_rights(of_person, rules) for of_person in records.values()]
    rights = people[0] if len(people) == 1 else _common_rights(people)
    if email in rules.admin_emails:  # The district itself gave this address all rights.
        name = rights.name if rights and len(people) == 1 else email
        staff_ids = tuple(dict.fromkeys(row.id for row in rows))
        rights = _Rights(name, AccessLevel.DISTRICT, staff_ids, (), may_edit=True, may_export=bool(rules.export_roles))
    elif rights is None and len(people) > 1:
        sentence = (
            f"{email} is the address of several people in the student information system, and they may not see the same "
            f"students. Please ask {rules.helper} to enter an address of your own there."
        )
        raise UserError("access.shared_email", sentence)
    elif rights is None:
        sentence = f"I can't find {email} among the staff in the student information system. Please ask {rules.helper}."
        raise UserError("access.unknown", sentence)
    return Actor(user_id, email=email, today=today, **vars(rights))


def _require_email(person: SlackIdentity, ask: str) -> str:
    """Return the email that identifies a person in the SIS; what is refused here is mended in Slack."""
    if not person.full_member:
        sentence = f"The cleanup list is for staff with a full account here. Please ask {ask}."
        raise UserError("access.no_full_account", sentence)
    if not person.email:
        sentence = (
            "Your Slack account shows no email address, and I find people in the student information system by it. "
            f"Add your work email to your Slack account, then try again. Please ask {ask} if it is there already."
        )
        raise UserError("access.no_email", sentence)
    if not person.email_confirmed:
        sentence = (
            f"Slack has not confirmed yet that {person.email} is yours. Open Slack's email about it and confirm the address, "
            f"then try again. Please ask {ask} if there is no such email."
        )
        raise UserError("access.email_unconfirmed", sentence)
    return person.email


def _rights(rows: Sequence[Any], rules: AccessRules) -> _Rights | None:
    """Return the rights of one person, None without a role that grants any."""
    roles = [row for row in rows if row.role and row.role not in NO_ROLES]
    if not roles:
        return None
    school_roles = [role for role in roles if role.role not in CLASS_ROLES]
    # A school role that is given at the district (a 1.1 `administrator` of the district office) covers every school.
    if any(role.role in DISTRICT_ROLES or role.school_id is None for role in school_roles):
        level, school_ids = AccessLevel.DISTRICT, set()
    else:
        school_ids = {role.school_id for role in school_roles}
        level = AccessLevel.SCHOOLS if school_ids else AccessLevel.CLASSES
    role_names = {row.role.lower() for row in rows if row.role}
    return _Rights(
        name=display.full_name(rows[0].given_name, rows[0].family_name),
        level=level,
        staff_ids=tuple(dict.fromkeys(row.id for row in rows)),
        school_ids=tuple(sorted(school_ids)),
        may_edit=not rules.editor_roles or not role_names.isdisjoint(rules.editor_roles),
        may_export=not role_names.isdisjoint(rules.export_roles),
    )


def _common_rights(people: Sequence[_Rights | None]) -> _Rights | None:
    """Return no more than the narrowest rights among these people; None if one has none, or two have nothing in common."""
    known = [rights for rights in people if rights]
    if not known or len(known) < len(people):
        return None
    level = min((rights.level for rights in known), key=list(AccessLevel).index)
    narrowest, *others = (rights for rights in known if rights.level is level)
    school_ids = tuple(sorted(set(narrowest.school_ids).intersection(*(other.school_ids for other in others))))
    if others and not (school_ids or level is AccessLevel.DISTRICT):
        return None
    return replace(
        narrowest,
        staff_ids=() if others else narrowest.staff_ids,  # The classes of one are not those of another.
        school_ids=school_ids,
        may_edit=all(rights.may_edit for rights in known),
        may_export=all(rights.may_export for rights in known),
    )


def district_admin_emails(session: Session) -> Sequence[str]:
    """Return the addresses of the SIS's district administrators."""
    emails = select(Staff.email).join(StaffRole, StaffRole.staff_id == Staff.id)
    admins = emails.where(StaffRole.role.in_(DISTRICT_ROLES), Staff.active, Staff.email.is_not(None))
    return [email for email in session.scalars(admins.distinct().order_by(Staff.email)) if email]
