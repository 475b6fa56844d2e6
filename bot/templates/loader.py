"""Prose of several paragraphs: digests, help and mail as Jinja2 templates, any of which a district can replace with its own file.

A template that names a value nobody gave is an error, never an empty place in a sentence.
"""

from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined


class Templates:
    """The templates of this folder, with those of `override` in front."""

    def __init__(self, override: Path | None = None) -> None:
        ours = PackageLoader("bot", "templates")
        loader = ChoiceLoader([FileSystemLoader(override), ours]) if override else ours
        # The output is Slack's mrkdwn or plain text, whose escaping is not HTML's; `escaped` is applied where names go in.
        self._templates = Environment(  # noqa: S701
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
        )
        self._templates.filters["count"] = _counted

    def render(self, name: str, **values: Any) -> str:
        """The text of one template; raises `UndefinedError` when it asks for a value that was not given."""
        return self._templates.get_template(name).render(**values).strip()


def _counted(number: int, one: str, many: str | None = None) -> str:
    """`1 student`, `1,204 students`; `many` where an s does not make it."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
