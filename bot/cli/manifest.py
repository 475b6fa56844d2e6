"""`manifest.yaml`, the Slack app as an installation needs it: with the district's host, or for Socket Mode.

The file is at the top of a clone; the wheel has a copy of it beside this module.
"""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

_CLONE, _WHEEL = Path(__file__).parents[2] / "manifest.yaml", Path(__file__).with_name("manifest.yaml")
_EXAMPLE_HOST = "cleanup.district.example"
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:\d{1,5})?", re.IGNORECASE)


def manifest(
    *,
    host: Annotated[
        str | None, typer.Option(help="The name under which Slack reaches us, such as cleanup.ourdistrict.org.")
    ] = None,
    socket_mode: Annotated[
        bool, typer.Option("--socket", help="For Socket Mode, where Slack cannot reach us.")
    ] = False,
) -> None:
    """Print the manifest from which to create the Slack app."""
    if (host is None) != socket_mode:
        raise typer.BadParameter("give either --host or --socket")
    if host is not None and not _HOST.fullmatch(host):
        raise typer.BadParameter("--host is a name such as cleanup.ourdistrict.org, without https:// and path")
    typer.echo(for_socket_mode() if host is None else for_host(host))


def read() -> dict[str, Any]:
    """Return the content of `manifest.yaml`."""
    import yaml

    content: dict[str, Any] = yaml.safe_load(_text())
    return content


def for_host(host: str) -> str:
    """Return the file, comments included, for an app that Slack reaches at `host`."""
    return _text().replace(_EXAMPLE_HOST, host)


def for_socket_mode() -> str:
    """Return the manifest without addresses: in Socket Mode we call Slack."""
    import yaml

    content = _without_addresses(read())
    content["settings"]["socket_mode_enabled"] = True
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _text() -> str:
    path = _WHEEL if _WHEEL.exists() else _CLONE
    return path.read_text(encoding="utf-8")


def _without_addresses(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_addresses(value) for name, value in part.items() if name not in {"url", "request_url"}}
    return [_without_addresses(item) for item in part] if isinstance(part, list) else part
