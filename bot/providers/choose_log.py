"""Which message logs a district pulls, by its settings."""

from bot.errors import UserError
from bot.providers.message_log import MessageLog
from bot.settings import PULL_CREDENTIALS, Settings

_PROVIDERS = ("plivo", "telnyx", "twilio", "vonage")


def choose_logs(settings: Settings) -> dict[str, MessageLog]:
    """Return the logs whose credentials are set, by the name of the provider."""
    credentials = {provider: settings.secret(f"pull_{provider}") for provider in _PROVIDERS}
    return {provider: _open(settings, provider, secret) for provider, secret in credentials.items() if secret}


def choose_log(settings: Settings, provider: str) -> MessageLog:
    """Return the log of a provider.

    Raises:
        UserError: its credentials are not set, or its log cannot be pulled.
    """
    if provider not in _PROVIDERS:
        sentence = "Only the logs of plivo, telnyx, twilio, and vonage can be pulled. Run, for example: cleanup-bot pull twilio"
        raise UserError("pull.no_provider", sentence)
    setting = f"pull_{provider}"
    if secret := settings.secret(setting):
        return _open(settings, provider, secret)
    _, description = PULL_CREDENTIALS[setting]
    raise UserError("pull.not_set", f"{setting.upper()} is not set. Set it to {description}.")


def _open(settings: Settings, provider: str, secret: str) -> MessageLog:
    # The HTTP client is imported only by the districts that need it.
    if provider == "plivo":
        from bot.providers.plivo_log import PlivoLog

        return PlivoLog.from_setting(secret, url=settings.pull_plivo_url)
    if provider == "telnyx":
        from bot.providers.telnyx_log import TelnyxLog

        return TelnyxLog(secret, settings.pull_telnyx_url)
    if provider == "vonage":
        from bot.providers.vonage_log import VonageLog

        return VonageLog.from_setting(secret, url=settings.pull_vonage_url)
    from bot.providers.twilio_log import TwilioLog

    return TwilioLog.from_setting(secret, url=settings.pull_twilio_url)
