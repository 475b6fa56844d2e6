"""Lines of the log as JSON, for systems that collect them."""

import logging

from pythonjsonlogger.json import JsonFormatter

from bot.web.responses import current_request_id

_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if request_id := current_request_id():
            record.request_id = request_id
        return True


def log_as_json() -> None:
    """Write every line from now on as a JSON object: time, level, logger, message, and the id of the request if there is one."""
    formatter = JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=_FIELDS)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
        handler.addFilter(_WithRequestId())
