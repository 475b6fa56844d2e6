"""The ways into a OneRoster server: a token for our client (OAuth 2), requests that we sign (OAuth 1.0a), or a token that never
changes.

OneRoster 1.2 knows OAuth 2 only. A server of 1.1 without a place that gives tokens wants signed requests, as ClassLink's do.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Response, is_busy

if TYPE_CHECKING:
    from oauthlib.oauth1 import Client as Signer

_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
# In the order in which they are tried. Some servers know only the older one.
_SIGNATURES = ("HMAC-SHA256", "HMAC-SHA1")


class Login(Protocol):
    """Gives each request what the server wants to see."""

    @property
    def name(self) -> str:
        """How we come in, as the end of a sentence that begins with the server."""

    def auth(self, http: HttpCalls) -> httpx.Auth:
        """Return the credentials of the next request; a token is requested if there is none.

        Raises:
            UserError: no token is given.
        """

    def renew(self, status: int, *, has_worked: bool) -> bool:
        """Return whether a request that was refused with this status may succeed with other credentials, which `auth` gives from
        now on. `has_worked`: an earlier request was answered.
        """

    def refusal(self, host: str, endpoint: str, status: int) -> str:
        """Return the sentence for a request that was refused for good."""


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


class _Signed(httpx.Auth):
    def __init__(self, signer: "Signer") -> None:
        self._signer = signer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        _, headers, _ = self._signer.sign(str(request.url), request.method)
        request.headers.update(headers)
        yield request


class StaticToken:
    """A token from a person, as ClassLink's proxy gives it."""

    name = "accepts our token"

    def __init__(self, token: str) -> None:
        self._auth = _Bearer(token)

    def auth(self, _http: HttpCalls) -> httpx.Auth:
        return self._auth

    def renew(self, _status: int, *, has_worked: bool) -> bool:  # noqa: ARG002 (As `Login.renew`.)
        return False

    def refusal(self, host: str, endpoint: str, status: int) -> str:
        if status == HTTPStatus.UNAUTHORIZED:
            return f"{host} refuses SIS_ONEROSTER_TOKEN ({status}). It may be mistyped or have ended: copy a new one."
        return f"{host} does not let us read {endpoint} with SIS_ONEROSTER_TOKEN ({status}). Allow it there, for every school."


class SignedRequests:
    """OAuth 1.0a. `without_token` says why no token was requested instead, as a sentence."""

    def __init__(self, client_id: str, client_secret: str, without_token: str) -> None:
        self._credentials = (client_id, client_secret)
        self._without_token = without_token
        self._signatures = list(_SIGNATURES)

    @property
    def name(self) -> str:
        return f"accepts requests signed with {self._signatures[0]}"

    def auth(self, _http: HttpCalls) -> httpx.Auth:
        # Imported only by the districts that need it.
        from oauthlib.oauth1 import Client as Signer

        key, secret = self._credentials
        return _Signed(Signer(key, client_secret=secret, signature_method=self._signatures[0]))

    def renew(self, status: int, *, has_worked: bool) -> bool:
        if has_worked:
            return status == HTTPStatus.UNAUTHORIZED  # Signed anew, at another time.
        # RFC 5849 has 400 for a signature that the server does not know.
        self._signatures.reverse()
        return status in _REFUSED

    def refusal(self, host: str, endpoint: str, status: int) -> str:
        return (
            f"{self._without_token} {host} also refuses to give {endpoint} to a signed request (OAuth 1.0a, {status}). Check "
            "SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET, and the clock of this machine; or set "
            "SIS_ONEROSTER_TOKEN_URL to where the SIS gives tokens."
        )


@dataclass(frozen=True)
class Client:
    """Our client at the SIS. `may_sign`: it may turn out that requests have to be signed instead of carrying a token."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str
    may_sign: bool

    def __repr__(self) -> str:
        return f"Client({self.token_url})"


class ClientLogin:
    """A token for our client, renewed before it ends; or signed requests where no token is given."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._signed: SignedRequests | None = None
        self._sends_secret_in_body = False
        self._token = ""
        self._token_ends = 0.0

    @property
    def name(self) -> str:
        return self._signed.name if self._signed else "gives a token"

    def auth(self, http: HttpCalls) -> httpx.Auth:
        if not self._signed and (not self._token or time.monotonic() >= self._token_ends):
            self._request_token(http)
        return self._signed.auth(http) if self._signed else _Bearer(self._token)

    def renew(self, status: int, *, has_worked: bool) -> bool:
        if self._signed:
            return self._signed.renew(status, has_worked=has_worked)
        if status != HTTPStatus.UNAUTHORIZED:
            return False
        self._token = ""  # Some servers end a token before its time.
        return True

    def refusal(self, host: str, endpoint: str, status: int) -> str:
        if self._signed:
            return self._signed.refusal(host, endpoint, status)
        return (
            f"{host} does not let us read {endpoint} ({status}). In the SIS, give our client the scope roster-core.readonly and "
            "access to every school."
        )

    def _request_token(self, http: HttpCalls) -> None:
        response = self._post(http)
        if _token(response) is None and response.status in _REFUSED and _error(response) != "invalid_scope":
            # Some servers want the secret in the body.
            self._sends_secret_in_body = not self._sends_secret_in_body
            other = self._post(http)
            if _token(other) or _error(other) == "invalid_scope":
                response = other
        token, seconds = _token(response) or ("", 0.0)
        if token:
            self._token, self._token_ends = token, time.monotonic() + seconds - min(60.0, seconds / 10)
            return
        sentence = _token_refusal(self._client, response)
        if not self._client.may_sign or is_busy(response.status) or _error(response):
            raise UserError("sis.no_token", sentence)
        self._signed = SignedRequests(self._client.client_id, self._client.client_secret, sentence.split(". ")[0] + ".")

    def _post(self, http: HttpCalls) -> Response:
        client = self._client
        form = {"grant_type": "client_credentials", "scope": client.scope}
        url = httpx.URL(client.token_url)
        if self._sends_secret_in_body:
            secret = {"client_id": client.client_id, "client_secret": client.client_secret}
            return http.send("POST", url, data=form | secret)
        return http.send("POST", url, data=form, auth=httpx.BasicAuth(client.client_id, client.client_secret))


def default_token_url(url: str) -> str:
    """Return where a server usually gives tokens: `/token` beside `/ims` as at Aeries; Infinite Campus has a place of its own."""
    root, _, path = url.partition("/campus/")
    if path:
        app = path.removeprefix("api/oneroster/").partition("/ims/")[0].partition("/")[2]
        return f"{root}/campus/oauth2/token" + (f"?appName={app}" if app else "")
    return f"{url.split('/ims/', maxsplit=1)[0].rstrip('/')}/token"


def _token(response: Response) -> tuple[str, float] | None:
    """Return the token in a response and for how many seconds it is valid, None if there is none."""
    answer = response.json_object() or {}
    token = answer.get("access_token")
    if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or not isinstance(token, str) or not is_token(token):
        return None
    try:
        return token, max(float(answer["expires_in"]), 1.0)
    except (KeyError, TypeError, ValueError, OverflowError):
        return token, 3600.0  # When it ends earlier, the server answers 401.


def is_token(text: str) -> bool:
    """Return whether a header can hold the text."""
    return bool(text) and text.isascii() and text.isprintable()


def _error(response: Response) -> Any:
    """Return the error code of OAuth 2, None for any other answer."""
    return (response.json_object() or {}).get("error")


def _token_refusal(client: Client, response: Response) -> str:
    url, status, error = httpx.URL(client.token_url), response.status, _error(response)
    if "/campus/" in url.path and "appName" not in url.params:
        return (
            f"Infinite Campus gives no token without the name of the application ({status}). Set SIS_ONEROSTER_TOKEN_URL to the "
            "token URL that it shows; it ends with ?appName= and a name."
        )
    if error == "invalid_scope":
        return f"The SIS does not grant our client the scope {client.scope}. Grant it in the SIS."
    if error == "invalid_client" or status in _REFUSED:
        return (
            f"The SIS refuses our client ({status}). Check SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET, and "
            "that the client is active in the SIS."
        )
    if is_busy(status):
        return f"{url.host} answers {status} when asked for a token. Try again later, or ask the people who run it."
    address = url.copy_with(query=None)
    return f"No token is given at {address} ({status}, {response.looks_like}). Set SIS_ONEROSTER_TOKEN_URL to where the SIS gives tokens."
