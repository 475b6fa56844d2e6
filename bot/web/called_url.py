"""The URL that a provider called, as proxies may have rewritten it: several providers sign the URL.

A signature proves which spelling is right, so several are tried. `PUBLIC_URL`, the request itself, and the headers of
`TRUSTED_PROXIES` are believed. The headers of anyone else only help to find out why a signature does not match.
"""

import re
from collections.abc import Iterator, Sequence

from starlette.requests import Request

from bot.settings import Settings

# Proxies in a row; each may add its own name.
_MAX_HOSTS = 4
_FORWARDED = re.compile(r'(?:^|[;,\s])(host|proto)\s*=\s*(?:"([^"]*)"|([^;,\s"]+))', re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]+$")


def believed_urls(settings: Settings, request: Request) -> list[str]:
    """Return the spellings of the called URL for which a signature is accepted, the likeliest first."""
    is_proxied = request.client is not None and settings.is_trusted_proxy(request.client.host)
    origins = [_split(settings.public_url.rstrip("/"))] if settings.public_url else []
    if is_proxied:
        origins += _forwarded_origins(request)
    return _spellings(request, origins or [_own_origin(request)])


def claimed_urls(request: Request) -> list[str]:
    """Return the spellings that the headers claim, no matter who sent them."""
    return _spellings(request, _forwarded_origins(request))


def origin_of(url: str) -> str:
    """Return scheme and host of a URL: what `PUBLIC_URL` has to be if a provider signed this URL."""
    return "/".join(url.split("/", 3)[:3])


Origin = tuple[str, str]


def _split(origin: str) -> Origin:
    scheme, _, host = origin.partition("://")
    return scheme, host


def _own_origin(request: Request) -> Origin:
    return request.url.scheme, request.headers.get("host", "")


def _forwarded_origins(request: Request) -> list[Origin]:
    """Return what RFC 7239's `Forwarded` and the `X-Forwarded-` headers say, then the host of the request itself."""
    forwarded = [
        (name.lower(), quoted or plain) for name, quoted, plain in _FORWARDED.findall(_header(request, "forwarded"))
    ]
    hosts = [value for name, value in forwarded if name == "host"] + _listed(request, "x-forwarded-host")
    schemes = [value for name, value in forwarded if name == "proto"] + _listed(request, "x-forwarded-proto")
    ports = _listed(request, "x-forwarded-port")[:1]
    hosts = [host for host in hosts if _HOST.fullmatch(host)][:_MAX_HOSTS]
    hosts += [f"{host}:{port}" for port in ports for host in hosts if not _PORT.search(host)]
    own_scheme, own_host = _own_origin(request)
    scheme = schemes[0].lower() if schemes else own_scheme
    return [(scheme, host) for host in dict.fromkeys([*hosts, own_host])]


def _header(request: Request, name: str) -> str:
    """Return a header that may be sent several times as one list."""
    return ",".join(request.headers.getlist(name))


def _listed(request: Request, name: str) -> list[str]:
    return [value.strip() for value in _header(request, name).split(",") if value.strip()]


def _spellings(request: Request, origins: Sequence[Origin]) -> list[str]:
    """Return the URL under each origin: as it came, with the other scheme, and with or without a slash at its end."""
    query = f"?{request.url.query}" if request.url.query else ""
    path = request.url.path
    paths = [path, path.rstrip("/") if path.endswith("/") else f"{path}/"]
    return list(
        dict.fromkeys(f"{origin}{spelling}{query}" for spelling in paths for origin in _with_both_schemes(origins))
    )


def _with_both_schemes(origins: Sequence[Origin]) -> Iterator[str]:
    for scheme, host in origins:
        yield f"{scheme}://{host}"
    for _, host in origins:
        yield from (f"{scheme}://{host}" for scheme in ("https", "http"))
