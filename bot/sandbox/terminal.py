"""Block Kit as a terminal shows it: what somebody reads in Slack, as text with bold and italics, buttons in brackets."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

Block = Mapping[str, Any]
Names = Mapping[str, str]

_RULE = "─" * 60
_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}
_MARKED = re.compile(r"(?<![\w\u200b])([*_~`])(?=\S)(.+?)(?<=\S)\1(?![\w\u200b])")
_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def drawn(blocks: Sequence[Block], names: Names | None = None) -> Text:
    """The blocks, a line or more each; `names` says who or what a user or channel id is."""
    lines = [line for block in blocks for line in _block(block, names or {})]
    return Text("\n").join(lines)


def _block(block: Block, names: Names) -> Iterator[Text]:
    draw = _DRAWERS.get(block["type"])
    if draw:
        yield from draw(block, names)


def _header(block: Block, _names: Names) -> Iterator[Text]:
    yield Text(block["text"]["text"], style="bold underline")


def _section(block: Block, names: Names) -> Iterator[Text]:
    if "text" in block:
        yield from _lines(block["text"], names)
    for field in block.get("fields", ()):
        yield from _lines(field, names)
    if "accessory" in block:
        yield Text(f"    {_element(block['accessory'])}", style="blue")


def _context(block: Block, names: Names) -> Iterator[Text]:
    for element in block["elements"]:
        if "text" in element:
            for line in _lines(element, names):
                line.stylize("dim")
                yield line


def _actions(block: Block, _names: Names) -> Iterator[Text]:
    yield Text("  ".join(map(_element, block["elements"])), style="blue")


def _divider(_block: Block, _names: Names) -> Iterator[Text]:
    yield Text(_RULE, style="dim")


def _input(block: Block, _names: Names) -> Iterator[Text]:
    element = block["element"]
    held = element.get("initial_value") or _label(element.get("initial_option", {}))
    yield Text.assemble((f"{block['label']['text']}: ", "bold"), f"[{held}]")


_DRAWERS: dict[str, Callable[[Block, Names], Iterator[Text]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "input": _input,
}


def _element(element: Block) -> str:
    """A button by its text, a menu by what is chosen in it or what it asks for."""
    if element["type"] == "button":
        return f"[{_label(element)}]"
    return f"[{_label(element.get('initial_option', {})) or element.get('placeholder', {}).get('text', 'Choose')} ▾]"


def _label(thing: Block) -> str:
    return str(thing["text"]["text"]) if "text" in thing else ""


def _lines(text: Block, names: Names) -> Iterator[Text]:
    for line in text["text"].split("\n"):
        yield marked(line, names) if text["type"] == "mrkdwn" else Text(line)


def marked(line: str, names: Names) -> Text:
    """One line of mrkdwn with its bold, italic and struck words, its dates, people, channels and links resolved."""
    drawn, at = Text(), 0
    for match in _MARKED.finditer(line):
        drawn.append(_plain(line[at : match.start()], names))
        inside = marked(match[2], names) if match[1] != "`" else Text(_plain(match[2], names))
        inside.stylize(_STYLES[match[1]])
        drawn.append_text(inside)
        at = match.end()
    return drawn.append(_plain(line[at:], names))


def _plain(text: str, names: Names) -> str:
    said = _REFERENCE.sub(lambda match: _reference(match[1], match[2], names), text)
    for entity, character in _ENTITIES.items():
        said = said.replace(entity, character)
    return said.replace("\u200b", "")


def _reference(target: str, label: str | None, names: Names) -> str:
    """`<@U1>`, `<#C1>`, `<!date^…|Nov 23>`, `<https://…|here>`."""
    if target[0] in "@#":
        return f"{target[0]}{names.get(target[1:], label or target[1:])}"
    return label or target.removeprefix("!")
