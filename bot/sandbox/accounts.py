"""The district's people and channels get their places in the little Slack, and Slack is told where the app is."""

import secrets

from bot.cli import manifest
from bot.sandbox import district
from bot.sandbox.district import District, staff
from bot.sandbox.slack.deliver import OverHttp
from bot.sandbox.slack.workspace import Workspace

_PARTNER_TEAM = "T0SUNRISE"


def workspace(made: District, *, app_url: str, web_api_url: str, time_zone: str) -> Workspace:
    """The workspace with the app installed as the manifest asks; its token and signing secret are new each time."""
    slack = Workspace(
        manifest.read(),
        name=staff.DISTRICT_NAME,
        bot_token=f"xoxb-{secrets.token_hex(12)}",
        signing_secret=secrets.token_hex(16),
        base_url=web_api_url,
    )
    for one in district.slack_people(made):
        slack.add_user(
            one.name,
            user_id=one.user_id,
            email=one.email,
            title=one.title,
            guest=one.guest,
            stranger=one.stranger,
            team_id=_PARTNER_TEAM if one.stranger else slack.team_id,
            tz=time_zone,
        )
    for room in district.slack_channels(made):
        slack.add_channel(
            room.name,
            channel_id=room.channel_id,
            members=room.members,
            with_bot=room.with_bot,
            private=room.private,
            shared=room.shared,
        )
    slack.connect(OverHttp(app_url))
    return slack
