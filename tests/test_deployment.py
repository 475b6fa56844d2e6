"""The files by which a district runs the product: image, compose file, units, and Procfile name what exists."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import bot
from bot.cli.app import COMMANDS
from bot.settings import Settings

ROOT = Path(bot.__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))


def instructions(name):
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def copied_from_the_clone():
    """Return the names that the image takes from the clone."""
    copied = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return {name for *names, _ in copied for name in names}


def test_image_runs_every_process_as_a_user_without_rights():
    (entry,), (command,), (user,) = map(instructions, ("ENTRYPOINT", "CMD", "USER"))
    assert json.loads(entry) == ["cleanup-bot"]
    assert json.loads(command)[0] in COMMANDS
    assert user not in {"root", "0"}
    (health,) = re.findall(r"HEALTHCHECK .* CMD (.*)", DOCKERFILE)
    assert json.loads(health)[1] in COMMANDS


def test_image_is_built_from_locked_packages_and_a_wheel_of_what_it_copies(tmp_path):
    for line in instructions("RUN"):
        for part in line.split("&&"):
            if "pip install" in part:
                assert "--require-hashes" in part or "--no-index" in part
    for name in copied_from_the_clone():
        source, target = ROOT / name, tmp_path / name
        ignore = shutil.ignore_patterns("__pycache__")
        _ = shutil.copytree(source, target, ignore=ignore) if source.is_dir() else shutil.copy(source, target)
    build = next(line for line in instructions("RUN") if "hatchling" in line).partition(" && ")[0].split()
    subprocess.run([sys.executable, *build[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert [path.suffix for path in (tmp_path / "dist").iterdir()] == [".whl"]


def test_everything_that_the_image_copies_reaches_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    assert copied_from_the_clone() == {line[1:] for line in lines if line.startswith("!")}


def test_compose_file_runs_the_image_with_settings_that_exist():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    ours = {name: service for name, service in compose["services"].items() if service.get("image") == "contact-cleanup"}
    assert {service["command"] for service in ours.values()} == {"migrate", "web", "clock"}
    for service in ours.values():
        assert {name.lower() for name in service["environment"]} <= set(Settings.model_fields)
        assert service["read_only"] is True
        assert set(service["depends_on"]) <= set(compose["services"])
    assert ours["web"].get("healthcheck") is None
    assert ours["clock"]["healthcheck"] == {"disable": True}
    assert all(port.startswith("127.0.0.1:") for port in ours["web"]["ports"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_units_are_valid(unit, tmp_path):
    text = unit.read_text()
    command = re.search(r"^ExecStart=(\S+/cleanup-bot) (\S+)$", text, re.MULTILINE)
    assert command[2] in COMMANDS
    # The path is that of an installation, which is not here.
    copy = tmp_path / unit.name
    copy.write_text(text.replace(command[1], shutil.which("true")))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_list_of_packages_has_every_locked_one(tmp_path):
    command = re.search(r"^\t\$\(PY\) (.* cyclonedx_py .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    target = tmp_path / "sbom.json"
    options = command.replace("dist/sbom.json", str(target)).split()
    subprocess.run([sys.executable, *options], cwd=ROOT, check=True, capture_output=True)
    listed = {(part["name"], part["version"]) for part in json.loads(target.read_text())["components"]}
    locked = re.findall(r"^([a-zA-Z0-9._-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert listed == set(locked)


def test_procfile_names_commands():
    named = re.findall(r"^\w+: python -m bot\.cli (\S+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert len(named) == 3
    assert set(named) <= set(COMMANDS)
