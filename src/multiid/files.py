"""Files written whole or not at all."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from multiid.errors import OutputError

__all__ = ["require_place", "write_whole"]


def require_place(path: str | os.PathLike[str], *, suffix: str = "") -> None:
    """Makes sure, before any work, that a file can be written at `path`.

    Args:
        path: where to.
        suffix: what the name must end in, such as ".png"; anything unless given.

    Raises:
        OutputError: when the folder is absent or cannot be written, or `path` is a folder, too long or ends otherwise.
    """
    target = Path(path)
    if suffix and target.suffix.lower() != suffix:
        raise OutputError(f"Expected a file name ending in {suffix}, but got {target}.")
    try:
        if not target.parent.is_dir():
            raise OutputError(f"Expected an existing folder to write {target.name} into, but {target.parent} is none.")
        if target.is_dir():
            raise OutputError(f"Expected the name of a file to write, but {target} is a folder.")
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"Expected a folder that may be written into, but {target.parent} is read-only.")
    # Permissions tell an administrator nothing, and other systems little: only trying does.
    probe = _beside(target)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Generator[Path]:
    """Yields the name of a temporary file beside `path`, which takes its name once the body is through.

    What stood at `path` before stays untouched if the body fails, and nothing half-written is left. A process that is
    killed outright leaves hidden temporary files, but never a half-written one at `path`.

    Raises:
        OutputError: when the folder is absent or cannot be written, the disk is full, or `path` is a folder or too
            long.
    """
    require_place(path)
    target = Path(path)
    temporary = _beside(target)
    try:
        yield temporary
        _settle(temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    """A name for a temporary file in the same folder; it does not grow with the target's."""
    return target.with_name(f".multiid-{secrets.token_hex(8)}{target.suffix}")


def _settle(file: Path) -> None:
    """Waits until a file is on the disk: some systems say only then that it is full."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
