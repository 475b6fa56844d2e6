"""Turns an error into an answer where the person is: under a field, in a dialog, or privately.

A `UserError` is its own sentence. Any other error is a failure of the database or a bug: it is logged with a reference id, and
the person gets the id. Whether something was saved before is not known here, so no sentence says that nothing was changed.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient

from bot.db import failures as database_failures
from bot.errors import UserError, describe_error
from bot.slack.kit import api_errors, private_metadata, respond
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)


def register(app: App, ctx: AppContext) -> None:
    """Register the handler of errors and of unknown buttons. To be called last: Bolt tries listeners in their order."""

    @app.error
    def handle_error(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
        if isinstance(error, UserError):
            return _answer(body, client, error.sentence, error.field)
        result = api_errors.from_error(error)
        sentence = _log_and_explain(error, body.get("type", "command"), result)
        return _answer(body, client, sentence, opens_dialogs=result is None or not result.is_late_trigger)

    @app.action(re.compile(""))
    def unknown_button(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        """Messages stay in Slack for years, with the buttons of their day."""
        ack()
        with ctx.acting(client, body["user"]["id"]):
            sentence = "Nothing was done: this message is from an older version. Type /cleanup to see the current list."
            raise UserError("button.unknown", sentence)

    @app.view(re.compile(""))
    def unknown_dialog(body: dict[str, Any], client: WebClient) -> None:
        with ctx.acting(client, body["user"]["id"]):
            raise private_metadata.outdated()

    @app.shortcut(re.compile(""))
    def unknown_shortcut(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with ctx.acting(client, body["user"]["id"]):
            raise private_metadata.outdated()


def run_after_response(what: str, act: Callable[[], object]) -> str | None:
    """Run what comes after the response, and return a sentence that says what went wrong, None if nothing did.

    No error escapes: Bolt would log its message, which may name a person. `what` is for our log.
    """
    try:
        act()
    except UserError as problem:
        logger.info("%s: %s", what, problem.code)
        return problem.sentence
    except Exception as error:  # noqa: BLE001 - as above.
        return _log_and_explain(error, what, api_errors.from_error(error))
    return None


def _log_and_explain(error: Exception, where: str, result: Result[Any] | None) -> str:
    """Log an error by type and place only, as its message may hold a name or a number; return the sentence with its reference id.

    `result` is set if the error is an answer of Slack's.
    """
    reference = secrets.token_hex(3).upper()
    failure = None if result else database_failures.explain(error)
    code = f"Slack answered {result.error}; " if result else f"{failure.code}: " if failure else ""
    logger.error("reference %s (%s): %s%s", reference, where, code, describe_error(error))
    if result:
        return _about_slack(result, reference)
    if failure:
        return f"{failure.sentence} If it happens again, report reference {reference}."
    return (
        "Something went wrong. If you were saving something, check whether it was saved before you try again; if it happens "
        f"again, report reference {reference}."
    )


def _about_slack(result: Result[Any], reference: str) -> str:
    """Say what a person can do about an answer of Slack's; without a word on what was changed, as Slack may be asked after that."""
    if result.outcome is Outcome.OURS:
        return (
            "Slack does not let Contact Cleanup do this at the moment. Please tell the person who runs it: "
            f"{result.advice} Reference {reference}."
        )
    return f"Slack did not accept this. {result.advice} If it happens again, report reference {reference}."


def _answer(
    body: dict[str, Any], client: WebClient, sentence: str, field: str | None = None, *, opens_dialogs: bool = True
) -> BoltResponse:
    """Answer where the person is. A trigger that has opened a dialog, or was too late to, opens no other (`opens_dialogs`)."""
    kind = body.get("type")
    if kind == "view_submission":
        return _json(_in_dialog(body["view"], sentence, field))
    if body.get("command"):
        return _json({"response_type": "ephemeral", "text": sentence, "blocks": [b.section(sentence)]})
    if kind in {"block_actions", "shortcut", "message_action"}:
        if "response_url" in body and "view" not in body:
            respond.answer(client, body, Card([b.section(sentence)], sentence))
        elif not (opens_dialogs and _try_to_open(client, body, sentence)):
            respond.send_direct_message(client, body["user"]["id"], sentence)
    return BoltResponse(status=200)


def _try_to_open(client: WebClient, body: dict[str, Any], sentence: str) -> bool:
    result = api_errors.call(lambda: respond.open_dialog(client, body, _error_dialog(sentence)))
    if result.outcome is not Outcome.DONE:
        logger.warning("the answer could not be opened as a dialog: %s", result.error)
    return result.outcome is Outcome.DONE


def _in_dialog(view: dict[str, Any], sentence: str, field: str | None) -> Block:
    """Show it under its field, or the first one; in a dialog without inputs it takes the dialog's place."""
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    if inputs:
        return {"response_action": "errors", "errors": {field if field in inputs else inputs[0]: b.as_plain(sentence)}}
    return {"response_action": "update", "view": _error_dialog(sentence)}


def _error_dialog(sentence: str) -> Block:
    return b.modal("Not done", [b.section(sentence)], callback_id="answer.sorry", metadata="{}")


def _json(content: Block) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(content), headers={"Content-Type": ["application/json"]})
