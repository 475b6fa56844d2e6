"""The documents describe what is in the repository."""

import re
from pathlib import Path

import pytest

from bot.cli.app import COMMANDS
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_contributing_describes_every_package_and_no_other():
    table = CONTRIBUTING[CONTRIBUTING.index("| layer") : CONTRIBUTING.index("`tests/` mirrors")]
    described = {
        name for line in table.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[2])
    }
    entries = [entry for entry in (ROOT / "bot").iterdir() if entry.name not in {"__init__.py", "__pycache__"}]
    assert described == {f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries}


def test_settings_are_described_each_once_and_no_other():
    rows = [line.split("|")[1] for line in SETTINGS.splitlines() if line.startswith("| `")]
    described = [name.lower() for row in rows for name in re.findall("`([^`]+)`", row)]
    assert sorted(described) == sorted(Settings.model_fields)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_commands_exist(path):
    document = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []
    assert set(re.findall(r"cleanup-bot ([a-z][a-z-]*)", document)) <= set(COMMANDS)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)`", document)) <= set(targets)
