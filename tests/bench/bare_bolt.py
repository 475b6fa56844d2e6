"""The floor of `/cleanup`: the same web server with a Bolt app that answers at once: `python bare_bolt.py BLOCKS` (see serving.py)."""

import sys

import uvicorn
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.db.engine import build_engine
from bot.settings import Settings
from bot.web import server


def main(blocks):
    settings = Settings(_env_file=None)
    bolt = App(
        authorize=lambda enterprise_id, team_id: AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-1"
        ),
        process_before_response=True,
        request_verification_enabled=False,
    )
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "One student on the list, as long as such a row is. " * 5},
    }

    @bolt.command("/cleanup")
    def cleanup(ack):
        ack(text="The list", blocks=[section] * blocks, response_type="ephemeral")

    uvicorn.run(
        server.create_web_app(settings, build_engine(settings.database_url.get_secret_value()), bolt),
        port=settings.port,
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
