"""The two times that we call a provider: for the certificate it signs with, and to confirm that it may send to us."""

from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

_SECONDS = 5
_MOST = 100_000


class _Stays(HTTPRedirectHandler):
    """Follows no redirect: whoever checked an address checked that one and no other."""

    def redirect_request(self, *_request: Any) -> None:
        return None


def call(url: str) -> bytes:
    """What is at `url`, whose host the caller has checked; through the proxy of the district, if HTTPS_PROXY names one.

    Raises:
        HTTPError: the answer was not a good one, or a redirect.
        OSError: there was no answer within five seconds.
    """
    try:
        with build_opener(_Stays).open(url, timeout=_SECONDS) as answer:
            body: bytes = answer.read(_MOST)
            return body
    except HTTPError as problem:
        problem.close()
        raise
