"""How a OneRoster server on loopback lets a client in: each `Entry` checks requests as one kind of real server does."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

CLIENT = ("a client", "a:sécret")
_DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


@dataclass
class Entry:
    """OAuth 2 with the secret in the header (`basic`) or in the `body`; a `static` token; or requests `signed` with one of the
    methods in `signatures`; a request that is not admitted gets the status `refusal`.
    """

    kind: str = "basic"
    signatures: tuple[str, ...] = ()
    refusal: int = 401
    app_name: str | None = None
    static_token: str = "a-static-token"
    tokens: list = field(default_factory=list)
    nonces: set = field(default_factory=set)

    @property
    def gives_tokens(self):
        return self.kind in {"basic", "body"}

    def is_client(self, request, form):
        if self.app_name and request.query_params.get("appName") != self.app_name:
            return False
        if self.kind == "body":
            return (
                "authorization" not in request.headers and (form.get("client_id"), form.get("client_secret")) == CLIENT
            )
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        return request.headers.get("authorization") == f"Basic {basic}"

    def admits(self, request):
        header = request.headers.get("authorization", "")
        if self.kind == "signed":
            return header.startswith("OAuth ") and self._is_signed(request, header)
        if self.kind == "static":
            return header == f"Bearer {self.static_token}"
        return header in {f"Bearer {token}" for token in self.tokens[-1:]}

    def _is_signed(self, request, header):
        """Check a signature of OAuth 1.0a as RFC 5849 says, with a nonce that is used once."""
        oauth = dict(part.strip().split("=", 1) for part in header.removeprefix("OAuth ").split(","))
        oauth = {name: unquote(value.strip('"')) for name, value in oauth.items()}
        signature, method = oauth.pop("oauth_signature"), oauth["oauth_signature_method"]
        oauth.pop("realm", None)
        if (
            method not in self.signatures
            or oauth["oauth_consumer_key"] != CLIENT[0]
            or oauth["oauth_nonce"] in self.nonces
        ):
            return False
        self.nonces.add(oauth["oauth_nonce"])
        pairs = [*oauth.items(), *parse_qsl(request.url.query, keep_blank_values=True)]
        query = "&".join(sorted(f"{_quote(name)}={_quote(value)}" for name, value in pairs))
        address = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
        text = "&".join(map(_quote, (request.method, address, query)))
        digest = hmac.new(f"{_quote(CLIENT[1])}&".encode(), text.encode(), _DIGESTS[method]).digest()
        is_fresh = abs(time.time() - int(oauth["oauth_timestamp"])) < 300
        return is_fresh and signature == base64.b64encode(digest).decode()


def _quote(text):
    return quote(text, safe="~")
