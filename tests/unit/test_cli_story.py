"""`multiid story run`, `status` and `board`: what they print, write and refuse."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tales import panels_of, script, write_script

from multiid.cli import main


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["story", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A story that was run."""
    place = tmp_path_factory.mktemp("story")
    done = call("run", write_script(place, script()))
    # Two steps make nobody recognisable: the exit code says so.
    assert done.exit_code in (0, 3), done.output
    for name in ("pages/001.png", "panels/1.4.png", "story.pdf", "story.cbz"):
        assert str(place / "story" / name) in done.output
    assert "1.2: not made yet" in done.output
    return place


def test_status_tells_what_is_there_and_what_is_not(folder: Path) -> None:
    there = call("status", folder / "story.yaml")
    assert there.exit_code == 0, there.output
    assert "A test: 4 of 4 panels are made" in there.output
    story = script()
    panels_of(story)[0]["prompt"] = "a {ada} and a {otto}"
    changed = write_script(folder, story)
    told = call("status", changed).output
    write_script(folder, script())
    assert "1 of 4" in told
    assert "1.1    to make  what it shows has changed; 1.2, 1.3 follow it" in told
    assert "files are of earlier versions" in told


def test_status_prunes_what_no_panel_shows(folder: Path) -> None:
    stray = folder / "story" / "pictures" / "0123.png"
    stray.write_bytes(b"")
    assert "1 file is of earlier versions" in call("status", folder / "story.yaml").output
    assert stray.exists()
    assert "deleted" in call("status", folder / "story.yaml", "--prune").output
    assert not stray.exists()
    assert "4 of 4" in call("status", folder / "story.yaml").output


def test_a_second_run_loads_no_model(folder: Path) -> None:
    again = call("run", folder / "story.yaml")
    assert "Loading" not in again.output
    assert "No picture has to be made." in again.output
    assert str(folder / "story" / "story.pdf") in again.output


def test_redo_makes_one_panel_with_that_seed(folder: Path) -> None:
    done = call("run", folder / "story.yaml", "--redo", "1.4", "--seed", "9")
    assert done.exit_code in (0, 3), done.output
    assert "1.4: it has another seed, 9" in done.output
    assert "1.4    made     seed 9: nobody in it" in call("status", folder / "story.yaml").output


def test_board_writes_sheets(folder: Path) -> None:
    done = call("board", folder / "story.yaml", "-o", folder / "elsewhere")
    assert done.exit_code == 0, done.output
    assert (folder / "elsewhere" / "board.pdf").is_file()
    assert (folder / "elsewhere" / "board" / "001.png").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "FILE", "--only", "7.1"), "7.1"),
        (("run", "FILE", "--redo", "1.9"), "1.9"),
        (("run", "FILE", "--seed", "1"), "--redo"),
        (("run", "FILE", "--preset", "nonesuch"), "nonesuch"),
        (("run", "absent.yaml"), "absent.yaml"),
        (("status", "absent.yaml"), "absent.yaml"),
        (("board", "absent.yaml"), "absent.yaml"),
        (("run", "FILE", "-o", "FILE"), "is a file"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(folder: Path, words: tuple[str, ...], expected: str) -> None:
    done = call(*(str(folder / "story.yaml") if word == "FILE" else word for word in words))
    assert done.exit_code == 2, done.output
    assert expected in done.output
    assert "Traceback" not in done.output


def test_words_that_never_fit_are_told_before_anything_is_made(tmp_path: Path) -> None:
    story = script()
    story["paper"] = {"size": [80.0, 80.0], "dpi": 72}
    panels_of(story)[3]["captions"] = ["word " * 120]
    done = call("run", write_script(tmp_path, story))
    assert done.exit_code == 2
    assert "page 1, panel 4" in done.output
    assert "Loading" not in done.output
    assert not (tmp_path / "story").exists()


def test_words_that_do_not_fit_leave_the_earlier_pages(folder: Path) -> None:
    pages = folder / "story" / "pages" / "001.png"
    before = pages.read_bytes()
    story = script()
    panels_of(story)[1]["dialogue"] = [{"otto": "word " * 300}]
    done = call("run", write_script(folder, story))
    write_script(folder, script())
    assert done.exit_code == 2
    assert "page 1, panel 2" in done.output
    assert pages.read_bytes() == before
