"""Whatever is said to people in fewer words than a template has: each sentence has a name and stands in `wording.toml`.

A sentence that names a value nobody gave is an error, never an empty place in it. Whoever says it
escapes names that go into Slack; braces in a value are safe, those of a sentence itself are doubled.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files


def say(name: str, count: int | None = None, /, **values: object) -> str:
    """The sentence of that name, `section.sentence`, with the values in their places.

    Where it is said of a number, it has two forms, and `count` chooses between `one` and `many`; it may stand in them itself.

    Raises:
        KeyError: there is no such sentence, or it names a value that was not given.
    """
    if count is None:
        return sentences()[name].format(**values)
    form = "one" if count == 1 else "many"
    return sentences()[f"{name}.{form}"].format(count=count, **values)


@cache
def sentences() -> dict[str, str]:
    """Every sentence under its name; those that are said of a number end in `.one` and `.many`."""
    written = tomllib.loads(files("bot").joinpath("wording.toml").read_text(encoding="utf-8"))
    return dict(_named("", written))


def _named(before: str, written: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, said in written.items():
        if isinstance(said, dict):
            yield from _named(f"{before}{name}.", said)
        else:
            yield f"{before}{name}", str(said)
