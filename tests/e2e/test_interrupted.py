"""A full disk, a kill in the middle: under its name stands the file of before, or the whole new one, never a half."""

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from click.testing import CliRunner
from tinies import couple, small_scene, tiny_composer

from multiid import Identity, OutputError, Picture, load_template
from multiid.cli import main
from multiid.files import write_whole
from multiid.pipeline.tiny import tiny_adapter
from multiid.poses.preview import draw_preview

BEFORE = b"here before"
KILLED = -signal.SIGXFSZ
Save = Callable[[Path], object]


@pytest.fixture(scope="module")
def picture() -> Picture:
    """A picture that fills some hundred kilobytes, so that there is a middle."""
    composer = tiny_composer()
    made = composer.compose(small_scene(couple(composer)))
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    return replace(made, images=(PIL.Image.fromarray(noise),))


@pytest.fixture(scope="module")
def savers(picture: Picture) -> dict[str, tuple[str, Save]]:
    """What the package writes: names of files, and who writes them."""
    identity = Identity("ada", "woman", torch.randn(4, 1, 2048), encoder="0" * 64)
    adapter = tiny_adapter()
    pose = load_template("couple-standing").pose()

    def save_preview(path: Path) -> None:
        with write_whole(path) as temporary:
            draw_preview(pose).save(temporary, format="PNG", optimize=True)

    return {
        "picture": ("tea.png", picture.save),
        "identity": ("ada.safetensors", identity.save),
        "adapter": ("adapter.safetensors", adapter.save),
        "preview": ("couple-standing.png", save_preview),
    }


KINDS = ("picture", "identity", "adapter", "preview")


def in_child(work: Callable[[], int]) -> int:
    """What a forked process ends with: its exit code, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def save_within(save: Save, path: Path, limit: int, *, killed: bool) -> Callable[[], int]:
    """Saves where no file may grow beyond `limit` bytes.

    The system answers the write that goes beyond with an error, as a full disk does, or kills the process at once,
    as `kill -9` does: no handler runs.
    """

    def work() -> int:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if killed else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return saved(save, path)

    return work


def saved(save: Save, path: Path) -> int:
    """0 when all went well, 2 when an error says in one line that it did not."""
    try:
        save(path)
    except OutputError as error:
        return 2 if str(error).startswith(f"Cannot write {path}: ") and "\n" not in str(error) else 3
    return 0


def others(folder: Path, name: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != name)


@pytest.mark.parametrize("there", [True, False], ids=["one from before", "none before"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_or_a_full_disk_leaves_no_half_written_file(
    tmp_path: Path, savers: dict[str, tuple[str, Save]], kind: str, there: bool
) -> None:
    name, save = savers[kind]
    whole = tmp_path / "whole"
    whole.mkdir()
    save(whole / name)
    size = (whole / name).stat().st_size
    print(f"{kind}: {size} bytes")
    for killed in (False, True):
        for limit in (0, 1, size // 3, size - 1):
            folder = tmp_path / f"{killed}-{limit}"
            folder.mkdir()
            if there:
                (folder / name).write_bytes(BEFORE)
            code = in_child(save_within(save, folder / name, limit, killed=killed))
            assert code == (KILLED if killed else 2)
            assert (folder / name).exists() == there
            if there:
                assert (folder / name).read_bytes() == BEFORE
            # What a killed process could not take away is hidden.
            assert all(other.startswith(".") for other in others(folder, name))
            assert killed or not others(folder, name)
            assert in_child(save_within(save, folder / name, size, killed=killed)) == 0
            assert (folder / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_disk_that_is_full_the_file_of_before_stays(
    tmp_path: Path, savers: dict[str, tuple[str, Save]], kind: str
) -> None:
    """On a real file system of two pages, seen by one process alone and gone with it."""
    name, save = savers[kind]

    def work() -> int:
        if not mount_tiny_disk(tmp_path):
            return 77
        (tmp_path / name).write_bytes(BEFORE)
        code = saved(save, tmp_path / name)
        return code if (tmp_path / name).read_bytes() == BEFORE and not others(tmp_path, name) else 4

    code = in_child(work)
    if code == 77:
        pytest.skip("this system lets nobody mount a file system")
    assert code == 2


def mount_tiny_disk(folder: Path) -> bool:
    """Puts a file system of two pages over a folder, for this process alone; False where that is not allowed."""
    new_mounts, new_user, private = 0x20000, 0x10000000, (1 << 14) | (1 << 18)
    system = ctypes.CDLL(None, use_errno=True)
    if not hasattr(system, "unshare"):
        return False
    size = f"size={2 * resource.getpagesize()}".encode()
    return (
        system.unshare(new_mounts | (new_user if os.geteuid() else 0)) == 0
        and system.mount(b"none", b"/", None, private, None) == 0
        and system.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, size) == 0
    )


def test_previews_tell_of_a_full_disk_in_one_line(tmp_path: Path) -> None:
    """By the command line, from the first file that does not fit."""

    def work() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        result = CliRunner().invoke(main, ["templates", "preview", "couple-standing", "-o", str(tmp_path)])
        said = result.stderr.splitlines()
        right = len(said) == 1 and said[0].endswith("couple-standing.png: File too large.")
        return result.exit_code if right else 5

    assert in_child(work) == 2
    assert not others(tmp_path, "")


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path, savers: dict[str, tuple[str, Save]]) -> None:
    """Killed from outside at moments that nobody chose, while it saves in turn, over and over."""
    versions: dict[str, set[bytes]] = {}
    for kind in KINDS:
        name, save = savers[kind]
        save(tmp_path / name)
        versions[name] = {(tmp_path / name).read_bytes(), BEFORE}
    kills = 12
    for number in range(kills):
        child = os.fork()
        if child == 0:
            while True:
                for name, save in savers.values():
                    save(tmp_path / name)
                    with write_whole(tmp_path / name) as temporary:
                        temporary.write_bytes(BEFORE)
        time.sleep(0.05 + 0.013 * number)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for name, whole in versions.items():
            assert (tmp_path / name).read_bytes() in whole
    hidden = [path.name for path in tmp_path.iterdir() if path.name not in versions]
    print(f"{len(hidden)} of {kills} kills came in the middle of writing")
    assert all(name.startswith(".") for name in hidden)
