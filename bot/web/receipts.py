"""The providers' door: delivery receipts and the STOPs and STARTs of families, committed before they are answered."""

import functools
from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.session import transaction
from bot.mass_messages.receipts import record_receipts
from bot.providers import calling, registry
from bot.providers.callback import Callback
from bot.providers.receipt import Handshake, OptOutMessage, Parsed, ParsedReceipt, Refused
from bot.providers.registry import Provider
from bot.settings import Settings
from bot.web.group_commit import GroupCommit
from bot.web.responses import MEGABYTE, Endpoint, HttpError, read_body

Report = ParsedReceipt | OptOutMessage

_AT_ONCE = 500


def receipts_endpoint(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Endpoint:
    reports: GroupCommit[Report] = GroupCommit(functools.partial(_record, engine), most=_AT_ONCE, threads=threads)

    async def taken(request: Request) -> Response:
        provider, secret = _provider(settings, request.path_params["provider"])
        body = await read_body(request, cap=MEGABYTE)
        callback = Callback(_url_called(settings, request), dict(request.headers), body, utc_now())
        try:
            parsed = await to_thread.run_sync(_read, provider, secret, callback, limiter=threads)
        except Refused as no:
            raise HttpError(no.status, f"{provider.NAME}: {no}", challenge=no.challenge) from no
        await reports.add([one for one in parsed if not isinstance(one, Handshake)])
        return await _hands_shaken([one for one in parsed if isinstance(one, Handshake)], threads)

    return taken


def _provider(settings: Settings, name: str) -> tuple[Provider, str]:
    """Who calls, and the secret they share with us; without one, what they send is asked for again later and not lost."""
    provider = registry.BY_NAME.get(name)
    if provider is None:
        raise HttpError(404, f"Unknown provider. Known are: {', '.join(registry.BY_NAME)}.")
    secret = settings.secret(provider.SECRET)
    if secret is None:
        raise HttpError(503, f"{provider.SECRET.upper()} is not set here, so receipts of {name} cannot be checked.")
    return provider, secret


def _read(provider: Provider, secret: str, callback: Callback) -> Parsed:
    provider.verify(secret, callback)
    return provider.parse(callback)


def _record(engine: Engine, reports: Sequence[Report]) -> None:
    with transaction(engine) as session:
        record_receipts(session, reports, now=utc_now())


async def _hands_shaken(handshakes: Sequence[Handshake], threads: CapacityLimiter) -> Response:
    for handshake in handshakes:
        if handshake.confirm:
            await to_thread.run_sync(calling.call, handshake.confirm, limiter=threads)
    answer = {name: value for handshake in handshakes for name, value in handshake.answer.items()}
    return JSONResponse(answer) if handshakes else Response(status_code=204)


def _url_called(settings: Settings, request: Request) -> str:
    """The URL as the provider wrote it, which is what it signed: a proxy in front of us may have changed it."""
    query = f"?{request.url.query}" if request.url.query else ""
    if settings.public_url:
        return f"{settings.public_url.rstrip('/')}{request.url.path}{query}"
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    host = request.headers.get("x-forwarded-host", request.headers.get("host", ""))
    return f"{scheme}://{host}{request.url.path}{query}"
