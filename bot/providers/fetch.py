"""The two requests that we make to a provider: to fetch its signing certificate, and to confirm a subscription."""

from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

_TIMEOUT_SECONDS = 5
_MAX_BYTES = 100_000


class _NoRedirects(HTTPRedirectHandler):
    """Refuses redirects, because the caller has checked only this URL."""

    def redirect_request(self, *_request: Any) -> None:
        return None


def fetch(url: str) -> bytes:
    """Return what is at `url`, whose host the caller has checked. Goes through HTTPS_PROXY if that is set.

    Raises:
        HTTPError: the answer is an error or a redirect.
        OSError: there was no answer within five seconds.
    """
    try:
        with build_opener(_NoRedirects).open(url, timeout=_TIMEOUT_SECONDS) as response:
            body: bytes = response.read(_MAX_BYTES)
            return body
    except HTTPError as problem:
        problem.close()
        raise
