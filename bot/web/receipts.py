"""The providers' endpoint: delivery receipts, opt-outs, opt-ins, and reassigned numbers, committed before they are answered."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.access.identity import AccessRules
from bot.app import utc_now
from bot.contact_edits.counter import take_code
from bot.db.session import INGEST, transaction
from bot.mass_messages.receipts import record_receipts
from bot.operations.refusals import URL_DIFFERS
from bot.providers.callback import Callback
from bot.providers.counter_codes import CounterText, read_code
from bot.providers.fetch import fetch
from bot.providers.receipt import (
    FamilyText,
    FetchFirst,
    Handshake,
    Malformed,
    NoPassword,
    OtherUrlSigned,
    Refused,
    TryAgain,
)
from bot.providers.registry import BY_NAME, Provider
from bot.providers.unclear_texts import Report, read_text
from bot.settings import Settings
from bot.web.called_url import believed_urls, claimed_urls, origin_of
from bot.web.group_commit import GroupCommit
from bot.web.refusals import RefusalCounter
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body
from bot.web.wrong_address import answer_wrong_address

# A text with a code is no report: it counts for one dialog, or not at all.
Received = Report | CounterText

_MAX_BATCH = 500
_MAX_WAITING_FETCHES = 4
# It is stored and shown to administrators.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]{1,253}")


def receipts_endpoint(
    settings: Settings,
    engine: Engine,
    *,
    threads: CapacityLimiter,
    fetch_threads: CapacityLimiter,
    refusals: RefusalCounter,
) -> Endpoint:
    """Build the endpoint. `fetch_threads` wait for providers: a stranger can cause that, so no receipt waits for them."""
    rules = AccessRules(settings.admin_emails, settings.editor_roles, settings.export_roles)

    def commit(received: Sequence[Received]) -> None:
        reports = [report for report in received if not isinstance(report, CounterText)]
        with transaction(engine, limits=INGEST) as session:
            record_receipts(session, reports, now=utc_now())
        # Each by itself: it locks a contact, which comes before what the reports above lock.
        for text in (text for text in received if isinstance(text, CounterText)):
            now = utc_now()
            with transaction(engine, limits=INGEST) as session:
                take_code(session, text, rules=rules, today=now.astimezone(settings.zone).date(), now=now)

    group_commit: GroupCommit[Received] = GroupCommit(commit, max_items=_MAX_BATCH, threads=threads)

    async def verify_and_parse(provider: Provider, secret: str, callback: Callback) -> list[Received | Handshake]:
        parse = partial(_verify_and_parse, provider, secret, settings.opt_out_words, callback)
        try:
            return await to_thread.run_sync(parse, limiter=threads)
        except FetchFirst as missing:
            await _fetch_in(fetch_threads, missing.fetch)
            return await to_thread.run_sync(parse, limiter=threads)

    async def endpoint(request: Request) -> Response:
        provider = BY_NAME.get(request.path_params["provider"])
        if provider is None:
            return answer_wrong_address(request, refusals)
        secret = settings.secret(provider.SECRET)
        if secret is None:
            # The provider tries again, so nothing is lost if it is set soon.
            refusals.add(provider.NAME, f"{provider.SECRET.upper()} is not set")
            raise HttpError(
                503, f"{provider.SECRET.upper()} is not set here, so receipts of {provider.NAME} cannot be verified."
            )
        body = await read_body(request, max_bytes=MEGABYTE)
        url, *other_urls = believed_urls(settings, request)
        callback = Callback(url, dict(request.headers), body, utc_now(), other_urls)
        try:
            parsed = await verify_and_parse(provider, secret, callback)
            refusals.take_back(provider.NAME, NoPassword.MISSING)
            await group_commit.add([report for report in parsed if not isinstance(report, Handshake)])
            return await _answer_handshakes([shake for shake in parsed if isinstance(shake, Handshake)], fetch_threads)
        except Refused as refusal:
            claimed = claimed_urls(request)
            reason = await to_thread.run_sync(
                _find_cause, refusal, provider, secret, callback, claimed, limiter=threads
            )
            refusals.add(provider.NAME, reason)
            raise HttpError(refusal.status, f"{provider.NAME}: {refusal}", challenge=refusal.challenge) from refusal

    return endpoint


def _verify_and_parse(
    provider: Provider, secret: str, own_words: Collection[str], callback: Callback
) -> list[Received | Handshake]:
    """Return what a request reports; of the texts, only those that mean something. `own_words` are the district's opt-out words."""
    provider.verify(secret, callback)
    read = (_read_text(part, own_words) if isinstance(part, FamilyText) else part for part in provider.parse(callback))
    return [part for part in read if part is not None]


def _read_text(message: FamilyText, own_words: Collection[str]) -> Received | None:
    return read_code(message) or read_text(message, own_words=own_words)


def _find_cause(refusal: Refused, provider: Provider, secret: str, callback: Callback, claimed: Sequence[str]) -> str:
    """Return why a request was refused: perhaps it is signed with our secret, for a URL that we do not believe was called."""
    if isinstance(refusal, OtherUrlSigned) and _is_signed(provider, secret, callback, claimed):
        origin = next(origin_of(url) for url in claimed if _is_signed(provider, secret, callback, [url]))
        if _ORIGIN.fullmatch(origin):
            return f"{URL_DIFFERS}; set PUBLIC_URL={origin}"
    if isinstance(refusal, Malformed):
        return f"not what {provider.NAME} sends: {refusal}"
    return str(refusal)


def _is_signed(provider: Provider, secret: str, callback: Callback, urls: Sequence[str]) -> bool:
    try:
        provider.verify(secret, replace(callback, url=urls[0], other_urls=urls[1:]))
    except Refused:
        return False
    return True


async def _answer_handshakes(handshakes: Sequence[Handshake], fetch_threads: CapacityLimiter) -> Response:
    for handshake in handshakes:
        if handshake.confirm:
            await _fetch_in(fetch_threads, partial(fetch, handshake.confirm))
    if not handshakes:
        return Response(status_code=204)
    return JSONResponse({name: value for handshake in handshakes for name, value in handshake.answer.items()})


async def _fetch_in(threads: CapacityLimiter, request: Callable[[], object]) -> None:
    """Make a request of ours to a provider. A long queue is refused, for the provider to try again, because it would give up waiting."""
    if threads.statistics().tasks_waiting >= _MAX_WAITING_FETCHES:
        raise TryAgain("too many requests to the provider are waiting")
    await to_thread.run_sync(request, limiter=threads)
