"""Snapshots of what people read: one text file per card or message, so that a better sentence changes one file.

`assert draw(message) == snapshot` compares; `pytest --snapshot-update` writes the files anew.
"""

import re

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bot.slack.kit import blocks

_SLACK_DATE = re.compile(r"<!date\^\d+\^([^|]*)\|[^>]*>")
_TOKEN = re.compile(r"\{\w+\}")
_READ_DATE = re.compile(r"\b[A-Z][a-z]{2} \d{1,2}, \d{4}(?:, \d\d:\d\d UTC| \(UTC\))")
_READ_TIME = re.compile(r"\d\d:\d\d UTC on <date>")
_ISO_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_REFERENCE = re.compile(r"(?<=reference )[0-9A-F]{6}\b")
_POINT = re.compile(r"\b[A-Z][a-z]{2}\u00a0\d{1,2}:")  # Of a chart.
# Numbers of the builders in `support.people` count from one; a test that shows a number gives a higher one itself.
_BUILT_NUMBER = re.compile(r"(?<=••• )00\d\d\b")


class TextExtension(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT

    def serialize(self, data, **_options):
        return f"{data}\n"


@pytest.fixture
def snapshot(snapshot):
    return snapshot.use_extension(TextExtension)


def _date(match):
    return "<date and time>" if "{time}" in match[1] else _TOKEN.sub("<date>", match[1])


def normalized(text):
    """Replace what differs from run to run: dates, reference ids, and counted numbers. Non-breaking spaces become spaces."""
    text = text.replace("\u00a0", " ")
    text = _SLACK_DATE.sub(_date, text)
    text = _READ_TIME.sub("<time> on <date>", _ISO_DATE.sub("<date>", _READ_DATE.sub("<date>", text)))
    return _BUILT_NUMBER.sub("00··", _REFERENCE.sub("······", text))


def draw(place):
    """Return what a message, a dialog, or the Home tab shows, as lines of text: [buttons], (menus ▾), and fields."""
    view = getattr(place, "body", {})
    title = [f"═ {view['title']['text']} ═"] if "title" in view else []
    lines = [line for block in place.blocks for line in _block(block)] or [place.text]
    submit = [f"[[{view['submit']['text']}]]"] if "submit" in view else []
    return normalized("\n".join([*title, *lines, *submit]))


def _block(block):
    match block["type"]:
        case "header":
            return [f"# {block['text']['text']}"]
        case "divider":
            return ["---"]
        case "context":
            return [f"> {element['text']}" for element in block["elements"]]
        case "actions":
            return [" ".join(map(_element, block["elements"]))]
        case "container" | "input" | "data_visualization" | "data_table":
            return {"container": _container, "input": _input}.get(block["type"], _figures)(block)
    texts = [block["text"], *block.get("fields", [])] if "text" in block else block["fields"]
    accessory = [_element(block["accessory"])] if "accessory" in block else []
    return [*(text["text"] for text in texts), *accessory]


def _container(block):
    lines = [line for child in block["child_blocks"] for line in _block(child)]
    return [f"▸ {block['title']['text']}", *(f"  {line}" for line in "\n".join(lines).splitlines())]


def _figures(block):
    lines = (_POINT.sub("<day>:", line) for plain in blocks.plainer([block]) for line in _block(plain))
    return [f"[{block['type']}]", *lines]


def _input(block):
    element = block["element"]
    optional = " (optional)" if block.get("optional") else ""
    shown = element.get("initial_value") or element.get("initial_date") or ""
    hint = [f"  ({block['hint']['text']})"] if "hint" in block else []
    label = f"{block['label']['text']}{optional}"
    return [f"{label}: {shown}" if shown else label, *_options(element), *hint]


def _options(element):
    chosen = element.get("initial_option")
    for option in element.get("options", []):
        description = f": {option['description']['text']}" if "description" in option else ""
        yield f"  {'●' if option == chosen else '○'} {option['text']['text']}{description}"


def _element(element):
    match element["type"]:
        case "button":
            style = {"primary": "!", "danger": "x "}.get(element.get("style"), "")
            return f"[{style}{element['text']['text']}]"
        case "overflow":
            return f"(… {' | '.join(option['text']['text'] for option in element['options'])})"
    chosen = element.get("initial_option", {}).get("text") or element["placeholder"]
    return f"({chosen['text']} ▾)"
