"""Enterprise Grid: an organisation installed the bot, people have ids with a W, and no request names a workspace."""

import pytest
from support import surfaces as doors
from support.surfaces import ALL, LOOKING_ONLY, NAMES_NOBODY, NOT_YOURS, WHOM_TO_ASK, _edit, knock

from bot.sandbox.slack.reading import text_of

pytestmark = pytest.mark.parametrize("organisation", ["E0RIVERBEND"])


@pytest.fixture
def scene(session, office):
    return doors.set_up(session, office)


@pytest.mark.parametrize("door", ALL)
def test_every_door_opens_as_in_a_workspace_of_its_own(office, scene, session, door):
    arrive, enter = ALL[door]
    arrive(office.clara, scene)
    opened = knock(office, session, lambda: enter(office.clara, scene))
    assert WHOM_TO_ASK not in opened.sent
    assert NOT_YOURS not in opened.sent
    assert bool(opened.told) == (door not in NAMES_NOBODY)
    assert bool(opened.changed - {"open_lists", "downloads"}) == (door not in LOOKING_ONLY)


@pytest.mark.parametrize("stranger", [{"stranger": True}, {"team_id": "T0ELSEWHERE"}])
def test_somebody_of_another_organisation_is_told_whom_to_ask(office, scene, stranger):
    user = office.slack.add_user("Xenia", user_id="WXENIA", email=office.district.dana.email, **stranger)
    assert WHOM_TO_ASK in text_of(office.slack.person(user.id).command("/cleanup").message)


def test_a_colleague_with_an_id_of_the_organisation_is_meant_by_a_mention(office, scene):
    assert "Teacher Ana García" in text_of(office.clara.command("/cleanup", "@Ana").message)


def test_who_changed_a_contact_is_named_by_that_id(office, scene):
    for one in (office.clara, office.ana):
        _edit(one, scene)
    office.ana.fill(office.ana.view, {"phone": "(312) 555-7150"}).submit()
    office.clara.fill(office.clara.view, {"phone": "(312) 555-7160"}).submit()
    assert "<@WANA> changed this contact while you were editing" in text_of(office.clara.view)
    office.clara.close()
    office.clara.choose(
        office.clara.view, f"history {scene.maria}", action_id="contact.more", block_id=f"contact.{scene.maria}"
    )
    assert "<@WANA>" in str(office.clara.view.body)
