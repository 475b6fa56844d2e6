"""Where a district's roster comes from, by its settings. What asks a server is imported only where one is asked."""

from bot.errors import UserError
from bot.settings import Settings
from bot.sis.oneroster_csv import Export
from bot.sis.rows import Source
from bot.wording import say


def source_of(settings: Settings) -> Source | None:
    """Where this district's roster comes from, or None where no SIS is set.

    Raises:
        UserError: two are set, or half of one.
    """
    export, url = settings.sis_oneroster_csv, settings.sis_oneroster_url
    if export and url:
        raise UserError(say("sis.chosen.both"))
    if export:
        return Export(export)
    return _sis_server(settings, url) if url else None


def _sis_server(settings: Settings, url: str) -> Source:
    from bot.sis.oneroster_rest import Server

    client_id, secret = settings.sis_oneroster_client_id, settings.sis_oneroster_client_secret
    if not client_id or not secret:
        raise UserError(say("sis.chosen.half"))
    return Server(url, client_id, secret.get_secret_value(), settings.sis_oneroster_token_url)
