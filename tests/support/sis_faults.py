"""Faults of local SIS servers: each spoils the next request that it fits."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response


@dataclass
class Fault:
    """Replaces the response to a request whose "METHOD path" matches: before it is done, or with `after` only then."""

    request: str
    answer: Callable[[Any], Response]
    after: bool = False
    times: int = 1


def take_fault(faults, name, *, after):
    fault = next((each for each in faults if each.after == after and re.search(each.request, name)), None)
    if fault:
        fault.times -= 1
        if not fault.times:
            faults.remove(fault)
    return fault


def responding(status, body=None, **headers):
    headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda _request: JSONResponse(body or {}, status, headers=headers)


def disconnect(request):
    """Close the connection without a response."""
    request.scope["slack.drop_connection"]()
    return Response()
