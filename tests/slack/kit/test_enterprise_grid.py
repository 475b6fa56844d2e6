"""Enterprise Grid: an organization installed the bot, people have ids with a W, and no request names a workspace."""

import pytest
from support import surfaces
from support.surfaces import ASK_ADMIN, NOT_ON_YOUR_LIST

from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person

pytestmark = pytest.mark.parametrize("organization", ["E0RIVERBEND"])


@pytest.fixture
def scene(session, office):
    return surfaces.set_up(session, office)


@pytest.mark.parametrize("entry", surfaces.STAFF)
def test_every_entry_point_works_as_in_a_single_workspace(office, scene, session, entry):
    surfaces.STAFF[entry].prepare(office.clara, scene)
    effects = surfaces.observe(office, session, lambda: surfaces.STAFF[entry].act(office.clara, scene))
    assert ASK_ADMIN not in effects.sent
    assert NOT_ON_YOUR_LIST not in effects.sent
    if entry not in surfaces.DEPENDS_ON_THE_MESSAGE:
        assert bool(effects.secrets) == (entry not in surfaces.SHOWS_NO_STUDENT)
    assert bool(effects.changed - {"open_lists", "downloads"}) == (entry not in surfaces.READ_ONLY)


@pytest.mark.parametrize("traits", [{"stranger": True}, {"team_id": "T0ELSEWHERE"}])
def test_user_of_another_organization_is_told_whom_to_ask(office, scene, traits):
    user = office.slack.add_user("Xenia", user_id="WXENIA", email=office.district.dana.email, **traits)
    assert ASK_ADMIN in text_of(Person(office.slack, user.id).command("/cleanup").message)


def test_mention_with_an_id_of_the_organization_is_understood(office, scene):
    assert text_of(office.clara.command("/cleanup", "@Ana").message).startswith("Teacher Ana García\n")


def test_colleague_is_mentioned_by_the_id_of_the_organization(office, scene):
    for person in (office.clara, office.ana):
        surfaces.open_edit(person, scene)
    office.ana.fill(office.ana.view, {"phone": "(312) 555-7150"}).submit()
    office.clara.fill(office.clara.view, {"phone": "(312) 555-7160"}).submit()
    assert "<@WANA> changed this contact while you were editing" in text_of(office.clara.view)
    office.clara.close()
    surfaces.choose_more("history")(office.clara, scene)
    assert "<@WANA>" in str(office.clara.view.body)
