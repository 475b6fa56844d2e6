"""The one place where an error becomes an answer, given where the person is: under a field, in a dialog, or privately.

A `UserError` is its own sentence. Anything else is a bug: it is logged with a reference id, and the person gets the id.
"""

import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltResponse
from slack_sdk import WebClient

from bot.errors import UserError, describe_error
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block

logger = logging.getLogger(__name__)


def register(app: App) -> None:
    @app.error
    def answer(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
        sentence, field = (error.sentence, error.field) if isinstance(error, UserError) else (_bug(error, body), None)
        kind = body.get("type")
        if kind == "view_submission":
            return _json(_in_dialog(body["view"], sentence, field))
        if body.get("command"):
            return _json(_private(sentence))
        if kind in {"block_actions", "shortcut", "message_action"}:
            _beside(body, client, sentence)
        return BoltResponse(status=200)


def run_after_response(what: str, act: Callable[[], str | None]) -> str | None:
    """Do what comes after the answer has gone out; gives what `act` has to tell, or what went wrong, as a sentence for a person.

    Nothing escapes: Bolt would log the words of the error, and they may name somebody. `what` is for our own log.
    """
    try:
        return act()
    except UserError as no:
        logger.info("%s: refused by now", what)
        return no.sentence
    except Exception as fault:  # noqa: BLE001 - as above.
        return f"Something went wrong here. Please try again; if it stays, report reference {_logged(fault, what)}."


def _bug(error: Exception, body: dict[str, Any]) -> str:
    return (
        "Something went wrong here, and nothing was changed. Please try again; if it stays, report "
        f"reference {_logged(error, body.get('type', 'command'))}."
    )


def _logged(error: Exception, where: str) -> str:
    """Log what went wrong by type and place only, as the message of an error may hold a name or a number.

    Gives the reference by which it is found there.
    """
    reference = secrets.token_hex(3).upper()
    logger.error("reference %s (%s): %s", reference, where, describe_error(error))
    return reference


def _json(content: Block) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(content), headers={"Content-Type": ["application/json"]})


def _private(sentence: str) -> Block:
    return {"response_type": "ephemeral", "text": sentence, "blocks": [b.section(sentence)]}


def _in_dialog(view: dict[str, Any], sentence: str, field: str | None) -> Block:
    """Under its field, or the first one; in a dialog without fields the sentence takes the dialog's place."""
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    if inputs:
        return {"response_action": "errors", "errors": {field if field in inputs else inputs[0]: sentence}}
    return {"response_action": "update", "view": _sorry(sentence)}


def _beside(body: dict[str, Any], client: WebClient, sentence: str) -> None:
    """Next to what was pressed: over the dialog it stands in, privately under the message, or in a dialog of its own."""
    if "response_url" in body and "view" not in body:
        respond.send_response(body["response_url"], text=sentence, blocks=[b.section(sentence)], replace_original=False)
    else:
        respond.open_dialog(client, body, _sorry(sentence))


def _sorry(sentence: str) -> Block:
    return b.modal("Not done", [b.section(sentence)], callback_id="answer.sorry", metadata="{}")
