"""Files written whole or not at all."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from multiid.errors import OutputError

__all__ = ["write_whole"]


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Generator[Path]:
    """Yields the name of a temporary file beside `path`, which takes its name once the body is through.

    What stood at `path` before stays untouched if the body fails, and nothing half-written is left.

    Raises:
        OutputError: when the folder is absent or cannot be written, or `path` is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise OutputError(f"Expected an existing folder to write {target.name} into, but {target.parent} is none.")
    if target.is_dir():
        raise OutputError(f"Expected the name of a file to write, but {target} is a folder.")
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
