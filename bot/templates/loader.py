"""Texts of several paragraphs as Jinja2 templates: digests, help, and emails. A district can replace each with its own file.

A template that names a value that does not exist raises an error instead of leaving a gap in a sentence.
"""

from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

from bot.domain.display import plural


class Templates:
    """The templates of this folder; files in `override` take precedence."""

    def __init__(self, override: Path | None = None) -> None:
        package = PackageLoader("bot", "templates")
        loader = ChoiceLoader([FileSystemLoader(override), package]) if override else package
        # The output is Slack's mrkdwn or plain text, whose escaping is not HTML's; `blocks.escaped` is applied where names go in.
        self._environment = Environment(  # noqa: S701
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
        )
        self._environment.filters["count"] = plural
        self._environment.filters["number"] = "{:,}".format

    def render(self, name: str, **values: Any) -> str:
        """Return the text of a template.

        Raises:
            UndefinedError: the template uses a value that was not given.
        """
        return self._environment.get_template(name).render(**values).strip()
