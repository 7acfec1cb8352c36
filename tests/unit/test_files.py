"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from multiid.errors import OutputError
from multiid.files import require_place, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_body_is_through(tmp_path: Path) -> None:
    target = tmp_path / "tea.png"
    target.write_text("before")
    with write_whole(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        temporary.write_text("after")
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert names(tmp_path) == ["tea.png"]


def fail(target: Path, error: BaseException) -> None:
    """Writes half a file, then fails."""
    with write_whole(target) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_nothing_changes_when_the_body_fails(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "tea.png"
    target.write_text("before")
    with pytest.raises(type(error)):
        fail(target, error)
    assert target.read_text() == "before"
    assert names(tmp_path) == ["tea.png"]


def test_errors_of_the_system_become_output_errors(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^Cannot write .*tea\.png: No space left on device\.$"):
        fail(tmp_path / "tea.png", OSError(28, "No space left on device"))
    assert names(tmp_path) == []


def test_a_body_that_writes_nothing_is_seen(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"), write_whole(tmp_path / "tea.png"):
        pass


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    """The temporary file's name does not grow with it."""
    target = tmp_path / ("t" * 251 + ".png")
    with write_whole(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent/tea.png", "Expected an existing folder to write tea.png into, but .*absent is none"),
        ("file/tea.png", "Expected an existing folder to write tea.png into, but .*file is none"),
        ("folder", "Expected the name of a file to write, but .*folder is a folder"),
        ("t" * 256, "Cannot write .*: File name too long"),
        ("t" * 256 + "/tea.png", "Cannot write .*: File name too long"),
    ],
)
def test_places_are_refused_before_and_while_writing(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=said):
        require_place(tmp_path / name)
    with pytest.raises(OutputError, match=said), write_whole(tmp_path / name):
        pytest.fail("the body must not run")
    assert names(tmp_path) == ["file", "folder"]


def test_a_read_only_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs the tests may write everywhere
    with pytest.raises(OutputError, match=r"Expected a folder that may be written into, but .* is read-only"):
        require_place(tmp_path / "tea.png")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write into")
def test_a_folder_that_only_seems_writable_is_refused() -> None:
    """To an administrator it does."""
    with pytest.raises(OutputError, match=r"^Cannot write /proc/tea\.png: |/proc is read-only"):
        require_place("/proc/tea.png")


def test_a_good_place_is_left_alone(tmp_path: Path) -> None:
    require_place(tmp_path / "tea.png")
    assert names(tmp_path) == []
