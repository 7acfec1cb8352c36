import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontmaking import make_font

from multiid.errors import StoryError
from multiid.story.fonts import Typeface, find_typeface
from multiid.story.typesetting import set_text
from multiid.story.writing import east_asian_region

ELSEWHERE = "\uf8d0"  # for private use: no font at hand has it unless a test makes one


def files(typeface: Typeface) -> tuple[str, str, str]:
    return typeface.regular.path.name, typeface.bold.path.name, typeface.oblique.path.name


def test_the_default_is_the_dejavu_sans_of_matplotlib():
    typeface = find_typeface(None)
    assert files(typeface) == ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf")
    assert "mpl-data" in typeface.regular.path.parts
    assert typeface == find_typeface("dejavu sans")


def test_the_fonts_of_a_story_need_no_torch_and_matplotlib_only_when_asked_for():
    script = (
        "import sys; import multiid.story.typesetting; print({'torch', 'matplotlib', 'diffusers'} & set(sys.modules));"
        "from multiid.story.fonts import find_typeface; find_typeface(None, text='Hello');"
        "print('matplotlib.font_manager' in sys.modules)"
    )
    assert _python(script) == "set()\nFalse\n"


def test_a_file_is_relative_to_the_storys_folder_and_its_relatives_lie_beside_it(tmp_path):
    make_font(tmp_path / "fonts/tiny.ttf")
    make_font(tmp_path / "fonts/heavy.ttf", style="Bold", weight=700)
    make_font(tmp_path / "fonts/heaviest.ttf", style="Black", weight=900)
    make_font(tmp_path / "fonts/slanted.ttf", style="Italic", slanted=True)
    make_font(tmp_path / "fonts/other.ttf", family="Other", style="Bold", weight=700)
    typeface = find_typeface("fonts/tiny.ttf", folder=tmp_path)
    assert typeface.family == "Tiny"
    assert files(typeface) == ("tiny.ttf", "heavy.ttf", "slanted.ttf")
    alone = find_typeface("fonts/other.ttf", folder=tmp_path)
    assert files(alone) == ("other.ttf",) * 3


def test_a_family_without_other_faces_uses_its_only_one(tmp_path):
    make_font(tmp_path / "tiny.ttf")
    assert files(find_typeface("tiny.ttf", folder=tmp_path)) == ("tiny.ttf",) * 3


def test_a_variable_font_is_set_to_the_weights_asked_for(tmp_path):
    make_font(tmp_path / "tiny.ttf", weights=(100, 100, 900))
    typeface = find_typeface("tiny.ttf", folder=tmp_path)
    assert (typeface.regular.axes, typeface.bold.axes) == ((400.0,), (700.0,))
    widths = {
        cut: typeface.font(getattr(typeface, cut), 100).getbbox("A", anchor="ls")[2] for cut in ("regular", "bold")
    }
    print(widths)
    assert widths["bold"] > widths["regular"]


@pytest.mark.parametrize(
    ("font", "message"),
    [
        ("DejaVu Sanz", "but got 'DejaVu Sanz'; the nearest installed: DejaVu Sans"),
        ("fonts/none.ttf", "there is no file"),
        ("broken.ttf", "broken.ttf cannot be read as one"),
        ("cut.ttf", "cut.ttf cannot be read as one"),
        ("story.yaml", "story.yaml cannot be read as one"),
    ],
)
def test_a_font_that_is_not_there_is_an_error(tmp_path, font, message):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "cut.ttf").write_bytes(make_font(tmp_path / "tiny.ttf").read_bytes()[:-20])
    (tmp_path / "story.yaml").write_text("title: x")
    with pytest.raises(StoryError, match=message):
        find_typeface(font, folder=tmp_path)


def test_a_damaged_font_is_an_error_and_never_a_traceback(tmp_path):
    whole = make_font(tmp_path / "whole" / "tiny.ttf").read_bytes()
    generator = np.random.default_rng(3)
    outcomes = {"set": 0, "refused": 0}
    for number in range(120):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[generator.integers(len(damaged), size=generator.integers(1, 12))] = generator.integers(256)
        file = tmp_path / f"{number}" / "tiny.ttf"  # a file of its own: what was read of another is remembered
        file.parent.mkdir()
        file.write_bytes(damaged.tobytes()[: generator.integers(len(damaged) // 2, 5 * len(damaged))])
        try:
            set_text("AB", find_typeface(str(file)), 20, widest=300)
            outcomes["set"] += 1
        except StoryError:
            outcomes["refused"] += 1
    print(outcomes)
    assert min(outcomes.values()) > 10


def test_characters_that_the_font_lacks_come_from_dejavu_in_the_same_cut(tmp_path):
    make_font(tmp_path / "tiny.ttf", characters="AB !")
    typeface = find_typeface("tiny.ttf", folder=tmp_path)
    runs = typeface.runs("AB Яя BA!", "bold")
    assert [(run.text, run.face.path.name) for run in runs] == [
        ("AB ", "tiny.ttf"),
        ("Яя ", "DejaVuSans-Bold.ttf"),
        ("BA!", "tiny.ttf"),
    ]
    # The oblique cut of DejaVu has no Arabic, its upright one has.
    assert [run.face.path.name for run in find_typeface(None).runs("سلام", "oblique")] == ["DejaVuSans.ttf"]


def test_marks_stay_with_their_letter_and_words_that_join_with_their_font(tmp_path):
    make_font(tmp_path / "tiny.ttf", characters="A\u0627 ")  # the first letter of the Arabic word, no other
    typeface = find_typeface("tiny.ttf", folder=tmp_path)
    assert [run.text for run in typeface.runs("AA\u0327A")] == ["A", "A\u0327", "A"]
    assert [run.text for run in typeface.runs("A السلام")] == ["A ", "السلام"]


def test_a_character_that_no_font_has_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StoryError, match=r"U\+F8D0\): the text needs a font for .*; give lettering.font"):
        find_typeface(None, text=f"Hello {ELSEWHERE}")
    with pytest.raises(StoryError, match=r"control characters '\\x07' \(U\+0007\): take them out"):
        find_typeface(None, text="Ring\x07")
    make_font(tmp_path / "tiny.ttf", characters="A\x07")
    with pytest.raises(StoryError, match="control characters"):
        find_typeface("tiny.ttf", folder=tmp_path, text="A\x07")


def test_marks_that_scripts_share_need_no_font_of_their_own():
    with pytest.raises(StoryError, match=r"U\+1D2C0") as caught:
        find_typeface(None, text="\U0001d2c0\uf8d0")
    assert "symbols" not in str(caught.value)
    with pytest.raises(StoryError, match="needs a font for symbols; give"):
        find_typeface(None, text="\U0001d2c0")


def test_invisible_characters_need_no_glyph(tmp_path):
    make_font(tmp_path / "tiny.ttf")
    typeface = find_typeface("tiny.ttf", folder=tmp_path, text="A\u200dB\u2060\ufe0f A\u00adB\u200bA")
    assert [run.face for run in typeface.runs("A\u200dB\u2060\ufe0f")] == [typeface.regular]


@pytest.mark.skipif(sys.platform == "win32", reason="installed fonts are looked for in folders only elsewhere")
def test_installed_fonts_fill_in_and_are_found_by_name_but_never_change_what_the_default_has(tmp_path):
    (tmp_path / "none").mkdir()
    folder = tmp_path / "some" / "fonts"
    make_font(folder / "a.ttf", family="Zq Serif", characters=f"A {ELSEWHERE}")
    make_font(folder / "b.ttf", family="Zq Sans", characters=f"A {ELSEWHERE}")
    make_font(folder / "b-bold.ttf", family="Zq Sans", style="Bold", weight=700, characters=f"A {ELSEWHERE}")
    make_font(folder / "small-capitals.ttf", family="Zq SC", characters=f"A {ELSEWHERE}")
    make_font(folder / "boxes.ttf", family="LastResort", characters="A \uf8d1")
    make_font(folder / "fake.ttf", family="DejaVu Sans", characters="ABCHelo ,!")
    (folder / "broken.ttf").write_bytes(b"no font")
    same = (
        "import hashlib; from multiid.story.fonts import find_typeface; from multiid.story.typesetting import shapes;"
        "blocks = [b for f in (None, 'DejaVu Sans') for b in shapes('Hello, Привет, سلام!', find_typeface(f), 30)];"
        "print([hashlib.sha256(b.mask().tobytes()).hexdigest() for b in blocks]);"
    )
    print(without := _python(same, data=tmp_path / "none", seed="1"))
    assert _python(same, data=tmp_path / "some", seed="2") == without
    found = _python(
        "from multiid.story.fonts import find_typeface as find;"
        f"print([[r.face.path.name for r in find(None).runs('{ELSEWHERE}', c)] for c in ('regular', 'bold')]);"
        "print(find('zq serif').regular.path.name, find('zq sans').bold.path.name)",
        data=tmp_path / "some",
    )
    assert found == "[['b.ttf'], ['b-bold.ttf']]\na.ttf b-bold.ttf\n"
    boxes = (
        "from multiid.errors import StoryError; from multiid.story.fonts import find_typeface\n"
        "try: print(find_typeface(None).runs('\uf8d1'))\n"
        "except StoryError as error: print('refused')"
    )
    assert _python(boxes, data=tmp_path / "some") == "refused\n"


@pytest.mark.parametrize(
    ("language", "text", "region"),
    [
        ("ja", "漢", "JP"),
        ("zh-TW", "漢", "TC"),
        ("zh", "漢", "SC"),
        ("en", "漢のか", "JP"),
        ("en", "漢글", "KR"),
        ("en", "漢", "SC"),
    ],
)
def test_chinese_characters_have_the_shapes_of_the_language_or_else_of_the_whole_text(language, text, region):
    assert east_asian_region(language, text) == region
    assert find_typeface(None, text="Hello", language="zh-HK").region == "HK"


def test_without_raqm_the_same_faces_are_found():
    typeface = find_typeface(None)
    basic = replace(typeface, shaping=False)
    assert basic.runs("Hello Привет") == typeface.runs("Hello Привет")


def _python(script: str, *, data: Path | None = None, seed: str = "0") -> str:
    """What a fresh interpreter prints, with other installed fonts of the user's."""
    environment = dict(os.environ, PYTHONHASHSEED=seed)
    if data is not None:
        environment["XDG_DATA_HOME"] = str(data)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    return run.stdout
