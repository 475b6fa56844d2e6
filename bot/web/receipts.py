"""The providers' endpoint: delivery receipts, opt-outs, and opt-ins, committed before they are answered."""

from collections.abc import Callable, Sequence
from functools import partial

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.driver import INGEST
from bot.db.session import transaction
from bot.mass_messages.receipts import record_receipts
from bot.providers.callback import Callback
from bot.providers.fetch import fetch
from bot.providers.receipt import (
    BadSignature,
    FetchFirst,
    Handshake,
    OptOutMessage,
    Parsed,
    ParsedReceipt,
    Refused,
    TryAgain,
)
from bot.providers.registry import BY_NAME, Provider
from bot.settings import Settings
from bot.web.group_commit import GroupCommit
from bot.web.refusals import RefusalCounter
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body

_MAX_BATCH = 500
_MAX_WAITING_FETCHES = 4

Report = ParsedReceipt | OptOutMessage


def receipts_endpoint(
    settings: Settings,
    engine: Engine,
    *,
    threads: CapacityLimiter,
    fetch_threads: CapacityLimiter,
    refusals: RefusalCounter,
) -> Endpoint:
    """Build the endpoint. `fetch_threads` wait for providers: a stranger can cause that, so no receipt waits for them."""

    def commit(reports: Sequence[Report]) -> None:
        with transaction(engine, limits=INGEST) as session:
            record_receipts(session, reports, now=utc_now())

    group_commit: GroupCommit[Report] = GroupCommit(commit, max_items=_MAX_BATCH, threads=threads)

    async def verify_and_parse(provider: Provider, secret: str, callback: Callback) -> Parsed:
        try:
            return await to_thread.run_sync(_verify_and_parse, provider, secret, callback, limiter=threads)
        except FetchFirst as missing:
            await _fetch_in(fetch_threads, missing.fetch)
            return await to_thread.run_sync(_verify_and_parse, provider, secret, callback, limiter=threads)

    async def endpoint(request: Request) -> Response:
        provider = _find_provider(request.path_params["provider"])
        secret = settings.secret(provider.SECRET)
        if secret is None:
            # The provider tries again, so nothing is lost if it is set soon.
            refusals.add(provider.NAME, f"{provider.SECRET.upper()} is not set")
            raise HttpError(
                503, f"{provider.SECRET.upper()} is not set here, so receipts of {provider.NAME} cannot be verified."
            )
        body = await read_body(request, max_bytes=MEGABYTE)
        callback = Callback(_called_url(settings, request), dict(request.headers), body, utc_now())
        try:
            parsed = await verify_and_parse(provider, secret, callback)
            await group_commit.add([report for report in parsed if not isinstance(report, Handshake)])
            return await _answer_handshakes([shake for shake in parsed if isinstance(shake, Handshake)], fetch_threads)
        except Refused as refusal:
            if isinstance(refusal, BadSignature):
                refusals.add(provider.NAME, str(refusal))
            raise HttpError(refusal.status, f"{provider.NAME}: {refusal}", challenge=refusal.challenge) from refusal

    return endpoint


def _verify_and_parse(provider: Provider, secret: str, callback: Callback) -> Parsed:
    provider.verify(secret, callback)
    return provider.parse(callback)


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


def _find_provider(name: str) -> Provider:
    provider = BY_NAME.get(name)
    if provider is None:
        raise HttpError(404, f"Unknown provider. Known providers: {', '.join(BY_NAME)}.")
    return provider


def _called_url(settings: Settings, request: Request) -> str:
    """Return the URL that the provider called and signed; a proxy in front of us may have changed it."""
    query = f"?{request.url.query}" if request.url.query else ""
    if settings.public_url:
        return f"{settings.public_url.rstrip('/')}{request.url.path}{query}"
    scheme, host = request.url.scheme, request.headers.get("host", "")
    if request.client and settings.is_trusted_proxy(request.client.host):
        scheme = request.headers.get("x-forwarded-proto", scheme)
        host = request.headers.get("x-forwarded-host", host)
    return f"{scheme}://{host}{request.url.path}{query}"
