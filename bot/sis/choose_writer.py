"""Which SIS takes new numbers, by a district's settings."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from bot.http_calls import Patience
from bot.settings import Settings
from bot.sis.choose_source import powerschool_credentials

if TYPE_CHECKING:
    from bot.sis.write_plan import ContactWriter

_PATIENCE = Patience(silence=30.0, answer=60.0, waiting=60.0, attempts=3)


def choose_writer(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]] | None":
    """Return what opens a round of writes, or None if nothing is written back.

    Raises:
        UserError: the credentials for it are not set.
    """
    if settings.sis_write_back is None:
        return None
    return _open_powerschool(settings)


def _open_powerschool(settings: Settings) -> "Callable[[], AbstractContextManager[ContactWriter]]":
    # The HTTP client is imported only by the districts that need it.
    from bot.sis.powerschool_calls import Calls
    from bot.sis.powerschool_contacts import ContactPhones

    credentials = powerschool_credentials(settings)

    @contextmanager
    def open_writer() -> "Iterator[ContactWriter]":
        with Calls.open(credentials, _PATIENCE) as calls:
            yield ContactPhones(calls, region=settings.phone_region)

    return open_writer
