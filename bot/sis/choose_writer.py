"""Which SIS takes new numbers, by a district's settings."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.http_calls import Patience
from bot.settings import Settings
from bot.sis.choose_source import powerschool_credentials

if TYPE_CHECKING:
    from bot.sis.aeries_calls import Certificate
    from bot.sis.powerschool_calls import Credentials
    from bot.sis.write_plan import ContactWriter

_PATIENCE = Patience(silence=30.0, answer=60.0, waiting=60.0, attempts=3)


def choose_writer(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]] | None":
    """Return what opens a round of writes, or None if nothing is written back.

    Raises:
        UserError: the credentials for it are not set.
    """
    if settings.sis_write_back is None:
        return None
    if settings.sis_write_back == "powerschool":
        return partial(_open_powerschool, powerschool_credentials(settings), settings.phone_region)
    return partial(_open_aeries, aeries_certificate(settings), settings.phone_region)


# The HTTP clients are imported only by the districts that need them.
@contextmanager
def _open_powerschool(credentials: "Credentials", region: str) -> "Iterator[ContactWriter]":
    from bot.sis.powerschool_calls import Calls
    from bot.sis.powerschool_contacts import ContactPhones

    with Calls.open(credentials, _PATIENCE) as calls:
        yield ContactPhones(calls, region=region)


@contextmanager
def _open_aeries(certificate: "Certificate", region: str) -> "Iterator[ContactWriter]":
    from bot.sis.aeries_calls import AeriesCalls
    from bot.sis.aeries_contacts import AeriesContacts

    with AeriesCalls.open(certificate, _PATIENCE) as calls:
        yield AeriesContacts(calls, region=region)


def aeries_certificate(settings: Settings) -> "Certificate":
    """Return the address of Aeries and our certificate there.

    Raises:
        UserError: one of them is not set.
    """
    from bot.sis.aeries_calls import Certificate

    url, certificate = settings.sis_aeries_url, settings.secret("sis_aeries_certificate")
    if not url or not certificate:
        raise UserError(
            "sis.no_credentials",
            "Aeries needs SIS_AERIES_URL and SIS_AERIES_CERTIFICATE. It shows the certificate in Security > API Security.",
        )
    return Certificate(url, certificate)


def probe_aeries(settings: Settings) -> str:
    """Try our certificate, and return what it is good for.

    Raises:
        UserError: as `aeries_certificate`; or Aeries does not accept it, or does not answer.
    """
    from bot.sis.aeries_calls import AeriesCalls

    with AeriesCalls.open(aeries_certificate(settings), _PATIENCE) as calls:
        return calls.probe()
