"""Block Kit as a terminal shows it: text with bold and italics, buttons in brackets."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

Block = Mapping[str, Any]
# Display names by user or channel id.
Names = Mapping[str, str]

_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}
_STYLED = re.compile(r"(?<![\w\u200b])([*_~`])(?=\S)(.+?)(?<=\S)\1(?![\w\u200b])")
_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def render_blocks(blocks: Sequence[Block], names: Names | None = None) -> Text:
    """The blocks, each on one or more lines."""
    return Text("\n").join([line for block in blocks for line in _block_lines(block, names or {})])


def _block_lines(block: Block, names: Names) -> Iterator[Text]:
    match block["type"]:
        case "header":
            yield Text(block["text"]["text"], style="bold underline")
        case "section":
            yield from _section_lines(block, names)
        case "context":
            texts = [element for element in block["elements"] if "text" in element]
            for line in (line for text in texts for line in _text_lines(text, names)):
                line.stylize("dim")
                yield line
        case "actions":
            yield Text("  ".join(map(_element_label, block["elements"])), style="blue")
        case "divider":
            yield Text("─" * 60, style="dim")
        case "input":
            element = block["element"]
            value = element.get("initial_value") or _text_of(element.get("initial_option", {}))
            yield Text.assemble((f"{block['label']['text']}: ", "bold"), f"[{value}]")


def _section_lines(block: Block, names: Names) -> Iterator[Text]:
    for text in (*([block["text"]] if "text" in block else []), *block.get("fields", ())):
        yield from _text_lines(text, names)
    if "accessory" in block:
        yield Text(f"    {_element_label(block['accessory'])}", style="blue")


def _element_label(element: Block) -> str:
    """A button's text, or a menu's selected option or placeholder."""
    if element["type"] == "button":
        return f"[{_text_of(element)}]"
    return f"[{_text_of(element.get('initial_option', {})) or element.get('placeholder', {}).get('text', 'Choose')} ▾]"


def _text_of(composed: Block) -> str:
    return str(composed["text"]["text"]) if "text" in composed else ""


def _text_lines(text: Block, names: Names) -> Iterator[Text]:
    for line in text["text"].split("\n"):
        yield render_mrkdwn(line, names) if text["type"] == "mrkdwn" else Text(line)


def render_mrkdwn(line: str, names: Names) -> Text:
    """One line of mrkdwn with its styles, and its dates, people, channels and links resolved."""
    rendered, end = Text(), 0
    for match in _STYLED.finditer(line):
        rendered.append(_resolved(line[end : match.start()], names))
        inner = render_mrkdwn(match[2], names) if match[1] != "`" else Text(_resolved(match[2], names))
        inner.stylize(_STYLES[match[1]])
        rendered.append_text(inner)
        end = match.end()
    return rendered.append(_resolved(line[end:], names))


def _resolved(text: str, names: Names) -> str:
    text = _REFERENCE.sub(lambda match: _reference(match[1], match[2], names), text)
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text.replace("\u200b", "")


def _reference(target: str, label: str | None, names: Names) -> str:
    """`<@U1>`, `<#C1>`, `<!date^…|Nov 23>`, `<https://…|here>`."""
    if target[0] in "@#":
        return f"{target[0]}{names.get(target[1:], label or target[1:])}"
    return label or target.removeprefix("!")
