"""Making and sending the downloads that are due: by mail to the asker's own address, or as a file in their direct messages.

One message in their direct messages says how far it is, and how it ended. Rights are asked again when the file is made.
"""

import logging
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import audit
from bot.access import Actor
from bot.audit import Subject
from bot.cleanup_list.export_rows import iter_export_rows
from bot.cleanup_list.freshness import load_freshness
from bot.cleanup_list.page import Page, load_page
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.downloads import Download, DownloadForm
from bot.domain.plural import plural
from bot.downloads.mail import Attachment, Mail, send_mail
from bot.downloads.requests import claim_download, mark_failed, mark_posted, mark_sent, schedule_retry
from bot.downloads.sheet import FileHeader, ListSize, write_list
from bot.errors import UserError, describe_error
from bot.filters.filter import describe
from bot.filters.parse import parse_filter
from bot.slack.kit import api_errors, outbox_worker, users
from bot.slack.kit import blocks as b
from bot.slack.kit.context import AppContext

logger = logging.getLogger(__name__)

_PAUSES = (1, 5, 15, 60)
"""Minutes before it is tried again."""
_KINDS = {
    DownloadForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    DownloadForm.CSV: "text/csv",
}


def send_due(desk: AppContext, client: WebClient) -> int:
    """Make and send every download that is due; gives how many were handled."""
    return outbox_worker.send_each(desk, claim_download, lambda download: _send(desk, client, download))


def size(page: Page, *, rows: int) -> ListSize:
    """Of a list whose file has so many rows."""
    return ListSize(rows, page.total_contacts, page.total_students)


def _send(desk: AppContext, client: WebClient, download: Download) -> None:
    """A list that cannot be sent now is tried again, and one that cannot be sent at all is told."""
    try:
        _tell(desk, client, download, "⏳ Your list is being made.")
        made, said = _made_and_sent(desk, client, download)
    except UserError as no:
        _not_sent(desk, client, download, no.sentence, is_final=no.permanent)
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("download %s: %s", download.id, describe_error(problem))
        may_pass = not isinstance(problem, SlackApiError) or api_errors.is_retryable(problem)
        _not_sent(desk, client, download, "Slack does not take it.", is_final=not may_pass)
    except Exception as fault:  # noqa: BLE001 - one list that cannot be made must not hold up the others.
        logger.error("download %s: %s", download.id, describe_error(fault))  # noqa: TRY400 - a traceback may hold a name.
        _not_sent(desk, client, download, "Something went wrong here.", is_final=False)
    else:
        outbox_worker.complete(desk, mark_sent, download, contacts=made.contacts)
        _tell_if_possible(desk, client, download, said)


def _made_and_sent(desk: AppContext, client: WebClient, download: Download) -> tuple[ListSize, str]:
    """How much is in it, and what is said of that."""
    form, now = DownloadForm(download.form), desk.now()
    day = now.astimezone(desk.settings.zone).date()
    with TemporaryDirectory(prefix="cleanup-") as folder:
        path = Path(folder) / f"cleanup-list-{day}.{form}"
        with desk.acting(client, download.user_id) as (session, actor):
            parsed = parse_filter(download.filter_text, load_vocabulary(session, actor))
            head = _head(desk, session, actor, describe(parsed.filter.with_page(1)))
            entries = iter_export_rows(session, parsed.filter, actor=actor)
            page = load_page(session, parsed.filter, actor=actor, page_size=1)
            made = size(page, rows=write_list(form, path, entries, head))
            _record(session, actor, download, made)
        _tell_if_possible(desk, client, download, f"⏳ Your list of {made} is on its way.")
        if (server := desk.settings.secret("smtp_url")) is None:
            _upload(client, download, path)
            return made, f"📄 Here is your list, {made}. Delete it when you no longer need it."
        _mail(desk, download, actor, path, head=head, made=made, server=server)
        return made, f"📬 Your list, {made}, was mailed to {b.escaped(actor.email)}."


def _head(desk: AppContext, session: Session, actor: Actor, title: str) -> FileHeader:
    latest, zone = load_freshness(session), users.user_time_zone(session, actor.user_id, otherwise=desk.settings.zone)
    facts = []
    if latest.sent_at:
        sent_at = latest.sent_at.astimezone(zone)
        facts.append(f"After the mass message “{latest.title}” of {sent_at:%B %d, %Y}")
    if latest.synced_at:
        facts.append(f"Student information of {latest.synced_at.astimezone(zone):%B %d, %Y, %H:%M}")
    return FileHeader(title, desk.now(), actor.name, tuple(facts), zone, desk.settings.phone_region, actor.may_export)


def _record(session: Session, actor: Actor, download: Download, made: ListSize) -> None:
    what = f"{made}, whole numbers" if actor.may_export else made
    subject = Subject("download", download.id)
    audit.record(
        session,
        subject,
        actor=actor.user_id,
        action="list.downloaded",
        after=f"{download.form}: {what}",
        reason=download.filter_text,
        now=download.claimed_at or download.opened_at,
    )


def _upload(client: WebClient, download: Download, path: Path) -> None:
    channel = str(client.conversations_open(users=download.user_id)["channel"]["id"])
    client.files_upload_v2(channel=channel, filename=path.name, file=str(path))


def _mail(
    desk: AppContext, download: Download, actor: Actor, path: Path, *, head: FileHeader, made: ListSize, server: str
) -> None:
    here, form = desk.settings, DownloadForm(download.form)
    values = {"size": made, "with_numbers": head.with_numbers, "made_at": head.made_at.astimezone(head.zone)}
    mail = Mail(
        sender=here.mail_from or actor.email,
        to=actor.email,
        subject="Your cleanup list",
        text=desk.templates.render("list_mail.txt", **values),
        identity=f"cleanup-list-{download.id}",
        at=desk.now(),
        attachment=Attachment(path.name, path.read_bytes(), _KINDS[form]),
    )
    send_mail(server, mail)


def _not_sent(desk: AppContext, client: WebClient, download: Download, why: str, *, is_final: bool) -> None:
    logger.warning("download %s, attempt %d: not sent", download.id, download.attempts)
    if is_final or download.attempts > len(_PAUSES):
        outbox_worker.complete(desk, mark_failed, download)
        _tell_if_possible(
            desk,
            client,
            download,
            f"⚠️ Your list could not be sent. {b.escaped(why)} Press Download again when that is mended.",
        )
        return
    minutes = _PAUSES[download.attempts - 1]
    outbox_worker.complete(desk, schedule_retry, download, desk.now() + timedelta(minutes=minutes))
    soon = f"⏳ Your list could not be sent yet. {b.escaped(why)} I try again in {plural(minutes, 'minute')}."
    _tell_if_possible(desk, client, download, soon)


def _tell(desk: AppContext, client: WebClient, download: Download, said: str) -> None:
    """One message, brought up to date."""
    content: dict[str, Any] = {"text": said, "blocks": [b.section(said)]}
    if download.channel_id and download.ts:
        client.chat_update(channel=download.channel_id, ts=download.ts, **content)
        return
    answer = client.chat_postMessage(channel=download.user_id, **content)
    download.channel_id, download.ts = str(answer["channel"]), str(answer["ts"])
    outbox_worker.complete(desk, mark_posted, download, channel_id=download.channel_id, ts=download.ts)


def _tell_if_possible(desk: AppContext, client: WebClient, download: Download, said: str) -> None:
    """What was done stands, whether Slack lets us say so or not."""
    try:
        _tell(desk, client, download, said)
    except (SlackApiError, OSError, HTTPException) as problem:
        logger.warning("download %s: what became of it could not be told: %s", download.id, describe_error(problem))
