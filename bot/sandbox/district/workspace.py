"""The district's Slack: who has an account there and which channels they share.

Slack knows people by e-mail only; that the same e-mail stands in the SIS is what gives them rights.
"""

from dataclasses import dataclass

from bot.sandbox.district.staff import LINCOLN, WASHINGTON, SchoolClass, Staff

_TEACHERS_WITH_SLACK = ("García", "Brown", "O'Brien", "Nguyễn", "Johnson", "van der Berg", "Yusuf")


@dataclass(frozen=True)
class SlackUser:
    """An account. A guest and a stranger are not in the SIS."""

    user_id: str
    name: str
    email: str
    title: str
    guest: bool = False
    stranger: bool = False


@dataclass(frozen=True)
class SlackChannel:
    """`members` are user ids; `shared` means that people from outside the district are in it."""

    channel_id: str
    name: str
    members: tuple[str, ...]
    with_bot: bool = False
    private: bool = False
    shared: bool = False


_GUEST = SlackUser("UGUS", "Gus Petersen", "gus@maplewood-photo.example", "School photographer (guest)", guest=True)
_STRANGER = SlackUser(
    "UOLIVIA",
    "Olivia Stone",
    "olivia@sunrise-afterschool.example",
    "Sunrise After-School (another company)",
    stranger=True,
)

CLERK = "UCLARA"
FAMILY_TEXTS = "CFAMILYTEXTS"


def users(office: tuple[Staff, ...], classes: list[SchoolClass]) -> tuple[SlackUser, ...]:
    """Everybody with an account, the clerk of Lincoln Elementary first."""
    teachers = {one.teacher.family: one.teacher for one in classes}
    staff = (office[0], *(teachers[family] for family in _TEACHERS_WITH_SLACK), *office[1:])
    return (*map(_account, staff), _GUEST, _STRANGER)


def _account(one: Staff) -> SlackUser:
    return SlackUser(_user_id(one), one.name, one.email, one.title)


def _user_id(one: Staff) -> str:
    """The same at every start, so that a page that is reloaded keeps its place."""
    return "U" + one.email.partition(".")[0].upper()


def channels(office: tuple[Staff, ...], classes: list[SchoolClass]) -> tuple[SlackChannel, ...]:
    """#family-texts and #lincoln-office have the bot, #general does not; a partner shares #partners."""
    accounts = users(office, classes)
    staff = tuple(one.user_id for one in accounts if not (one.guest or one.stranger))
    at_lincoln = tuple(one.user_id for one in accounts if LINCOLN.name in one.title)
    at_washington = tuple(one.user_id for one in accounts if WASHINGTON.name in one.title)
    return (
        SlackChannel(FAMILY_TEXTS, "family-texts", staff, with_bot=True),
        SlackChannel("CGENERAL", "general", (*staff, _GUEST.user_id)),
        SlackChannel("CLINCOLN", "lincoln-office", at_lincoln, with_bot=True, private=True),
        SlackChannel("CPARTNERS", "partners", (CLERK, *at_washington, _STRANGER.user_id), with_bot=True, shared=True),
    )
