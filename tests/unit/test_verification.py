"""What was found, told in words, as JSON and as a picture."""

import json

import numpy as np
import PIL.Image
import pytest

from multiid import Attempt, Box, Match, Matching, Verification

ADA, ISAAC, LISE, OTTO = (Box(40 * index + 5, 10, 40 * index + 30, 38) for index in range(4))
COPY, STRANGER = Box(10, 60, 30, 85), Box(100, 60, 120, 85)

MATCHING = Matching(
    people=(
        Match("ada", "found", ADA, {"ada": 0.84, "isaac": 0.1}),
        Match("isaac", "mixed", ISAAC, {"ada": 0.61, "isaac": 0.2}),
        Match("lise", "missing"),
        Match("otto", "doubled", OTTO, {"ada": 0.1, "otto": 0.7}, False, (COPY,)),
    ),
    strangers=(STRANGER,),
    faces=5,
    recogniser="sface",
)
FULL = Verification(
    MATCHING,
    expected={"lise": LISE},
    attempts=(Attempt(7, (), MATCHING), Attempt(7, ("isaac", "lise"), MATCHING)),
    kept=1,
)


def test_there_is_a_line_for_each_person_and_for_what_was_tried() -> None:
    assert FULL.lines == (
        "ada:   found, similarity 0.84, face at (5, 10), 25 x 28 pixels",
        "isaac: mixed, similarity 0.20, face at (45, 10), 25 x 28 pixels, nearest to ada 0.61",
        "lise:  missing",
        "otto:  doubled, similarity 0.70, face at (125, 10), 25 x 28 pixels, again at (10, 60), 20 x 25 pixels, "
        "not where it should be",
        "1 face is of nobody asked for: at (100, 60), 20 x 25 pixels",
        "compared by sface",
        "tried seed 7: 1 of 4 found, isaac mixed, lise missing, otto doubled",
        "tried seed 7, isaac and lise refined: 1 of 4 found, isaac mixed, lise missing, otto doubled (kept)",
    )
    assert str(FULL) == "\n".join(FULL.lines)


def test_a_blend_leans_to_somebody() -> None:
    blend = Match("ada", "mixed", ADA, {"ada": 0.7, "isaac": 0.1, "lise": 0.65})
    (line, _) = Verification(Matching((blend,), (), 1, "sface")).lines
    assert line.endswith("leans to lise 0.65")


def test_nobody_asked_for_is_no_error() -> None:
    nobody = Verification(Matching((), (ADA, ISAAC), 2, None))
    assert nobody.is_complete
    assert nobody.lines[0].startswith("2 faces are of nobody asked for: at (5, 10), 25 x 28 pixels; at (45, 10)")


def test_json_holds_all_of_it() -> None:
    told = json.loads(FULL.to_json())
    assert told["complete"] is False
    assert told["recogniser"] == "sface"
    assert [person["status"] for person in told["people"]] == ["found", "mixed", "missing", "doubled"]
    assert told["people"][1]["nearest"] == "ada"
    assert told["people"][2]["face"] is None
    assert told["people"][3]["copies"] == [list(COPY.corners)]
    assert told["strangers"] == [list(STRANGER.corners)]
    assert told["expected"] == {"lise": list(LISE.corners)}
    assert [(attempt["seed"], attempt["refined"]) for attempt in told["attempts"]] == [(7, []), (7, ["isaac", "lise"])]
    assert told["kept"] == 1


def colours_around(sheet: PIL.Image.Image, box: Box, scale: float) -> set[tuple[int, ...]]:
    """The colours along the frame of a box; the sheet's picture begins behind its margin and title."""
    pixels = np.asarray(sheet)
    left, top, right, bottom = (round(corner * scale) for corner in box.corners)
    left, right, top, bottom = left + 12, right + 12, top + 36, bottom + 36
    edge = [pixels[y, x] for y in range(top, bottom) for x in (left, right)]
    return {tuple(int(value) for value in pixel) for pixel in edge}


@pytest.mark.parametrize("size", [(160, 96), (1920, 1152)])
def test_the_picture_has_a_frame_for_each(size: tuple[int, int]) -> None:
    enlarge = size[0] / 160
    boxes = {
        "found": ADA, "mixed": ISAAC, "missing": LISE, "doubled": OTTO, "copy": COPY, "stranger": STRANGER,
    }  # fmt: skip
    scaled = {name: Box(*(corner * enlarge for corner in box.corners)) for name, box in boxes.items()}
    matching = Matching(
        people=(
            Match("ada", "found", scaled["found"]),
            Match("isaac", "mixed", scaled["mixed"], {"ada": 0.6, "isaac": 0.2}),
            Match("lise", "missing"),
            Match("otto", "doubled", scaled["doubled"], {}, True, (scaled["copy"],)),
        ),
        strangers=(scaled["stranger"],),
        faces=5,
        recogniser="sface",
    )
    found = Verification(matching, expected={"lise": scaled["missing"]})
    sheet = found.explain(PIL.Image.new("RGB", size, "white"))
    seen = {name: colours_around(sheet, box, 960 / size[0]) for name, box in scaled.items()}
    frames = {name: colours - {(255, 255, 255)} for name, colours in seen.items()}
    assert all(frames.values()), frames
    assert frames["copy"] & frames["doubled"]
    own = [frames[name] for name in ("found", "mixed", "missing", "doubled", "stranger")]
    for index, colours in enumerate(own):
        for other in own[index + 1 :]:
            assert not colours & other
    assert (255, 255, 255) in seen["missing"], "what is not there is dashed"
    assert (255, 255, 255) not in seen["found"]


def test_faces_at_the_edge_and_strange_names_are_drawn() -> None:
    match = Match("ada", "found", Box(-5, -5, 20, 30))
    named = Match("Ольга", "found", Box(150, 80, 175, 110))
    found = Verification(Matching((match, named), (), 2, None))
    assert found.explain(PIL.Image.new("RGB", (160, 96))).width >= 960
    assert found.explain(PIL.Image.new("L", (16, 300))).height >= 960
