"""What is written for the next developer is held against what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def rooms():
    folders = {f"{one.name}/" for one in (ROOT / "bot").iterdir() if one.is_dir() and one.name != "__pycache__"}
    return folders | {one.name for one in (ROOT / "bot").glob("*.py") if one.name != "__init__.py"}


def test_every_room_has_its_line_and_every_line_its_room():
    house = CONTRIBUTING[CONTRIBUTING.index("| floor") : CONTRIBUTING.index("Beside `bot/`")]
    named = {name for line in house.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[2])}
    assert {name for name in named if "/" not in name[:-1]} == rooms()
    assert [name for name in named if not (ROOT / "bot" / name).exists()] == []
