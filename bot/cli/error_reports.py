"""Errors as reports to Sentry (SENTRY_DSN): the lines of our own log, which hold ids and counts, and nothing else.

A report is built anew from a few fields, because Sentry's own would hold variables, requests, and lines of other packages, in which
names and numbers may stand.
"""

import logging
from typing import Any

import bot
from bot.errors import UserError

_FIELDS = ("event_id", "timestamp", "platform", "level", "logger", "release")


def send_errors(dsn: str) -> None:
    """Report every error that this process logs from now on.

    Raises:
        UserError: the package is not installed, or the DSN is not one of Sentry's.
    """
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError as error:
        sentence = 'SENTRY_DSN is set, but Sentry\'s package is missing. Run: pip install "contact-cleanup[sentry]"'
        raise UserError("sentry.not_installed", sentence) from error
    try:
        sentry_sdk.init(
            dsn,
            release=bot.__version__,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                AtexitIntegration(callback=lambda *_: None),  # The last reports are sent before the process ends.
            ],
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            before_send=only_safe_fields,
        )
    except BadDsn as error:
        raise UserError(
            "sentry.bad_dsn", "SENTRY_DSN is not a DSN of Sentry. Copy it from the project there."
        ) from error


def only_safe_fields(event: Any, _hint: Any) -> Any:
    """Return the report to send for one of Sentry's events, None for a line that another package logged."""
    if not str(event.get("logger", "")).startswith("bot"):
        return None
    entry = event.get("logentry") or {}
    kept = {name: event[name] for name in _FIELDS if name in event}
    return kept | {"logentry": {"message": entry.get("formatted") or entry.get("message")}}
