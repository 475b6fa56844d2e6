"""Makes and sends the downloads that are due: by email to the reader's own address, or as a file in their direct messages.

One direct message shows the progress and the end. Access is checked again when the file is made.
"""

import logging
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list.page import load_freshness
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db import audit, outbox
from bot.db.audit import Subject
from bot.db.models.downloads import Download, DownloadForm, DownloadState
from bot.domain.display import day, day_and_time, plural
from bot.downloads.content import Content, read_content
from bot.downloads.list_file import FileHeader, ListSize, write_list
from bot.downloads.mail import Attachment, Mail, send_mail
from bot.downloads.requests import claim_download
from bot.errors import UserError, describe_error
from bot.reachability.history import load_history, own_group
from bot.slack.kit import api_errors, files, outbox_worker, users
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome, Result
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

_RETRY_MINUTES = (1, 5, 15, 60)
_KEPT = timedelta(days=2)
_HISTORY = timedelta(weeks=52)  # On the second sheet of a workbook.
_WAITING = "Slack did not accept it. I will try again automatically."
_MEDIA_TYPES = {
    DownloadForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    DownloadForm.CSV: "text/csv",
}


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Make and send every download that is due; return the number handled."""
    return outbox_worker.send_each(ctx, (claim_download, lambda download: _send(ctx, client, download)))


def _send(ctx: AppContext, client: WebClient, download: Download) -> Result[Any] | None:
    """Make and send one list; return what Slack answered, or None if the list itself failed."""
    try:
        result = api_errors.call(lambda: _make_and_send(ctx, client, download))
    except UserError as error:
        _retry_or_fail(ctx, client, download, reason=error.sentence, permanent=error.permanent)
    except Exception as error:  # noqa: BLE001 - one list that cannot be made must not hold up the others.
        logger.error("download %s: %s", download.id, describe_error(error))  # noqa: TRY400 - a traceback may hold a name.
        _retry_or_fail(ctx, client, download, reason="Something went wrong here.", permanent=False)
    else:
        return _store_result(ctx, client, download, result)
    return None


def _store_result(ctx: AppContext, client: WebClient, download: Download, result: Result[Any]) -> Result[Any]:
    """Store what Slack answered. While it may still accept the list, the list is kept for two days."""
    if result.answer is not None:
        contacts, sentence = result.answer
        outbox_worker.store(ctx, outbox.complete, download, DownloadState.SENT, contacts=contacts)
        _try_to_show(ctx, client, download, sentence)
    elif result.may_succeed_later and ctx.now() < download.opened_at + _KEPT:
        outbox_worker.wait(ctx, download, result)
        if not result.ends_round:
            _try_to_show(ctx, client, download, f"⏳ Your list is not sent yet. {_WAITING}")
    else:
        logger.warning("download %s was refused: %s", download.id, result.error)
        reason = f"Slack did not accept it. {result.advice}"
        _retry_or_fail(ctx, client, download, reason=reason, permanent=True)
    return result


def _make_and_send(ctx: AppContext, client: WebClient, download: Download) -> tuple[int, str]:
    """Return the number of contacts in the file, and the sentence that says where it is."""
    _show_progress(ctx, client, download, "⏳ Your list is being made.")
    form = DownloadForm(download.form)
    with TemporaryDirectory(prefix="cleanup-") as folder:
        with ctx.acting(client, download.user_id) as (session, actor):
            kept = ctx.settings.keep_messages
            content = read_content(download.filter_text, load_vocabulary(session, actor), kept=kept)
            header = _header(ctx, session, actor, content)
            path = Path(folder) / f"{content.file_name}-{header.made_at.astimezone(header.zone).date()}.{form}"
            rows = content.rows(session, actor=actor, now=header.made_at)
            list_size = write_list(form, path, rows, header)
            _record(session, actor, download, list_size)
        _try_to_show(ctx, client, download, f"⏳ Your list of {list_size} is on its way.")
        server, instead = ctx.settings.secret("smtp_url"), ""
        if server is not None:
            mail = _mail(ctx, download, actor, path, noun=content.noun, header=header, list_size=list_size)
            problem = _try_to_mail(server, mail, download)
            if problem is None:
                return list_size.contacts, f"📬 Your list, {list_size}, was emailed to {b.escaped(actor.email)}."
            instead = f" It could not be emailed. {b.escaped(problem.sentence)}"
        _upload(ctx, client, download, path)
        days = plural(ctx.settings.keep_files.days, "day")
        return list_size.contacts, f"📄 Here is your list, {list_size}. It is deleted here after {days}.{instead}"


def _try_to_mail(server: str, mail: Mail, download: Download) -> UserError | None:
    """Send an email; return why the server refuses it for good, or still after the last attempt.

    Raises:
        UserError: it may accept the email later.
    """
    try:
        send_mail(server, mail)
    except UserError as problem:
        if not problem.permanent and download.attempts <= len(_RETRY_MINUTES):
            raise
        logger.warning("download %s could not be emailed: %s", download.id, problem.code)
        return problem
    return None


def _header(ctx: AppContext, session: Session, actor: Actor, content: Content) -> FileHeader:
    freshness = load_freshness(session)
    zone = users.user_time_zone(session, actor.user_id, otherwise=ctx.settings.zone)
    facts = []
    if freshness.sent_at:
        facts.append(f"After the mass message “{freshness.title}” of {day(freshness.sent_at.astimezone(zone))}")
    if freshness.synced_at:
        facts.append(f"Student information of {day_and_time(freshness.synced_at.astimezone(zone))}")
    region = ctx.settings.phone_region
    own = own_group(actor)
    history = load_history(session, own, since=actor.today - _HISTORY) if own else ()
    return FileHeader(
        title=content.title,
        sheet=content.sheet,
        made_at=ctx.now(),
        made_by=actor.name,
        facts=tuple(facts),
        zone=zone,
        region=region,
        with_numbers=actor.may_export,
        history=history,
    )


def _record(session: Session, actor: Actor, download: Download, list_size: ListSize) -> None:
    content = f"{list_size}, full numbers" if actor.may_export else str(list_size)
    audit.record(
        session,
        Subject("download", download.id),
        actor=actor.user_id,
        action="list.downloaded",
        after=f"{download.form}: {content}",
        reason=download.filter_text,
        now=download.claimed_at or download.opened_at,
    )


def _upload(ctx: AppContext, client: WebClient, download: Download, path: Path) -> None:
    """Share the file with its reader. One of an earlier attempt, which may have arrived, is deleted first: none comes twice."""
    if download.file_id:
        _withdraw_earlier(client, download, download.file_id)
    channel_id = str(client.conversations_open(users=download.user_id)["channel"]["id"])

    def store_file_id(file_id: str) -> None:
        if not outbox_worker.store(ctx, outbox.complete, download, DownloadState.CLAIMED, file_id=file_id):
            raise UserError("download.taken_over", "Another process sends your list.", permanent=False)

    files.send_file(ctx, client, channel_id, path.name, path.read_bytes(), before_sharing=store_file_id)


def _withdraw_earlier(client: WebClient, download: Download, file_id: str) -> None:
    withdrawn = files.withdraw(client, file_id)
    if withdrawn.outcome is Outcome.DONE:
        return
    logger.warning("download %s: its earlier file could not be deleted: %s", download.id, withdrawn.error)
    sentence = "It may have arrived already. Look for the file in these messages first."
    raise UserError("download.may_have_arrived", sentence, permanent=not withdrawn.may_succeed_later)


def _mail(
    ctx: AppContext,
    download: Download,
    actor: Actor,
    path: Path,
    *,
    noun: str,
    header: FileHeader,
    list_size: ListSize,
) -> Mail:
    values = {"noun": noun, "size": list_size, "with_numbers": header.with_numbers}
    text = ctx.templates.render("list_mail.txt", made_at=header.made_at.astimezone(header.zone), **values)
    return Mail(
        sender=ctx.settings.mail_from or actor.email,
        to=actor.email,
        subject=f"Your {noun}",
        text=text,
        identity=f"cleanup-list-{download.id}",
        at=ctx.now(),
        attachment=Attachment(path.name, path.read_bytes(), _MEDIA_TYPES[DownloadForm(download.form)]),
    )


def _retry_or_fail(ctx: AppContext, client: WebClient, download: Download, *, reason: str, permanent: bool) -> None:
    logger.warning("download %s, attempt %d: not sent", download.id, download.attempts)
    if permanent or download.attempts > len(_RETRY_MINUTES):
        outbox_worker.fail(ctx, download)
        advice = "Press Download again when that is fixed."
        sentence = f"⚠️ Your list could not be sent. {b.escaped(reason)} {advice}"
    else:
        minutes = _RETRY_MINUTES[download.attempts - 1]
        outbox_worker.retry(ctx, download, timedelta(minutes=minutes))
        advice = f"I will try again in {plural(minutes, 'minute')}."
        sentence = f"⏳ Your list could not be sent yet. {b.escaped(reason)} {advice}"
    _try_to_show(ctx, client, download, sentence)


def _show_progress(ctx: AppContext, client: WebClient, download: Download, sentence: str) -> None:
    """Post the progress message, or update it."""
    content: dict[str, Any] = {"text": sentence, "blocks": [b.section(sentence)]}
    if download.channel_id and download.ts:
        client.chat_update(channel=download.channel_id, ts=download.ts, **content)
        return
    message = client.chat_postMessage(channel=download.user_id, **content)
    download.channel_id, download.ts = str(message["channel"]), str(message["ts"])
    place = {"channel_id": download.channel_id, "ts": download.ts}
    outbox_worker.store(ctx, outbox.complete, download, DownloadState.CLAIMED, **place)


def _try_to_show(ctx: AppContext, client: WebClient, download: Download, sentence: str) -> None:
    """Show the progress if Slack accepts it; what was done stays done either way."""
    result = api_errors.call(lambda: _show_progress(ctx, client, download, sentence))
    if result.error:
        logger.warning("download %s: its progress was not shown: %s", download.id, result.error)
