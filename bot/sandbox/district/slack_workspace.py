"""The district's Slack: the accounts of its staff and the channels that they share. Slack identifies people by email only; they
have access because the SIS has the same email.
"""

import secrets

from bot.sandbox.district import schools
from bot.sandbox.district.maplewood import District
from bot.sandbox.district.schools import Staff
from bot.sandbox.slack.delivery import OverHttp
from bot.sandbox.slack.models import Json
from bot.sandbox.slack.workspace import Workspace

CLERK = "UCLARA"
GUEST = "UGUS"
STRANGER = "UOLIVIA"
FAMILY_TEXTS = "CFAMILYTEXTS"

# Family names.
_TEACHERS_WITH_SLACK = ("García", "Brown", "O'Brien", "Nguyễn", "Johnson", "van der Berg", "Yusuf")


def create(district: District, manifest: Json, *, app_url: str, web_api_url: str, time_zone: str) -> Workspace:
    """The workspace with the app installed as the manifest says; its token and signing secret are new each time."""
    slack = Workspace(
        manifest,
        name=schools.DISTRICT_NAME,
        bot_token=f"xoxb-{secrets.token_hex(12)}",
        signing_secret=secrets.token_hex(16),
        base_url=web_api_url,
    )
    for staff in _staff_with_slack(district):
        slack.add_user(staff.name, user_id=_user_id(staff), email=staff.email, title=staff.title, tz=time_zone)
    _add_outsiders(slack, time_zone)
    _add_channels(slack, district)
    slack.connect(OverHttp(app_url))
    return slack


def _staff_with_slack(district: District) -> list[Staff]:
    """The clerk of Lincoln Elementary first, then teachers and the rest of the office."""
    teachers = {school_class.teacher.family: school_class.teacher for school_class in district.classes}
    return [district.office[0], *(teachers[family] for family in _TEACHERS_WITH_SLACK), *district.office[1:]]


def _user_id(staff: Staff) -> str:
    """The same at every start, so that a reloaded page keeps its place."""
    return "U" + staff.email.partition(".")[0].upper()


def _add_outsiders(slack: Workspace, time_zone: str) -> None:
    """A guest and a stranger; the SIS has neither."""
    slack.add_user(
        "Gus Petersen",
        user_id=GUEST,
        email="gus@maplewood-photo.example",
        title="School photographer (guest)",
        guest=True,
        tz=time_zone,
    )
    slack.add_user(
        "Olivia Stone",
        user_id=STRANGER,
        email="olivia@sunrise-afterschool.example",
        title="Sunrise After-School (another company)",
        stranger=True,
        team_id="T0SUNRISE",
        tz=time_zone,
    )


def _add_channels(slack: Workspace, district: District) -> None:
    """#family-texts and #lincoln-office have the app, #general has not; #partners is shared with another company."""
    staff = _staff_with_slack(district)
    everyone = [_user_id(member) for member in staff]
    at_lincoln = [_user_id(member) for member in staff if schools.LINCOLN.name in member.title]
    at_washington = [_user_id(member) for member in staff if schools.WASHINGTON.name in member.title]
    slack.add_channel("family-texts", channel_id=FAMILY_TEXTS, members=everyone, with_bot=True)
    slack.add_channel("general", channel_id="CGENERAL", members=[*everyone, GUEST])
    slack.add_channel("lincoln-office", channel_id="CLINCOLN", members=at_lincoln, with_bot=True, private=True)
    partners = [CLERK, *at_washington, STRANGER]
    slack.add_channel("partners", channel_id="CPARTNERS", members=partners, with_bot=True, shared=True)
