"""`cleanup-bot who EMAIL`: what a person may see and why, or why not. IT is asked that every week."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bot.access import identity, rights
from bot.access.identity import AccessRules, SlackIdentity
from bot.access.rights import AccessLevel, Actor
from bot.app import slack_client
from bot.cli.database import open_database
from bot.db.models.roster import ClassTeacher, School, Staff, StaffRole, Student
from bot.db.session import transaction
from bot.domain.display import full_name, plural
from bot.errors import UserError
from bot.settings import Settings
from bot.slack.kit import api_errors, users


def explain_person(email: str) -> Iterator[str]:
    """Yield the lines of the answer.

    Raises:
        UserError: the database or Slack could not be asked.
    """
    config, engine = open_database()
    address = email.strip().lower()
    person, sentence = _in_slack(config, engine, address)
    yield f"Slack: {sentence}"
    with transaction(engine) as session:
        yield from _explain(session, config, address, person)


def _in_slack(config: Settings, engine: Engine, email: str) -> tuple[SlackIdentity | None, str]:
    """Return the Slack account with this address, if there is one, and what Slack says."""
    if config.slack_bot_token is None:
        sentence = "not asked, as SLACK_BOT_TOKEN is not set. What follows is for a full member with this address."
        return SlackIdentity("unknown", email, full_member=True), sentence
    client = slack_client(config)
    found = api_errors.call(lambda: client.users_lookupByEmail(email=email))
    if found.error == "users_not_found":
        return None, "no account here has that address. Compare it with the profile in Slack."
    if found.answer is None:
        raise UserError("who.slack", f"Slack could not be asked ({found.error}). {found.advice}")
    user_id = str(found.answer["user"]["id"])
    person = users.fetch_user(engine, client, user_id, now=datetime.now(UTC))
    if not person.full_member:
        return person, f"{user_id} is a guest, a bot, deactivated, or of another workspace."
    if not person.email_confirmed:
        return person, f"{user_id} is a full member, but has not confirmed the address."
    return person, f"{user_id} is a full member with that address."


def _explain(session: Session, config: Settings, email: str, person: SlackIdentity | None) -> Iterator[str]:
    records = session.scalars(select(Staff).where(Staff.email == email).order_by(Staff.id)).all()
    if not records:
        yield "SIS: no staff record has that address. It is compared with the email of users.csv, or of the user in OneRoster."
    for record in records:
        yield _describe_record(session, record)
    if email in config.admin_emails:
        yield "Settings: the address is one of ADMIN_EMAILS, and sees every student."
    if person is None:
        yield "May see: nothing, until there is a Slack account with that address."
        return
    rules = AccessRules(config.admin_emails, config.editor_roles, config.export_roles)
    today = datetime.now(config.zone).date()
    try:
        actor = identity.load_actor(session, person, rules=rules, today=today)
    except UserError as refused:
        yield f"May see: nothing. In Slack they read: {refused.sentence}"
        return
    yield from _describe_rights(session, actor)


def _describe_record(session: Session, record: Staff) -> str:
    roles = session.execute(
        select(StaffRole.role, School.name)
        .outerjoin(School, School.id == StaffRole.school_id)
        .where(StaffRole.staff_id == record.id)
        .order_by(StaffRole.role, School.name)
    )
    named = [f"{role} at {school}" if school else f"{role} of the district" for role, school in roles]
    today = func.current_date()
    classes = session.scalar(
        select(func.count(ClassTeacher.class_id.distinct())).where(
            ClassTeacher.staff_id == record.id, rights.is_current(ClassTeacher, today)
        )
    )
    state = "" if record.active else ", who has left"
    name = full_name(record.given_name, record.family_name)
    taught = plural(classes or 0, "class", "classes")
    return f"SIS: {name} ({record.sourced_id}){state}: {', '.join(named) or 'no role'}; teaches {taught} now."


def _describe_rights(session: Session, actor: Actor) -> Iterator[str]:
    students = session.scalar(select(func.count()).select_from(rights.visible_students(actor).subquery())) or 0
    if actor.level is AccessLevel.DISTRICT:
        scope = "of the district"
    elif actor.level is AccessLevel.SCHOOLS:
        names = session.scalars(select(School.name).where(School.id.in_(actor.school_ids)).order_by(School.name)).all()
        scope = f"of {', '.join(names)}, and of their own classes"
    else:
        scope = "of their own classes"
    yield f"May see: {plural(students, 'student')} {scope}."
    if not students:
        all_students = session.scalar(select(func.count()).select_from(Student).where(Student.active)) or 0
        yield f"The roster has {plural(all_students, 'student')}. If theirs are missing, look at the enrollments of the last sync."
    yield f"May change contacts: {_yes(actor.may_edit)} (EDITOR_ROLES)."
    yield f"May download full numbers: {_yes(actor.may_export)} (EXPORT_ROLES)."


def _yes(answer: bool) -> str:  # noqa: FBT001 - it reads as a word.
    return "yes" if answer else "no"
