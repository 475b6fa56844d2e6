"""Every door, and everybody who must not come in: a polite no, nothing about the student in it, nothing changed.

Whoever never had rights stands here before a copy of Clara's screen, with her buttons in it, and presses them.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import edits
import people
import pytest
from sqlalchemy import delete, text, update

from bot import digests, models
from bot.access import Reach
from bot.sandbox.slack import posting, screens

SECRETS = ["Rivera", "Sam ", "Maria", "Otto", "Pablo", "Youngman", "•••", "312555", "555-7"]
WHOM_TO_ASK = "Please ask data@district.example"
NOT_YOURS = "not on your list any more"
NEW_NUMBER = "(312) 555-7177"


@dataclass(frozen=True)
class Scene:
    """Sam Rivera with a contact for each button: Maria's number was edited, Otto's edit is disputed, Pablo was removed."""

    sam: int
    maria: int
    edit: int
    disputed: int
    removal: int
    channel: str


@pytest.fixture
def scene(session, office):
    """Sam in Ana's homeroom with eleven classmates, so that the list of grade 5 has two pages; a digest in the channel."""
    lincoln, ana = office.district.lincoln, office.district.ana
    clara = replace(people.acting(office.district.clara, reach=Reach.SCHOOLS, at=(lincoln,)), user_id=office.clara.id)
    sam = people.student(session, at=lincoln)
    mates = [people.student(session, f"Kim{number}", "Youngman", at=lincoln) for number in range(11)]
    for one in mates:
        people.listed(session, people.contact(session, one, family="Youngman"))
        people.contact(session, one, family="Youngman")
    people.school_class(session, ana, lincoln, sam, *mates)
    maria = people.listed(session, people.contact(session, sam, phone="+13125557342"))
    otto, pablo = (people.contact(session, sam, given=name, priority=2) for name in ("Otto", "Pablo"))
    edit = edits.change(session, maria, phone="+13125557901", actor=clara).edit_ids[0]
    disputed = edits.change(session, otto, phone="+13125557902", actor=clara).edit_ids[0]
    edits.sis_says(session, otto, "+13125557903")
    removal = edits.remove(session, pablo, sam, actor=clara).id
    digests.subscribe(session, office.channel, actor=office.clara.id, now=office.now())
    _settled_message(session, office.now() - timedelta(minutes=5))
    session.commit()
    assert office.tick().failed == ()
    return Scene(sam.id, maria.id, edit, disputed, removal, office.channel)


def _settled_message(session, at):
    session.add(models.MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at, learned_at=at))
    session.flush()
    digests.enqueue(session, "early", now=at)


# What a person has on the screen before the door.


def _nothing(person, scene):
    """Some doors need no screen."""


def _list(person, scene):
    assert person.command("/cleanup", "grade 5 blokced").ok


def _home(person, scene):
    assert person.open_home().ok


def _student(person, scene):
    message = person.command("/cleanup", "grade 5 sam").message
    assert person.press(message, action_id="student.open").ok
    assert "Sam Rivera" in person.view.body["title"]["text"]


def _edit(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="contact.edit", value=str(scene.maria)).ok
    assert person.view.body["callback_id"] == "contact.save"


def _remove(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="contact.remove", value=str(scene.maria)).ok
    assert person.view.body["callback_id"] == "contact.remove_confirmed"


# The doors: what somebody has on the screen, and what they do there. The doors of one student are a table of their own.

LIST_DOORS = {
    "command": (_nothing, lambda one, scene: one.command("/cleanup", "grade 5")),
    "home tab": (_nothing, lambda one, scene: one.open_home()),
    "menu": (_list, lambda one, scene: one.choose(one.last(), "All red", action_id="list.show.status")),
    "next page": (_list, lambda one, scene: one.press(one.last(), action_id="list.show.next")),
    "did you mean": (_list, lambda one, scene: one.press(one.last(), action_id="list.show.suggestion.0")),
    "menu at home": (_home, lambda one, scene: one.choose(one.home, "Grade 5", action_id="list.show.grade")),
    "show my list": (_nothing, lambda one, scene: one.press(one.last(scene.channel), action_id="digest.show_mine")),
}
OFFICE_DOORS = {
    "help": (_nothing, lambda one, scene: one.command("/cleanup", "help")),
    "subscribe": (_nothing, lambda one, scene: one.command("/cleanup", "subscribe", channel=scene.channel)),
    "unsubscribe": (_nothing, lambda one, scene: one.command("/cleanup", "unsubscribe", channel=scene.channel)),
}


def _press(action_id, which):
    return lambda one, scene: one.press(one.view, action_id=action_id, value=str(getattr(scene, which)))


def _fix(seen, scene):
    """The value of Sam's button on a list."""
    values = [block.get("accessory", {}).get("value", "") for block in seen.blocks]
    return next(value for value in values if value.startswith(f"{scene.sam} "))


LOOKING_DOORS = {
    "fix": (_list, lambda one, scene: one.press(one.last(), value=_fix(one.last(), scene))),
    "fix at home": (_home, lambda one, scene: one.press(one.home, value=_fix(one.home, scene))),
}
CHANGING_DOORS = {
    "edit": (_student, _press("contact.edit", "maria")),
    "save": (_edit, lambda one, scene: one.fill(one.view, {"phone": NEW_NUMBER, "method": "call"}).submit()),
    "remove": (_student, _press("contact.remove", "maria")),
    "remove, confirmed": (_remove, lambda one, scene: one.fill(one.view, {"reason": "asked"}).submit()),
    "undo edit": (_student, _press("edit.undo", "edit")),
    "undo removal": (_student, _press("removal.undo", "removal")),
    "keep ours": (_student, _press("conflict.keep_ours", "disputed")),
    "take the SIS's": (_student, _press("conflict.take_sis", "disputed")),
}
STUDENT_DOORS = LOOKING_DOORS | CHANGING_DOORS
ALL_DOORS = LIST_DOORS | OFFICE_DOORS | STUDENT_DOORS


# Those who must not.


def _account(**traits):
    """Somebody in Slack with the address of the district's manager, which is no right by itself."""

    def joins(office, session):
        return _joins(office, email=office.district.dana.email, **traits)

    return joins


def _joins(office, **traits):
    user = office.slack.add_user("Xenia", user_id="UXENIA", **traits)
    members = office.slack.channels[office.channel].members | {user.id}
    office.slack.alter_channel(office.channel, members=members)
    return office.slack.person(user.id)


def _clerk_of_roosevelt(office, session):
    one = people.staff(session, "Rosa", "Reed", role="siteAdministrator", at=office.district.roosevelt)
    session.commit()
    return _joins(office, email=one.email)


OUTSIDERS = {
    "guest": _account(guest=True),
    "guest of one channel": _account(single_channel_guest=True),
    "stranger": _account(stranger=True),
    "bot": _account(bot=True),
    "deactivated": _account(deleted=True),
    "somebody the SIS does not know": lambda office, session: office.nora,
}
OTHERS = {
    "teacher of another class": lambda office, session: office.tom,
    "clerk of another school": _clerk_of_roosevelt,
}


def _role_taken(office, session):
    session.execute(delete(models.StaffRole).where(models.StaffRole.staff_id == office.district.clara.id))


def _left(office, session):
    session.get_one(models.Staff, office.district.clara.id).active = False


def _made_a_guest(office, session):
    office.slack.alter_user(office.clara.id, guest=True)
    office.later(minutes=11)


def _moved_to_roosevelt(office, session):
    of_clara = update(models.StaffRole).where(models.StaffRole.staff_id == office.district.clara.id)
    session.execute(of_clara.values(school_id=office.district.roosevelt.id))


def _student_left(office, session):
    session.execute(update(models.Student).values(active=False))


ENDED = {"role taken away": _role_taken, "left the district": _left, "made a guest": _made_a_guest}
MOVED = {"moved to another school": _moved_to_roosevelt, "the student left": _student_left}


@pytest.fixture
def at_the_door(office, scene, session):
    """Clara at a door; `somebody` else then stands before a copy of her screen, or her own rights end."""

    def stands(door, *, somebody=None, end=None):
        door[0](office.clara, scene)
        person = somebody(office, session) if somebody else office.clara
        if somebody:
            _copy_screen(office.slack, office.clara, person)
        else:
            end(office, session)
        session.commit()
        return _knock(office, session, lambda: door[1](person, scene))

    return stands


def _copy_screen(slack, of, to):
    for message in of.messages():
        content = {"text": message.text, "blocks": message.blocks, "by_app": True, "ephemeral_for": to.id}
        posting.post(slack, to.dm, user=message.user, **content)
    for view in of.views:
        screens.show(slack, to.id, view.body)
    if of.id in slack.homes:
        screens.publish(slack, to.id, of.home.body)


@dataclass(frozen=True)
class Knocked:
    """What came of it: all that the bot sent meanwhile, and what changed in the database."""

    sent: str
    methods: frozenset[str]
    changed: list[str]


TABLES = ("edits", "removals", "audit", "contacts", "cleanup_list", "subscriptions", "student_contacts", "open_lists")


def _knock(office, session, act):
    office.settled()
    before, calls, answers = _tables(session), len(office.slack.calls), len(office.slack.answers)
    assert act().error is None
    office.settled()
    after, new_calls = _tables(session), office.slack.calls[calls:]
    sent = [json.dumps(call.arguments, ensure_ascii=False) for call in new_calls]
    sent += [json.dumps(json.loads(one.body), ensure_ascii=False) for one in office.slack.answers[answers:] if one.body]
    changed = [table for table in TABLES if before[table] != after[table]]
    return Knocked("\n".join(sent), frozenset(call.method for call in new_calls), changed)


def _tables(session):
    session.rollback()
    return {table: session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in TABLES}


def nothing_came_out(knocked):
    told = [secret for secret in SECRETS if secret in knocked.sent]
    return (told, knocked.changed, knocked.methods & {"chat.postMessage", "chat.update"}) == ([], [], set())


@pytest.mark.parametrize("door", ALL_DOORS)
@pytest.mark.parametrize("who", OUTSIDERS)
def test_an_outsider_is_told_whom_to_ask_and_nothing_else_at_every_door(at_the_door, door, who):
    knocked = at_the_door(ALL_DOORS[door], somebody=OUTSIDERS[who])
    assert WHOM_TO_ASK in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("door", STUDENT_DOORS)
@pytest.mark.parametrize("who", OTHERS)
def test_a_student_of_others_stays_behind_every_door(at_the_door, door, who):
    knocked = at_the_door(STUDENT_DOORS[door], somebody=OTHERS[who])
    assert NOT_YOURS in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("door", LIST_DOORS)
@pytest.mark.parametrize("who", OTHERS)
def test_a_list_shows_ones_own_students_whoever_it_was_drawn_for(at_the_door, door, who):
    knocked = at_the_door(LIST_DOORS[door], somebody=OTHERS[who])
    assert "Nobody" in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("door", ALL_DOORS)
@pytest.mark.parametrize("why", ENDED)
def test_whoever_lost_their_rights_since_the_screen_was_drawn_is_an_outsider(at_the_door, door, why):
    knocked = at_the_door(ALL_DOORS[door], end=ENDED[why])
    assert WHOM_TO_ASK in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("door", STUDENT_DOORS)
@pytest.mark.parametrize("why", MOVED)
def test_a_student_who_is_not_ones_own_any_more_is_behind_the_doors_that_were_open(at_the_door, door, why):
    knocked = at_the_door(STUDENT_DOORS[door], end=MOVED[why])
    assert NOT_YOURS in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "districtAdministrator"}])
@pytest.mark.parametrize("door", [name for name in CHANGING_DOORS if CHANGING_DOORS[name][0] is _student])
def test_whoever_may_only_look_is_told_so_at_every_door_that_changes_something(office, scene, session, door):
    arrive, enter = CHANGING_DOORS[door]
    arrive(office.clara, scene)
    knocked = _knock(office, session, lambda: enter(office.clara, scene))
    assert "changing contacts is for other roles" in knocked.sent
    assert nothing_came_out(knocked)


@pytest.mark.parametrize("door", ALL_DOORS)
def test_every_door_opens_for_whoever_may(office, scene, session, door):
    """So that the tables above cannot pass because a door leads nowhere."""
    arrive, enter = ALL_DOORS[door]
    arrive(office.clara, scene)
    knocked = _knock(office, session, lambda: enter(office.clara, scene))
    assert WHOM_TO_ASK not in knocked.sent
    assert any(secret in knocked.sent for secret in SECRETS) == (door not in OFFICE_DOORS)
    assert bool(set(knocked.changed) - {"open_lists"}) == (door in CHANGING_DOORS.keys() - {"remove"} | {"unsubscribe"})
