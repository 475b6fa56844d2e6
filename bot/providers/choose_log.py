"""Which message logs a district pulls, by its settings."""

from bot.errors import UserError
from bot.providers.message_log import MessageLog
from bot.settings import Settings


def choose_logs(settings: Settings) -> dict[str, MessageLog]:
    """Return the logs whose credentials are set, by the name of the provider."""
    credentials = settings.secret("pull_twilio")
    if not credentials:
        return {}
    # The HTTP client is imported only by the districts that need it.
    from bot.providers.twilio_log import TwilioLog

    return {TwilioLog.provider: TwilioLog.from_setting(credentials, url=settings.pull_twilio_url)}


def choose_log(settings: Settings, provider: str) -> MessageLog:
    """Return the log of a provider.

    Raises:
        UserError: its credentials are not set, or its log cannot be pulled.
    """
    if provider != "twilio":
        raise UserError("pull.no_provider", "Only the log of twilio can be pulled. Run: cleanup-bot pull twilio")
    if log := choose_logs(settings).get(provider):
        return log
    sentence = "PULL_TWILIO is not set. Set it to the account SID with an API key, AC…:SK…:secret, or its auth token, AC…:token."
    raise UserError("pull.not_set", sentence)
