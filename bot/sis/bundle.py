"""A OneRoster bundle on disk: a folder or a zip with its files at the root or in one folder, names in any case.

Nothing of a zip is ever written to disk; one that names paths outside itself, or that is a zip bomb, is refused as a whole.
"""

import hashlib
import io
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import NamedTuple, cast

from bot.errors import UserError
from bot.sis.signatures import describe_other_bytes

_MOST_FILES = 2_000
_MOST_BYTES = 20 * 1024**3
# Real rosters shrink 5 to 40 times; a larger file that shrank more was made to fill a disk.
_BOMB_BYTES = 64 * 1024**2
_BOMB_RATIO = 250
_HEAD = 4_096
# After this many seconds without a write another one is sure to change the time of the file: some disks count whole seconds.
_SECONDS_AT_REST = 60


@dataclass(frozen=True)
class BundleFile:
    """A file of a bundle: its bare name, its size in bytes, and how to read it from the start."""

    name: str
    size: int
    open: Callable[[], io.BufferedReader]


@contextmanager
def open_bundle(source: Path) -> Iterator[dict[str, BundleFile]]:
    """Yield the CSV files of a bundle by lower-case name.

    Raises:
        UserError: nothing is at `source`, or what is there must not or cannot be read.
    """
    try:
        if source.is_dir():
            yield _by_name(BundleFile(path.name, path.stat().st_size, _opener(path)) for path in _csv_paths(source))
        elif source.is_file():
            with zipfile.ZipFile(source) as archive:
                yield _files_of_zip(archive)
        else:
            raise UserError(
                "sis.not_found", f"There is nothing at {source}. Give the folder or the zip that the SIS exports."
            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError("sis.bad_zip", f"{source.name} {_describe(source)}.") from error
    except OSError as error:
        reason = error.strerror or "the disk reports an error"
        raise UserError("sis.unreadable", f"{source.name} cannot be read: {reason}.") from error


def _describe(source: Path) -> str:
    """Return what a file is that is no zip, as the end of a sentence."""
    with source.open("rb") as file:
        head = file.read(_HEAD)
    is_zip = head.startswith(b"PK")
    return (None if is_zip else describe_other_bytes(head)) or "is not a zip that can be read; export it again"


class _FileState(NamedTuple):
    """The state of a file on disk: writing or replacing the file changes one of these values."""

    name: str
    device: int
    inode: int
    size: int
    written_at: int
    changed_at: int


def fingerprint(source: Path) -> str:
    """Return a hash of the names and contents of a bundle's files. Files that did not change since the last call are not read.

    Raises:
        UserError: as `open_bundle`.
    """
    with open_bundle(source):
        states = tuple(_file_state(path) for path in (_csv_paths(source) if source.is_dir() else [source]))
    now = time.time_ns()
    is_at_rest = all(abs(now - state.written_at) > _SECONDS_AT_REST * 10**9 for state in states)
    return _cached_hash(source, states) if is_at_rest else _hash_bundle(source, states)


def _file_state(path: Path) -> _FileState:
    # The file is open, because a file server may report a minute-old state of other files.
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
    return _FileState(path.name, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def _hash_bundle(source: Path, _states: tuple[_FileState, ...]) -> str:
    bundle_hash = hashlib.sha256()
    with open_bundle(source) as files:
        for name, file in sorted(files.items()):
            with file.open() as content:
                bundle_hash.update(f"{name} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return bundle_hash.hexdigest()


# The hash holds as long as the states do. Without it each check for a new export reads gigabytes.
_cached_hash = lru_cache(maxsize=1)(_hash_bundle)


def _csv_paths(folder: Path) -> list[Path]:
    """Return the CSV files in the folder, or in its only subfolder."""

    def csv_files(parent: Path) -> list[Path]:
        return [path for path in sorted(parent.iterdir()) if path.suffix.lower() == ".csv" and path.is_file()]

    if paths := csv_files(folder):
        return paths
    children = [child for child in folder.iterdir() if child.is_dir() and not child.name.startswith((".", "__"))]
    return csv_files(children[0]) if len(children) == 1 else []


def _opener(path: Path) -> Callable[[], io.BufferedReader]:
    return lambda: path.open("rb")


def _by_name(files: Iterable[BundleFile]) -> dict[str, BundleFile]:
    # Of two names that differ only in case, the lower-case one counts, which sorts last.
    return {file.name.lower(): file for file in sorted(files, key=lambda file: file.name)}


def _files_of_zip(archive: zipfile.ZipFile) -> dict[str, BundleFile]:
    members = archive.infolist()
    _refuse_unsafe(members)
    csv_members = [member for member in members if _is_csv(_path(member))]
    depth = min((len(_path(member).parts) for member in csv_members), default=0)
    top_members = [member for member in csv_members if len(_path(member).parts) == depth]
    if depth > 2 or len({_path(member).parent for member in top_members}) > 1:  # noqa: PLR2004 (A folder and a file.)
        raise UserError(
            "sis.several_folders",
            "The files of the zip are in several folders. Put them at its root, or in one folder.",
        )
    return _by_name(
        BundleFile(_path(member).name, member.file_size, partial(_open_member, archive, member))
        for member in top_members
    )


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> io.BufferedReader:
    return io.BufferedReader(cast("io.RawIOBase", archive.open(member)))


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    # Some tools on Windows write backslashes, which the zip format does not have.
    return PurePosixPath(member.filename.replace("\\", "/"))


def _is_csv(path: PurePosixPath) -> bool:
    # MacOS adds `__MACOSX/._users.csv` beside every file.
    return path.suffix.lower() == ".csv" and not path.name.startswith("._") and "__MACOSX" not in path.parts


def _refuse_unsafe(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_FILES or sum(member.file_size for member in members) > _MOST_BYTES:
        raise UserError(
            "sis.too_large", "The zip holds more than any roster does. Export it again, with the roster's files only."
        )
    for member in members:
        path = _path(member)
        if path.is_absolute() or ".." in path.parts or ":" in member.filename or S_ISLNK(member.external_attr >> 16):
            raise UserError(
                "sis.unsafe_path", "The zip names files outside itself, which no export does. It was not read."
            )
        if member.flag_bits & 1:
            raise UserError("sis.encrypted", "The zip is locked with a password. Export it without one.")
        if member.file_size > _BOMB_BYTES and member.file_size > _BOMB_RATIO * max(member.compress_size, 1):
            raise UserError("sis.zip_bomb", "The zip expands to far more than any roster. It was not read.")
