"""Which source a district's roster comes from, by its settings."""

from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sis.rows import Source

if TYPE_CHECKING:
    from bot.sis.powerschool_calls import Credentials


def choose_source(settings: Settings) -> Source | None:
    """Return the source of the roster, or None if no SIS is set.

    Raises:
        UserError: two sources are set, or half of one.
    """
    export, url = settings.sis_oneroster_csv, settings.sis_oneroster_url
    if settings.sis_powerschool_url:
        return _choose_powerschool(settings)
    if export and url:
        raise UserError(
            "sis.two_sources",
            "SIS_ONEROSTER_URL and SIS_ONEROSTER_CSV are both set. Keep the one to read, and empty the other.",
        )
    if export:
        return Export(export)
    token, client_id, secret = _credentials(settings, url)
    if not url:
        return None
    # The HTTP client is imported only by the districts that need it.
    from bot.sis.oneroster_rest import Server

    return Server(url, client_id, secret, settings.sis_oneroster_token_url, token=token)


def _credentials(settings: Settings, url: str | None) -> tuple[str, str, str]:
    """Return the token, or the id and the secret of our client; the others are blank."""
    names = ("token", "client_id", "client_secret", "token_url")
    fields = {name: f"sis_oneroster_{name}" for name in names}
    found = [field.upper() for field in fields.values() if getattr(settings, field)]
    token, secret = (settings.secret(fields[name]) or "" for name in ("token", "client_secret"))
    client_id = settings.sis_oneroster_client_id or ""
    if found and not url:
        raise UserError(
            "sis.no_url", f"{found[0]} is set without SIS_ONEROSTER_URL. Set the address of the OneRoster server, too."
        )
    if token and len(found) > 1:
        raise UserError(
            "sis.two_credentials",
            f"SIS_ONEROSTER_TOKEN and {found[1]} are both set. Keep the token, or the client, and empty the other.",
        )
    if url and not token and not (client_id and secret):
        raise UserError(
            "sis.no_credentials",
            "SIS_ONEROSTER_URL needs SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET. The SIS shows both where "
            "our client is registered. A server with a token that does not change needs SIS_ONEROSTER_TOKEN instead.",
        )
    return token, client_id, secret


def _choose_powerschool(settings: Settings) -> Source:
    if settings.sis_oneroster_csv or settings.sis_oneroster_url or settings.sis_contacts_csv:
        raise UserError(
            "sis.two_sources",
            "SIS_POWERSCHOOL_URL is set beside SIS_ONEROSTER_URL, SIS_ONEROSTER_CSV, or SIS_CONTACTS_CSV. PowerSchool has the "
            "contacts, too: keep the one to read, and empty the others.",
        )
    from bot.sis.powerschool_rest import PowerSchool

    return PowerSchool(powerschool_credentials(settings))


def powerschool_credentials(settings: Settings) -> "Credentials":
    """Return the address of PowerSchool and the credentials of our plugin there.

    Raises:
        UserError: one of them is not set.
    """
    from bot.sis.powerschool_calls import Credentials

    url, client_id = settings.sis_powerschool_url, settings.sis_powerschool_client_id
    secret = settings.sis_powerschool_client_secret
    if not url or not client_id or not secret:
        raise UserError(
            "sis.no_credentials",
            "PowerSchool needs SIS_POWERSCHOOL_URL, SIS_POWERSCHOOL_CLIENT_ID, and SIS_POWERSCHOOL_CLIENT_SECRET. It shows the last "
            "two in Plugin Management > our plugin > Data Provider Configuration.",
        )
    return Credentials(url, client_id, secret.get_secret_value())
