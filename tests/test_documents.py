"""What the README and CONTRIBUTING tell is held against what is there."""

import re
from pathlib import Path

from pydantic import SecretStr

from bot import providers
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def rooms():
    folders = {f"{one.name}/" for one in (ROOT / "bot").iterdir() if one.is_dir() and one.name != "__pycache__"}
    return folders | {one.name for one in (ROOT / "bot").glob("*.py") if one.name != "__init__.py"}


def test_every_room_has_its_line_and_every_line_its_room():
    house = CONTRIBUTING[CONTRIBUTING.index("| floor") : CONTRIBUTING.index("Beside `bot/`")]
    named = {name for line in house.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[2])}
    assert {name for name in named if "/" not in name[:-1]} == rooms()
    assert [name for name in named if not (ROOT / "bot" / name).exists()] == []


def test_the_readme_names_every_setting_and_nothing_else():
    table = README[README.index("| setting") : README.index("A mass message, as the sender")]
    named = {
        name.lower() for line in table.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[1])
    }
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None}
    assert named <= set(Settings.model_fields)
    assert set(Settings.model_fields) - secrets <= named
    assert {provider.SECRET for provider in providers.BY_NAME.values()} <= named
