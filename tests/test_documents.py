"""README and CONTRIBUTING describe what is in the repository."""

import re
from pathlib import Path

from pydantic import SecretStr

from bot.providers import registry
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_contributing_describes_every_package_and_no_other():
    table = CONTRIBUTING[CONTRIBUTING.index("| layer") : CONTRIBUTING.index("`tests/` mirrors")]
    described = {
        name for line in table.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[2])
    }
    entries = [entry for entry in (ROOT / "bot").iterdir() if entry.name not in {"__init__.py", "__pycache__"}]
    assert described == {f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries}


def test_readme_names_every_setting_and_no_other():
    table = README[README.index("| setting") : README.index("A mass message, as the sender")]
    named = {
        name.lower() for line in table.strip().splitlines()[2:] for name in re.findall("`([^`]+)`", line.split("|")[1])
    }
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None}
    assert named <= set(Settings.model_fields)
    assert set(Settings.model_fields) - secrets <= named
    assert {provider.SECRET for provider in registry.BY_NAME.values()} <= named
