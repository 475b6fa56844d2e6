"""A OneRoster bundle on disk: a folder or a zip with its files at the root or in one folder, names in any case.

Nothing of a zip is ever written to disk; one that names paths outside itself, or that swells, is refused as a whole.
"""

import hashlib
import io
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import NamedTuple, cast

from bot.errors import UserError

MOST_FILES = 2_000
MOST_BYTES = 20 * 1024**3
SWOLLEN_BYTES = 64 * 1024**2
SWOLLEN_RATIO = 250
"""Real rosters shrink 5 to 40 times; a larger file that shrank more was made to fill a disk."""
AT_REST = 60
"""Seconds without a write, after which another one is sure to change the time of the file: some disks count in whole seconds."""


@dataclass(frozen=True)
class BundleFile:
    """A file of a bundle: its bare name, its size in bytes, and how to read it from the start."""

    name: str
    size: int
    open: Callable[[], io.BufferedReader]


class Standing(NamedTuple):
    """A file as the disk knows it: whoever writes it, or puts another one in its place, changes one of these. Asked of a file
    that is open, because a file server may tell of others what was true a minute ago.
    """

    name: str
    device: int
    inode: int
    size: int
    written_at: int
    changed_at: int


@contextmanager
def opened(source: Path) -> Iterator[dict[str, BundleFile]]:
    """The CSV files of a bundle by lower-case name.

    Raises:
        UserError: there is nothing to read at `source`, or what is there must not or cannot be read.
    """
    try:
        if source.is_dir():
            yield _in_folder(source)
        elif source.is_file():
            with zipfile.ZipFile(source) as archive:
                yield _in_zip(archive)
        else:
            raise UserError(
                "sis.nothing", f"There is nothing at {source}. Give the folder or the zip that the SIS exports."
            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as problem:
        raise UserError("sis.no_zip", f"{source.name} is not a zip that can be read. Export it again.") from problem
    except OSError as problem:
        why = problem.strerror or "the disk reports an error"
        raise UserError("sis.unreadable", f"{source.name} cannot be read: {why}.") from problem


def fingerprint(source: Path) -> str:
    """The names and contents of a bundle's files in one word. Files that stand as they stood when they were last asked for are
    not read again.

    Raises:
        UserError: as `opened`.
    """
    with opened(source):
        stands = tuple(_standing(path) for path in (_paths_in(source) if source.is_dir() else [source]))
    now = time.time_ns()
    is_at_rest = all(abs(now - one.written_at) > AT_REST * 10**9 for one in stands)
    return _told_before(source, stands) if is_at_rest else _told(source, stands)


def _told(source: Path, _stands: tuple[Standing, ...]) -> str:
    """As long as `_stands` are the same, so is this."""
    told = hashlib.sha256()
    with opened(source) as files:
        for name, file in sorted(files.items()):
            with file.open() as content:
                told.update(f"{name} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return told.hexdigest()


_told_before = lru_cache(maxsize=1)(_told)


def _standing(path: Path) -> Standing:
    with path.open("rb") as file:
        on_disk = os.fstat(file.fileno())
    return Standing(
        path.name, on_disk.st_dev, on_disk.st_ino, on_disk.st_size, on_disk.st_mtime_ns, on_disk.st_ctime_ns
    )


def _in_folder(folder: Path) -> dict[str, BundleFile]:
    files = [BundleFile(path.name, path.stat().st_size, _opener(path)) for path in _paths_in(folder)]
    return _by_name(files)


def _paths_in(folder: Path) -> list[Path]:
    found = _csv_files(folder)
    if not found:
        inside = [
            child for child in sorted(folder.iterdir()) if child.is_dir() and not child.name.startswith((".", "__"))
        ]
        found = _csv_files(inside[0]) if len(inside) == 1 else []
    return found


def _csv_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".csv" and path.is_file()]


def _opener(path: Path) -> Callable[[], io.BufferedReader]:
    return lambda: path.open("rb")


def _in_zip(archive: zipfile.ZipFile) -> dict[str, BundleFile]:
    members = archive.infolist()
    _refuse_tricks(members)
    shown = [member for member in members if _is_csv(_path(member))]
    shallow = min((len(_path(member).parts) for member in shown), default=0)
    here = [member for member in shown if len(_path(member).parts) == shallow]
    if shallow > 2 or len({_path(member).parent for member in here}) > 1:  # noqa: PLR2004
        raise UserError(
            "sis.several_folders",
            "The files of the zip are in several folders. Put them at its root, or in one folder.",
        )
    files = [BundleFile(_path(one).name, one.file_size, _member(archive, one)) for one in here]
    return _by_name(files)


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    """Some tools on Windows write backslashes, though a zip knows none."""
    return PurePosixPath(member.filename.replace("\\", "/"))


def _is_csv(path: PurePosixPath) -> bool:
    """MacOS adds `__MACOSX/._users.csv` beside every file; those are no files of the bundle."""
    return path.suffix.lower() == ".csv" and not path.name.startswith("._") and "__MACOSX" not in path.parts


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], io.BufferedReader]:
    return lambda: io.BufferedReader(cast("io.RawIOBase", archive.open(member)))


def _refuse_tricks(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_BYTES:
        raise UserError(
            "sis.too_large", "The zip holds more than any roster does. Export it again, with the roster's files only."
        )
    for member in members:
        path = _path(member)
        if path.is_absolute() or ".." in path.parts or ":" in member.filename or S_ISLNK(member.external_attr >> 16):
            raise UserError("sis.outside", "The zip names files outside itself, which no export does. It was not read.")
        if member.flag_bits & 1:
            raise UserError("sis.locked", "The zip is locked with a password. Export it without one.")
        if member.file_size > SWOLLEN_BYTES and member.file_size > SWOLLEN_RATIO * max(member.compress_size, 1):
            raise UserError("sis.swollen", "The zip swells more than any roster does. It was not read.")


def _by_name(files: list[BundleFile]) -> dict[str, BundleFile]:
    """Of two names that differ only in case, the one that sorts last, the lower case one, counts."""
    return {file.name.lower(): file for file in sorted(files, key=lambda file: file.name)}
