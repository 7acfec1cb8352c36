"""Storyboards: what is on the sheets, before any picture is made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fontmaking import make_font
from PIL import Image
from tales import no_photo, panels_of, script, write_script

from multiid import find_preset, load_story
from multiid.story.board import draw_board
from multiid.story.finish import write_board
from multiid.story.panels import stage_panels


def board(folder: Path, story: dict[str, Any]) -> tuple[list[Image.Image], list[str]]:
    document = load_story(write_script(folder, story))
    defaults = find_preset("mini").defaults
    panels = stage_panels(document, defaults=defaults, photo_pose=no_photo)
    return draw_board(document.story, panels, defaults=defaults, folder=folder)


def differing(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    """The box of what differs."""
    rows, columns = np.nonzero(np.any(np.asarray(one) != np.asarray(other), axis=2))
    assert len(rows), "expected a difference"
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_a_page_with_four_panels_is_one_sheet_of_a4(tmp_path: Path) -> None:
    sheets, faults = board(tmp_path, script())
    assert faults == []
    assert [sheet.size for sheet in sheets] == [(1754, 1240)]


def test_further_panels_and_pages_get_sheets_of_their_own(tmp_path: Path) -> None:
    story = script()
    story["pages"].append({"panels": [{"prompt": f"view {number}"} for number in range(13)]})
    story["pages"].append({"panels": [{"prompt": f"view {number}"} for number in range(6)]})
    assert len(board(tmp_path, story)[0]) == 1 + 2 + 1  # 4; 6 + 7; 6


def test_everybody_keeps_their_colour_from_panel_to_panel(tmp_path: Path) -> None:
    def colours(cast: list[str]) -> list[list[bool]]:
        """Which of two people's colours are seen in the frames of the panels with both, otto alone, ada alone."""
        story = script()
        story["cast"] = {name: story["cast"][name] for name in cast}
        sheet = np.asarray(board(tmp_path, story)[0][0])[:, 877:]
        quarters = [part for half in np.array_split(sheet, 2) for part in np.array_split(half, 2, axis=1)]
        tints = [np.array(colour) * 0.65 for colour in ((230, 159, 0), (86, 180, 233))]
        return [[bool((np.abs(quarter - tint).max(axis=2) < 3).any()) for tint in tints] for quarter in quarters[:3]]

    assert colours(["ada", "otto"]) == [[True, True], [False, True], [True, False]]
    assert colours(["otto", "ada"]) == [[True, True], [True, False], [False, True]]


def test_the_same_story_gives_the_same_sheets(tmp_path: Path) -> None:
    first, second = (board(tmp_path, script())[0][0] for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_words_are_on_the_draft_and_in_the_notes(tmp_path: Path) -> None:
    with_words, (without,) = board(tmp_path, script())[0][0], board(tmp_path, muted())[0]
    left, _, right, _ = differing(with_words, without)
    assert left < 877 < right  # in the draft at the left, and beneath the frames at the right


def test_notes_take_the_storys_font_where_no_other_has_the_words(tmp_path: Path) -> None:
    make_font(tmp_path / "runes.ttf", characters="\U00016e40 ")  # Medefaidrin, which hardly any font has
    story = script()
    story["paper"]["lettering"] = {"font": "runes.ttf"}
    panels_of(story)[0]["dialogue"] = [{"ada": "\U00016e40"}]
    sheets, faults = board(tmp_path, story)
    assert (len(sheets), faults) == (1, [])


def muted() -> dict[str, Any]:
    story = script()
    for panel in panels_of(story):
        panel.pop("dialogue", None)
        panel.pop("captions", None)
    return story


def test_who_stands_elsewhere_is_seen(tmp_path: Path) -> None:
    story = script()
    panels_of(story)[0]["people"] = [{"who": "ada", "place": 1}, {"who": "otto", "place": 0}]
    differing(board(tmp_path, script())[0][0], board(tmp_path, story)[0][0])


def test_words_that_do_not_fit_are_told_and_the_rest_is_drawn(tmp_path: Path) -> None:
    story = script()
    panels_of(story)[1]["dialogue"] = [{"otto": "word " * 300}]
    sheets, faults = board(tmp_path, story)
    assert len(faults) == 1
    assert "page 1, panel 2" in faults[0]
    reds = np.all(np.asarray(sheets[0]) == (0xB0, 0x00, 0x20), axis=2)
    assert reds.sum() > 100


def test_insets_on_faces_are_told(tmp_path: Path) -> None:
    story = script()
    rows = [{"panels": [1]}] * 3
    told: dict[str, list[str]] = {}
    for place, box in {"middle": [0.2, 0.02, 0.8, 0.31], "corner": [0.88, 0.22, 1.0, 0.3]}.items():
        story["pages"][0]["layout"] = {"rows": rows, "insets": [{"box": box}]}
        sheets, told[place] = board(tmp_path, story)
        reds = np.all(np.asarray(sheets[0]) == (0xB0, 0x00, 0x20), axis=2)
        assert (reds.sum() > 100) == bool(told[place])
    assert told["corner"] == []
    assert told["middle"] == [
        f"page 1, panel 1: an inset hides {name}'s face, or a part of it." for name in ("ada", "otto")
    ]


def test_sheets_become_files_with_the_same_bytes(tmp_path: Path) -> None:
    sheets, _ = board(tmp_path, script())
    story = load_story(tmp_path / "story.yaml").story
    files = write_board(sheets, tmp_path / "one", story=story)
    again = write_board(sheets, tmp_path / "two", story=story)
    assert [file.relative_to(tmp_path / "one").as_posix() for file in files] == ["board/001.png", "board.pdf"]
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


@pytest.mark.parametrize("name", ["storyboard", "comic", "family_album"])
def test_the_examples_can_be_staged(tmp_path: Path, name: str) -> None:
    file = Path(__file__).resolve().parents[2] / "examples" / name / "story.yaml"
    document = load_story(file)
    defaults = find_preset("mini").defaults
    panels = stage_panels(document, defaults=defaults, photo_pose=no_photo)
    _, faults = draw_board(document.story, panels, defaults=defaults, folder=tmp_path)
    assert faults == []
