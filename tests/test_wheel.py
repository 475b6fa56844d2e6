"""The wheel is built, installed with its declared dependencies only, and used outside the clone. Nothing is downloaded."""

import os
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from support.command_line import is_one_readable_line

import bot
from bot.cli import manifest
from bot.settings import Settings

ROOT = Path(bot.__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def install(wheel, folder, *, extras=()):
    """Install a wheel into a new environment; its dependencies are links to those of this environment."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    (installed,) = metadata.distributions(path=[str(packages)])
    for dependency in dependencies(installed, extras):
        for name in {file.parts[0] for file in dependency.files} - {"..", "__pycache__"}:
            (packages / name).symlink_to(dependency.locate_file(name))
    return folder / "bin" / "cleanup-bot"


def dependencies(distribution, extras):
    """Return the distributions of this environment that another one requires, directly or not."""
    found = {}
    pending = [(text, extras) for text in distribution.requires]
    while pending:
        text, extras = pending.pop()
        requirement = Requirement(text)
        applies = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if applies and (requirement.name.lower(), *requirement.extras) not in found:
            required = metadata.distribution(requirement.name)
            found[requirement.name.lower(), *requirement.extras] = required
            pending += [(text, requirement.extras) for text in required.requires or ()]
    return {required.name: required for required in found.values()}.values()


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    return install(wheel, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def with_sandbox(wheel, tmp_path_factory):
    return install(wheel, tmp_path_factory.mktemp("sandbox"), extras=["sandbox"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a command to its end in a folder of its own, without settings and without the clone on the path."""
    folder = tmp_path_factory.mktemp("folder")
    unset = {"PYTHONPATH", *(name.upper() for name in Settings.model_fields)}
    environment = {name: value for name, value in os.environ.items() if name not in unset}

    def run(*command):
        # The tour takes half a minute; a machine that runs other tests needs several times as long.
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )

    return run


def test_every_file_of_the_product_is_in_the_wheel(wheel):
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bot").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        missing = {name for name in files if "__pycache__" not in name} - set(archive.namelist())
    assert missing == set()


def test_version_and_manifest_work_outside_the_clone(run, bare):
    assert run(bare, "--version").stdout == f"cleanup-bot {bot.__version__}\n"
    printed = run(bare, "manifest", "--host", "x.example")
    assert yaml.safe_load(printed.stdout) == yaml.safe_load(manifest.for_host("x.example"))


@pytest.mark.parametrize("command", ["doctor", "sandbox"])
def test_a_bare_installation_names_the_extra_it_lacks(run, bare, command):
    done = run(bare, command)
    assert done.returncode == 1
    assert "contact-cleanup[sandbox]" in done.stderr
    assert is_one_readable_line(done.stderr), done.stderr


def test_doctor_says_what_a_new_installation_lacks(run, with_sandbox):
    done = run(with_sandbox, "doctor")
    assert done.returncode == 1
    assert {line[0] for line in done.stdout.splitlines()} == {"✓", "✗", "·"}
    assert "Traceback" not in done.stderr


def test_sandbox_tour_plays_outside_the_clone(run, with_sandbox):
    done = run(with_sandbox, "sandbox", "--tour")
    assert done.returncode == 0, done.stdout + done.stderr
