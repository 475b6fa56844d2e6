"""Which source a district's roster comes from, by its settings."""

from bot.errors import UserError
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sis.rows import Source


def choose_source(settings: Settings) -> Source | None:
    """Return the source of the roster, or None if no SIS is set.

    Raises:
        UserError: two sources are set, or half of one.
    """
    export, url = settings.sis_oneroster_csv, settings.sis_oneroster_url
    if export and url:
        raise UserError(
            "sis.two_sources",
            "SIS_ONEROSTER_URL and SIS_ONEROSTER_CSV are both set. Keep the one to read, and empty the other.",
        )
    if export:
        return Export(export)
    if not url:
        return None
    client_id, secret = settings.sis_oneroster_client_id, settings.sis_oneroster_client_secret
    if not client_id or not secret:
        raise UserError(
            "sis.no_credentials",
            "SIS_ONEROSTER_URL needs SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET. The SIS shows both where "
            "our client is registered.",
        )
    # The HTTP client is imported only by the districts that need it.
    from bot.sis.oneroster_rest import Server

    return Server(url, client_id, secret.get_secret_value(), settings.sis_oneroster_token_url)
