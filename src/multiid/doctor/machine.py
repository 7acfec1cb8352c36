"""The machine: packages and extras, device, memory and disk."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from multiid import __version__

__all__ = ["Device", "Disk", "Extra", "Machine", "look_around"]

_NOT_FOR_USERS = ("dev",)
_NAME = re.compile(r"[\w.-]+")
_EXTRA = re.compile(r"extra\s*==\s*[\"']([\w.-]+)[\"']")


@dataclass(frozen=True)
class Extra:
    """An optional part of the package.

    Attributes:
        name: as in `pip install "multiid[name]"`.
        missing: packages of it that are not installed.
    """

    name: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Device:
    """Where pictures are computed.

    Attributes:
        name: as for --device: "cuda", "mps" or "cpu".
        title: what it is.
        memory: its own memory in bytes; None where it has none of its own.
        free: how much of that is free.
    """

    name: str
    title: str
    memory: int | None
    free: int | None


@dataclass(frozen=True)
class Disk:
    """A folder that models are kept in.

    Attributes:
        title: what is kept there.
        folder: where it is.
        free: bytes that its disk has left.
    """

    title: str
    folder: Path
    free: int


@dataclass(frozen=True)
class Machine:
    """What there is.

    Attributes:
        system: names and versions of system and Python.
        packages: versions by name; None for what is not installed.
        extras: the optional parts.
        device: the best there is.
        memory: bytes of main memory; None where the system does not say.
        disks: where models are kept.
    """

    system: str
    packages: dict[str, str | None]
    extras: tuple[Extra, ...]
    device: Device
    memory: int | None
    disks: tuple[Disk, ...]


def look_around() -> Machine:
    """Finds out what this machine has. Imports torch, and loads no model.

    Raises:
        ModelFileError: when MULTIID_MODELS_DIR names something that is no folder.
    """
    from huggingface_hub import constants

    from multiid.modelfiles import MODELS_DIR_VARIABLE, models_dir

    wanted = list(_requirements())
    extras = sorted({extra for _, extra in wanted if extra is not None and extra not in _NOT_FOR_USERS})
    folders = [("Hugging Face cache (HF_HUB_CACHE)", Path(constants.HF_HUB_CACHE))]
    own = models_dir()
    if own is not None:
        folders.append((f"your own models ({MODELS_DIR_VARIABLE})", own))
    return Machine(
        system=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        packages={"multiid": __version__} | {name: _version(name) for name, extra in wanted if extra is None},
        extras=tuple(
            Extra(extra, tuple(name for name, of in wanted if of == extra and _version(name) is None))
            for extra in extras
        ),
        device=_device(),
        memory=_memory(),
        disks=tuple(Disk(title, folder, _free(folder)) for title, folder in folders),
    )


def _requirements() -> Iterator[tuple[str, str | None]]:
    """Every package that this one names, with the extra it belongs to."""
    try:
        lines = requires("multiid") or []
    except PackageNotFoundError:  # run from its sources
        return
    for line in lines:
        name, extra = _NAME.match(line), _EXTRA.search(line)
        if name is not None and name.group() != "multiid":
            yield name.group(), None if extra is None else extra.group(1)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> Device:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return Device("cuda", torch.cuda.get_device_name(), total, free)
    if torch.backends.mps.is_available():
        return Device("mps", "Apple's GPU, which shares the main memory", None, None)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Device("cpu", f"{cores} processor cores, no accelerator", None, None)


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _free(folder: Path) -> int:
    """Bytes that the disk of a folder has left; the folder itself may not be there yet."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(existing).free
