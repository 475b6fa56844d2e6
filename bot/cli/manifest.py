"""The app as Slack knows it, read from `manifest.yaml`, and written for one district: with its own host, or for Socket Mode."""

from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parents[2] / "manifest.yaml"
_EXAMPLE_HOST = "cleanup.district.example"
_ADDRESSES = ("url", "request_url")


def read() -> dict[str, Any]:
    """What `manifest.yaml` asks Slack for."""
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return content


def for_host(host: str) -> str:
    """The file, comments and all, for an app that Slack reaches at `host`."""
    return _FILE.read_text(encoding="utf-8").replace(_EXAMPLE_HOST, host)


def for_socket_mode() -> str:
    """The same app for Socket Mode: without addresses, because we call Slack and not Slack us."""
    made = _without_addresses(read())
    made["settings"]["socket_mode_enabled"] = True
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)


def _without_addresses(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_addresses(value) for name, value in part.items() if name not in _ADDRESSES}
    return [_without_addresses(one) for one in part] if isinstance(part, list) else part
