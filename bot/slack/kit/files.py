"""Sends a file to a conversation, in Slack's three steps: get a place, send the bytes there, share it. Reads a person's file.

Only the last step shows the file to anyone. If its answer is lost, the file may be there: `withdraw` makes sure that it is not.
Each file is deleted when it is older than `KEEP_FILES`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from sqlalchemy import delete, select

from bot.db.models.slack import PostedFile
from bot.db.session import transaction
from bot.errors import UserError
from bot.slack.kit import api_errors
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

_ALREADY_GONE = {"file_not_found", "file_deleted"}


def send_file(
    ctx: AppContext,
    client: WebClient,
    channel_id: str,
    name: str,
    content: bytes,
    *,
    comment: str | None = None,
    before_sharing: Callable[[str], None] = lambda _file_id: None,
) -> None:
    """Send a file; `before_sharing` gets its id while no one can see it yet.

    Raises:
        SlackApiError: Slack refused a step.
        OSError: a step had no answer; an `HTTPError` is the answer to the bytes.
    """
    place = client.files_getUploadURLExternal(filename=name, length=len(content))
    file_id = str(place["file_id"])
    _send_bytes(client, str(place["upload_url"]), content)
    with transaction(ctx.engine) as session:
        session.add(PostedFile(file_id=file_id, posted_at=ctx.now()))
    before_sharing(file_id)
    client.files_completeUploadExternal(
        files=[{"id": file_id, "title": name}], channel_id=channel_id, initial_comment=comment
    )


def _send_bytes(client: WebClient, url: str, content: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    request = Request(url, content, headers, method="POST")  # noqa: S310 - the URL is Slack's.
    with urlopen(request, timeout=client.timeout, context=client.ssl):  # noqa: S310 - as above.
        pass


def withdraw(client: WebClient, file_id: str) -> Result[None]:
    """Delete a file that may have been shared. DONE means that no one can see it, and that no late request can share it."""
    result = api_errors.call(lambda: client.files_delete(file=file_id))
    if result.outcome is Outcome.DONE or result.error in _ALREADY_GONE:
        return Result(Outcome.DONE)
    return Result(result.outcome, error=result.error, retry_after=result.retry_after)


def delete_old_files(ctx: AppContext, client: WebClient) -> int:
    """Delete the files that are older than `KEEP_FILES`, and return how many. Those that Slack will not delete are given up."""
    with transaction(ctx.engine) as session:
        is_old = PostedFile.posted_at < ctx.now() - ctx.settings.keep_files
        old = session.scalars(select(PostedFile.file_id).where(is_old).order_by(PostedFile.posted_at)).all()
    deleted = 0
    for file_id in old:
        result = withdraw(client, file_id)
        if result.may_succeed_later:
            logger.warning("old files are still in Slack: %s", result.error)
            break
        if result.error:
            logger.warning("file %s stays in Slack: %s", file_id, result.error)
        with transaction(ctx.engine) as session:
            session.execute(delete(PostedFile).where(PostedFile.file_id == file_id))
        deleted += result.outcome is Outcome.DONE
    return deleted


@dataclass(frozen=True)
class PersonsFile:
    """A file that a person chose in a dialog. `link` is where they see it in Slack."""

    name: str
    content: bytes
    link: str


def read_file(client: WebClient, file_id: str, *, max_bytes: int) -> PersonsFile:
    """Read the file of a person.

    Raises:
        SlackApiError: Slack does not show it to us.
        OSError: a step had no answer.
        UserError: it is larger than `max_bytes`, or Slack sent something else in its place.
    """
    info = client.files_info(file=file_id)["file"]
    if int(info["size"]) > max_bytes:
        raise UserError("file.too_large", f"The file is larger than {max_bytes // 1_000_000} MB. Choose a smaller one.")
    headers = {"Authorization": f"Bearer {client.token}"}
    request = Request(info["url_private_download"], headers=headers)  # noqa: S310 - the URL is Slack's.
    with urlopen(request, timeout=client.timeout, context=client.ssl) as answer:  # noqa: S310 - as above.
        # Without the right to read files, Slack answers with the page where people sign in.
        if answer.headers.get_content_type() == "text/html":
            sentence = "Slack does not let the app read files. Ask the person who runs it to install it again."
            raise UserError("file.not_readable", sentence)
        content = answer.read(max_bytes + 1)
    return PersonsFile(str(info["name"]), content[:max_bytes], str(info["permalink"]))
