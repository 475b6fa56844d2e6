"""Every door of the bot as a table: what somebody has on the screen before it, and what they do there.

A door is a pair `(arrive, enter)`, both given a person and the `Scene`.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import text
from support import edits, people

from bot.access import Reach
from bot.db.models.messages import MassMessage
from bot.db.models.roster import SyncRun
from bot.digests.posts import enqueue_digests
from bot.digests.subscriptions import subscribe_channel
from bot.sandbox.slack import posting, screens
from bot.slack import pending
from bot.slack.kit import blocks as b
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice

WHOM_TO_ASK = "Please ask data@district.example"
NOT_YOURS = "not on your list any more"

SECRETS = ["Rivera", "Sam ", "Maria", "Otto", "Pablo", "Youngman", "•••", "312555", "555-7"]
"""What only those may read who may see the students of the scene."""


@dataclass(frozen=True)
class Scene:
    """Ids of Sam Rivera and of what each button is for: Maria's edit in force, Otto's disputed one, Pablo's removal; and
    of a sync that the brake stopped."""

    sam: int
    maria: int
    edit: int
    disputed: int
    removal: int
    lars: int
    run: int
    channel: str


def set_up(session, office):
    """Sam in Ana's homeroom with eleven classmates, one of them a sibling, so that the list of grade 5 has two pages; Una Rivera, who is not on it;
    a digest in the channel."""
    lincoln = office.district.lincoln
    clara = replace(people.acting(office.district.clara, reach=Reach.SCHOOLS, at=(lincoln,)), user_id=office.clara.id)
    sam = people.student(session, at=lincoln)
    mates = _classmates(session, lincoln)
    una = people.student(session, "Una", at=lincoln)
    people.contact(session, una)
    people.school_class(session, office.district.ana, lincoln, sam, una, *mates)
    maria = people.listed(session, people.contact(session, sam, mates[0], phone="+13125557342"))
    otto, pablo = (people.contact(session, sam, given=name, priority=2) for name in ("Otto", "Pablo"))
    lars = people.listed(
        session, people.contact(session, sam, given="Lars", priority=3, phone="+13125557904"), "landline"
    )
    people.contact(session, sam, given="Lars", priority=4, phone="+13125557905")
    edit = edits.change(session, maria, phone="+13125557901", actor=clara).edit_ids[0]
    disputed = edits.change(session, otto, phone="+13125557902", actor=clara).edit_ids[0]
    edits.sis_says(session, otto, "+13125557903")
    removal = edits.remove(session, pablo, sam, actor=clara).id
    run = SyncRun(source="export", started_at=office.now(), finished_at=office.now(), state="braked")
    session.add(run)
    _a_digest(session, office)
    return Scene(sam.id, maria.id, edit, disputed, removal, lars.id, run.id, office.channel)


def _classmates(session, at):
    mates = [people.student(session, f"Kim{number}", "Youngman", at=at) for number in range(11)]
    for one in mates:
        people.listed(session, people.contact(session, one, family="Youngman"))
        people.contact(session, one, family="Youngman")
    return mates


def _a_digest(session, office):
    at = office.now() - timedelta(minutes=5)
    subscribe_channel(session, office.channel, actor=office.clara.id, now=at)
    session.add(MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at, learned_at=at))
    session.flush()
    enqueue_digests(session, "early", now=at)
    session.commit()
    assert office.tick().failed == ()


def _nothing(_person, _scene):
    """Some doors need no screen."""


def _list(person, _scene):
    assert person.command("/cleanup", "grade 5 blokced").ok


def _unlisted(person, _scene):
    assert person.command("/cleanup", "una").ok


def _misspelt(person, _scene):
    assert person.command("/cleanup", "hlep").ok


def _pending_changes(person, _scene):
    assert person.command("/cleanup", "pending").ok


def _block(seen, words):
    """The id of the block that says so."""
    return next(block["block_id"] for block in seen.blocks if words in str(block))


def _home(person, _scene):
    assert person.open_home().ok


def _student(person, _scene):
    message = person.command("/cleanup", "grade 5 sam").message
    assert person.press(message, action_id="student.open").ok


def _list_dialog(person, _scene):
    assert person.shortcut("list.open").ok


def _bulk(person, scene):
    _list(person, scene)
    assert person.press(person.last(), action_id="list.bulk").ok


def _switched(person):
    """Everybody in the dialog gets autocalls."""
    options = person.view.body["blocks"][0]["element"]["options"]
    return {"who": [one["value"] for one in options], "what": "call"}


def _download(person, scene):
    _list(person, scene)
    assert person.press(person.last(), action_id="list.download").ok


def _edit(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="contact.edit", value=str(scene.maria)).ok


def _remove(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="contact.remove", value=str(scene.maria)).ok


def _spoken_stop(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="contact.spoken_stop", value=str(scene.maria)).ok


def _taken(person, scene):
    _student(person, scene)
    assert person.press(person.view, action_id="claim.take", value=str(scene.lars)).ok


def _told(*buttons):
    """A direct message of ours with these buttons: what each is for, and its value, made from the scene."""

    def arrive(person, scene):
        made = [b.button(action_id, action_id, value(scene)) for action_id, value in buttons]
        content = {"text": "…", "blocks": b.actions(made), "by_app": True}
        posting.post(person.slack, person.dm, user=person.slack.bot_user_id, **content)

    return arrive


def _press_told(action_id):
    return lambda one, _: one.press(one.last(), action_id=action_id)


def _of_dispute(scene):
    return f"{scene.disputed} {scene.run}"


def _of_run(scene):
    return str(scene.run)


_disputed = _told((edits_notice.KEEP_OURS, _of_dispute), (edits_notice.TAKE_SIS, _of_dispute))
_braked = _told((sync_notice.GO_ON, _of_run), (sync_notice.REFUSE, _of_run))
_pending = _told((pending.SHEET, lambda _: "all"), (pending.POWERSCHOOL, lambda _: "all"))


def _press(action_id, which):
    return lambda one, scene: one.press(one.view, action_id=action_id, value=str(getattr(scene, which)))


def _more(scene):
    return {"action_id": "contact.more", "block_id": f"contact.{scene.maria}"}


def _fix(seen, scene):
    """The value of Sam's button on a list."""
    values = [block.get("accessory", {}).get("value", "") for block in seen.blocks]
    return next(value for value in values if value.startswith(f"{scene.sam} "))


OF_LISTS = {
    "command": (_nothing, lambda one, _: one.command("/cleanup", "grade 5")),
    "home tab": (_nothing, lambda one, _: one.open_home()),
    "command, of somebody not on the list": (_nothing, lambda one, _: one.command("/cleanup", "una")),
    "pending": (_nothing, lambda one, _: one.command("/cleanup", "pending")),
    "menu": (_list, lambda one, _: one.choose(one.last(), "All red", action_id="list.show.status")),
    "next page": (_list, lambda one, _: one.press(one.last(), action_id="list.show.next")),
    "did you mean": (_list, lambda one, _: one.press(one.last(), action_id="list.show.suggestion.0")),
    "menu at home": (_home, lambda one, _: one.choose(one.home, "All red", action_id="list.show.status")),
    "several at once": (_list, lambda one, _: one.press(one.last(), action_id="list.bulk")),
    "shortcut": (_nothing, lambda one, _: one.shortcut("list.open")),
    "menu in a dialog": (_list_dialog, lambda one, _: one.choose(one.view, "All red", action_id="list.show.status")),
    "who is affected": (
        _nothing,
        lambda one, scene: one.message_shortcut("digest.who_is_affected", one.last(scene.channel)),
    ),
    "show my list": (_nothing, lambda one, scene: one.press(one.last(scene.channel), action_id="digest.show_mine")),
}
OF_NOBODY = {
    "forecast": (_nothing, lambda one, _: one.command("/cleanup", "forecast grade 5")),
    "download": (_list, lambda one, _: one.press(one.last(), action_id="list.download")),
    "download, asked for": (_download, lambda one, _: one.fill(one.view, {"form": "csv"}).submit()),
    "help": (_nothing, lambda one, _: one.command("/cleanup", "help")),
    "button of an older version": (_told(("list.of_old", lambda _: "1")), _press_told("list.of_old")),
    "help at home": (_home, lambda one, _: one.press(one.home, action_id="home.help")),
    "did you mean a command": (_misspelt, lambda one, _: one.press(one.last(), text="/cleanup help")),
    "subscribe": (_nothing, lambda one, scene: one.command("/cleanup", "subscribe", channel=scene.channel)),
    "unsubscribe": (_nothing, lambda one, scene: one.command("/cleanup", "unsubscribe", channel=scene.channel)),
}
OF_A_STUDENT = {
    "open somebody not on the list": (_unlisted, lambda one, _: one.press(one.last(), action_id="student.open")),
    "open a pending change": (
        _pending_changes,
        lambda one, _: one.press(one.last(), block_id=_block(one.last(), "Otto")),
    ),
    "fix": (_list, lambda one, scene: one.press(one.last(), value=_fix(one.last(), scene))),
    "fix at home": (_home, lambda one, scene: one.press(one.home, value=_fix(one.home, scene), text="Fix…")),
    "edit": (_student, _press("contact.edit", "maria")),
    "save": (_edit, lambda one, _: one.fill(one.view, {"phone": "(312) 555-7177", "method": "call"}).submit()),
    "remove": (_student, _press("contact.remove", "maria")),
    "remove, confirmed": (_remove, lambda one, _: one.fill(one.view, {"reason": "asked"}).submit()),
    "told us to stop": (_student, _press("contact.spoken_stop", "maria")),
    "told us to stop, recorded": (_spoken_stop, lambda one, _: one.fill(one.view, {}).submit()),
    "several at once, changed": (_bulk, lambda one, _: one.fill(one.view, _switched(one)).submit()),
    "show number": (_student, lambda one, scene: one.choose(one.view, f"number {scene.maria}", **_more(scene))),
    "sibling": (_student, lambda one, _: one.press(one.view, action_id="student.open_sibling.0")),
    "history": (_student, lambda one, scene: one.choose(one.view, f"history {scene.maria}", **_more(scene))),
    "take it": (_student, _press("claim.take", "lars")),
    "free it again": (_taken, _press("claim.free", "lars")),
    "use the suggested number": (
        _student,
        lambda one, _: one.press(one.view, action_id="suggestion.use"),
    ),
    "switch to autocall": (_student, lambda one, _: one.press(one.view, action_id="method.switch_to_call")),
    "undo edit": (_student, _press("edit.undo", "edit")),
    "undo removal": (_student, _press("removal.undo", "removal")),
    "keep ours": (_student, _press("conflict.keep_ours", "disputed")),
    "take the SIS's": (_student, _press("conflict.take_sis", "disputed")),
    "keep ours, in a message": (_disputed, _press_told(edits_notice.KEEP_OURS)),
    "take the SIS's, in a message": (_disputed, _press_told(edits_notice.TAKE_SIS)),
}
ALL = OF_LISTS | OF_NOBODY | OF_A_STUDENT
OF_THE_DISTRICT = {
    "go on with a sync": (_braked, _press_told(sync_notice.GO_ON)),
    "leave a sync": (_braked, _press_told(sync_notice.REFUSE)),
}
OF_EXPORTERS = {
    "change sheet": (_pending, _press_told(pending.SHEET)),
    "PowerSchool's file": (_pending, _press_told(pending.POWERSCHOOL)),
}
EVERY = ALL | OF_THE_DISTRICT | OF_EXPORTERS
NAMES_NOBODY = {*OF_NOBODY, "keep ours, in a message", "take the SIS's, in a message"}
LOOKING_ONLY = {
    *OF_LISTS,
    "history",
    "sibling",
    "forecast",
    "download",
    "help",
    "help at home",
    "button of an older version",
    "did you mean a command",
    "subscribe",
    "open somebody not on the list",
    "open a pending change",
    "fix",
    "fix at home",
    "remove",
    "told us to stop",
}
"""The doors behind which nothing changes: the channel is subscribed already, and two dialogs only ask."""


def copy_screen(slack, *, of, to):
    """Let somebody stand before what another has on the screen, with the same buttons in it."""
    for message in of.messages():
        content = {"text": message.text, "blocks": message.blocks, "by_app": True, "ephemeral_for": to.id}
        posting.post(slack, to.dm, user=message.user, **content)
    for view in of.views:
        screens.show(slack, to.id, view.body)
    if of.id in slack.homes:
        screens.publish(slack, to.id, of.home.body)


@dataclass(frozen=True)
class Knocked:
    """What came of it: all that the bot sent meanwhile, in which ways, and the tables that changed."""

    sent: str
    methods: frozenset[str]
    changed: frozenset[str]

    @property
    def told(self):
        return [secret for secret in SECRETS if secret in self.sent]

    @property
    def is_harmless(self):
        return not self.told and not self.changed and not self.methods & {"chat.postMessage", "chat.update"}


def knock(office, session, act):
    """Do something as a person, wait until the bot is done with it, and see what came of it."""
    office.settled()
    before, calls, answers = _tables(session), len(office.slack.calls), len(office.slack.answers)
    assert act().error is None
    office.settled()
    after, new = _tables(session), office.slack.calls[calls:]
    bodies = [json.loads(one.body) for one in office.slack.answers[answers:] if one.body]
    sent = [json.dumps(one, ensure_ascii=False) for one in (*(call.arguments for call in new), *bodies)]
    changed = frozenset(table for table, rows in after.items() if rows != before[table])
    return Knocked("\n".join(sent), frozenset(call.method for call in new), changed)


def _tables(session):
    session.rollback()
    names = [
        "edits",
        "removals",
        "audit",
        "contacts",
        "cleanup_list",
        "subscriptions",
        "student_contacts",
        "open_lists",
        "downloads",
        "sync_runs",
    ]
    return {name: sorted(session.scalars(text(f"SELECT CAST(t AS text) FROM {name} t"))) for name in names}
