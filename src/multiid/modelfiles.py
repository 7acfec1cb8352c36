"""Where model files come from: the user's own folder, the Hugging Face cache, or the hub at first use."""

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from multiid.errors import ModelFileError

__all__ = [
    "MODELS_DIR_VARIABLE",
    "ModelFile",
    "find_model_file",
    "is_repository",
    "local_model_file",
    "local_source",
    "models_dir",
    "split_hub_file",
]

MODELS_DIR_VARIABLE = "MULTIID_MODELS_DIR"
"""The environment variable that names the user's own folder of model files."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class ModelFile:
    """One published model file.

    Attributes:
        name: the file's name, the same on the hub and on disk.
        repository: the hub repository that publishes it, "owner/name".
        sha256: every checksum to accept, in lower-case hexadecimal, because a publisher may have exported the
            same network twice. Empty where nobody has verified one: then the file is taken as it is.
        licence: its licence, as a short name.
        note: what a user should know before taking it.
    """

    name: str
    repository: str
    sha256: tuple[str, ...]
    licence: str
    note: str = ""


def models_dir() -> Path | None:
    """The user's own folder of model files, or None where MULTIID_MODELS_DIR is unset or empty.

    Raises:
        ModelFileError: when the variable names something that is no folder.
    """
    value = os.environ.get(MODELS_DIR_VARIABLE)
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise ModelFileError(
            f"Expected {MODELS_DIR_VARIABLE} to name a folder, but {folder} is none; correct or unset it."
        )
    return folder


def is_repository(source: str) -> bool:
    """Whether a text has the form of a hub repository, "owner/name"."""
    return _REPOSITORY.fullmatch(source) is not None


def split_hub_file(source: str, file: str | None) -> tuple[str, str] | None:
    """The repository and the name of a file on the hub, given as both or as "owner/name/file"; None if neither."""
    repository, name = source, file
    if name is None:
        repository, _, name = source.rpartition("/")
    return (repository, name) if is_repository(repository) and name else None


def local_source(source: str) -> Path | None:
    """A file or folder of that path, or of that last name in MULTIID_MODELS_DIR; None where there is neither.

    Raises:
        ModelFileError: when the variable names something that is no folder.
    """
    folder = models_dir()
    candidates = [Path(source), *([folder / Path(source).name] if folder else [])]
    try:
        return next((path for path in candidates if path.exists()), None)
    except OSError:  # no name that a file can have
        return None


def local_model_file(file: ModelFile) -> Path | None:
    """The verified file on this machine, or None where it is absent; the network is never asked.

    Looks in MULTIID_MODELS_DIR, in the folders directly inside it, then in the Hugging Face cache.

    Raises:
        ModelFileError: when a file of that name is there but its checksum is not one of `file.sha256`.
    """
    from huggingface_hub import try_to_load_from_cache

    folder = models_dir()
    if folder is not None:
        for path in (folder / file.name, *sorted(folder.glob(f"*/{file.name}"))):
            if path.is_file():
                return _verified(path, file)
    cached = try_to_load_from_cache(file.repository, file.name)
    return _verified(Path(cached), file) if isinstance(cached, str) else None


def find_model_file(file: ModelFile) -> Path:
    """The verified file, fetched from the hub into the Hugging Face cache where this machine lacks it.

    HF_HUB_OFFLINE is respected.

    Raises:
        ModelFileError: when the file is absent and cannot be fetched (the message says where to get it and where
            to put it), or when its checksum is not one of `file.sha256`.
    """
    path = local_model_file(file)
    if path is not None:
        return path

    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError, XetDownloadError

    try:
        fetched = hf_hub_download(file.repository, file.name)
    except (OSError, HFValidationError, XetDownloadError) as error:
        raise ModelFileError(_how_to_get(file, error)) from error
    return _verified(Path(fetched), file)


def _how_to_get(file: ModelFile, error: Exception) -> str:
    from huggingface_hub import constants

    folder = models_dir()
    reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else str(error).strip().split("\n")[0].rstrip(".")
    searched = f"neither in {folder} nor in" if folder else "not in"
    return (
        f"Expected the model file {file.name}, but it is {searched} the Hugging Face cache and could not be "
        f"fetched ({reason}); get it from the hub repository {file.repository} ({file.licence}) and put it at "
        f"{folder or f'${MODELS_DIR_VARIABLE}'}/{file.name}."
    )


def _verified(path: Path, file: ModelFile) -> Path:
    if not file.sha256:
        return path
    status = path.stat()
    got = _sha256(path, status.st_size, status.st_mtime_ns)
    if got not in file.sha256:
        raise ModelFileError(
            f"Expected {path} to have the SHA-256 {' or '.join(file.sha256)}, but got {got}; delete it and take "
            f"{file.name} from the hub repository {file.repository}."
        )
    return path


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, modified: int) -> str:  # noqa: ARG001 - part of the key: a changed file is read anew
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
