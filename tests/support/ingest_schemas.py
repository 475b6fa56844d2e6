"""The JSON Schemas of `docs/schemas/`."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def validator(name, part=None):
    """Return a validator of a request, or of a part that the schema defines: a row, `answer`, `error`."""
    schema = load(name)
    part_of_schema = {"$defs": schema["$defs"], "$ref": f"#/$defs/{part}"}
    return Draft202012Validator(part_of_schema if part else schema)
