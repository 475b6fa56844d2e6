"""Which SIS takes new numbers, by a district's settings."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.http_calls import Patience
from bot.settings import Settings
from bot.sis.choose_source import powerschool_credentials

if TYPE_CHECKING:
    from bot.sis.aeries_calls import Certificate
    from bot.sis.write_plan import ContactWriter

_PATIENCE = Patience(silence=30.0, answer=60.0, waiting=60.0, attempts=3)


def choose_writer(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]] | None":
    """Return what opens a round of writes, or None if nothing is written back.

    Raises:
        UserError: the credentials for it are not set.
    """
    if settings.sis_write_back is None:
        return None
    return _open_powerschool(settings) if settings.sis_write_back == "powerschool" else _open_aeries(settings)


# The HTTP clients are imported only by the districts that need them.
def _open_powerschool(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]]":
    from bot.sis.powerschool_calls import Calls
    from bot.sis.powerschool_contacts import ContactPhones

    credentials = powerschool_credentials(settings)

    @contextmanager
    def open_writer() -> "Iterator[ContactWriter]":
        with Calls.open(credentials, _PATIENCE) as calls:
            yield ContactPhones(calls, region=settings.phone_region)

    return open_writer


def _open_aeries(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]]":
    from bot.sis.aeries_calls import AeriesCalls
    from bot.sis.aeries_contacts import AeriesContacts

    certificate = aeries_certificate(settings)

    @contextmanager
    def open_writer() -> "Iterator[ContactWriter]":
        with AeriesCalls.open(certificate, _PATIENCE) as calls:
            yield AeriesContacts(calls, region=settings.phone_region)

    return open_writer


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
