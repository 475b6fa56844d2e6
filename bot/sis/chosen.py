"""Where a district's roster comes from, by its settings. What asks a server is imported only where one is asked."""

from bot.errors import UserError
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sis.rows import Source


def source_of(settings: Settings) -> Source | None:
    """Where this district's roster comes from, or None where no SIS is set.

    Raises:
        UserError: two are set, or half of one.
    """
    export, url = settings.sis_oneroster_csv, settings.sis_oneroster_url
    if export and url:
        raise UserError(
            "sis.both",
            "SIS_ONEROSTER_URL and SIS_ONEROSTER_CSV are both set. Keep the one to read, and empty the other.",
        )
    if export:
        return Export(export)
    return _sis_server(settings, url) if url else None


def _sis_server(settings: Settings, url: str) -> Source:
    from bot.sis.oneroster_rest import Server

    client_id, secret = settings.sis_oneroster_client_id, settings.sis_oneroster_client_secret
    if not client_id or not secret:
        raise UserError(
            "sis.half",
            (
                "SIS_ONEROSTER_URL needs SIS_ONEROSTER_CLIENT_ID and SIS_ONEROSTER_CLIENT_SECRET. The SIS "
                "shows both where it registers our client."
            ),
        )
    return Server(url, client_id, secret.get_secret_value(), settings.sis_oneroster_token_url)
