# ruff: noqa: RUF001 - letters of several scripts look alike

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from fontmaking import make_font
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, features

from multiid.errors import StoryError
from multiid.story.bidi import visual_runs
from multiid.story.breaking import pieces
from multiid.story.evenlines import EvenLines, Measured
from multiid.story.fontfiles import bundled_faces
from multiid.story.fonts import Typeface, find_typeface
from multiid.story.typesetting import Block, fit, pixels, set_text, shapes, sizes
from multiid.story.writing import clean

SPEECH = "Now that is what I call a well-behaved balloon: not too wide, not too tall, and it reads in one go!"

needs_raqm = pytest.mark.skipif(not features.check("raqm"), reason="this Pillow has no raqm")

WORDS = st.lists(
    st.sampled_from(
        ["I", "we", "Ärger", "wait...", "“No!”", "mother-in-law", "So\u00adpho\u00adcles", "10\u00a0km", "?"]
    ),
    min_size=1,
    max_size=14,
)  # fmt: skip
TEXTS = st.tuples(WORDS, st.integers(0, 3)).map(
    lambda drawn: " ".join(word + "\n" * (drawn[1] == 3 and at % 4 == 3) for at, word in enumerate(drawn[0]))
)


@pytest.fixture(scope="module")
def dejavu() -> Typeface:
    return find_typeface(None)


def typeface_for(text: str, **wanted: str) -> Typeface:
    if not features.check("raqm"):
        pytest.skip("this Pillow has no raqm")
    try:
        return find_typeface(None, text=text, **wanted)
    except StoryError as error:
        pytest.skip(f"no installed font has it: {error}")


def words(block: Block) -> list[str]:
    return [line.text for line in block.lines]


def inked(block: Block) -> tuple[float, ...]:
    """The box around what is really drawn, relative to the block, looked for well around it."""
    image = Image.new("L", (block.width + 200, block.height + 200))
    block.draw(image, 100, 100, fill=255)
    box = image.getbbox()
    assert box is not None
    return tuple(side - 100 for side in box)


def bare(text: str) -> str:
    """What must not be lost: everything but blanks, hyphens and what is never drawn."""
    return "".join(one for one in text if one not in " \n-\u00ad\u200b\u2060")


@settings(max_examples=40, deadline=None)
@given(text=TEXTS, size=st.integers(9, 60), widest=st.integers(150, 900), form=st.sampled_from(["box", "lens"]))
def test_no_text_is_lost_and_nothing_is_drawn_outside(dejavu, text, size, widest, form):
    if bare(text) == "":
        return
    for cut in ("regular", "oblique"):
        blocks = shapes(text, dejavu, size, widest=widest, cut=cut, form=form)
        for block in blocks:
            assert [bare(line) for line in clean(text).split("\n")] == _paragraphs(block, text)
            assert block.width <= widest
            left, top, right, bottom = inked(block)
            assert 0 <= left < right <= block.width
            assert 0 <= top < bottom <= block.height
            assert block.ink.corners == (left, top, right, bottom)
        assert all(wide.width > narrow.width for wide, narrow in itertools.pairwise(blocks))


def _paragraphs(block: Block, text: str) -> list[str]:
    """The lines' words put together again at the writer's own line breaks; lines that run across one fail."""
    lines = [bare(line) for line in words(block)]
    found: list[str] = []
    for paragraph in clean(text).split("\n"):
        put = lines.pop(0)
        while len(put) < len(bare(paragraph)):
            put += lines.pop(0)
        found.append(put)
    assert not lines
    return found


@settings(max_examples=60, deadline=None)
@given(text=WORDS.map(" ".join), widest=st.integers(130, 500))
def test_lines_end_only_at_blanks_and_hyphens(dejavu, text, widest):
    parted = {("mother-", "in-"), ("in-", "law"), ("So-", "pho"), ("pho-", "cles")}
    for block in shapes(text, dejavu, 20, widest=widest):
        for upper, lower in itertools.pairwise(words(block)):
            last, first = upper.split(" ")[-1], lower.split(" ")[0]
            at_blank = f"{last} {first.rstrip('-')}" in text.replace("\u00ad", "")
            in_word = any(last.endswith(end) and first.startswith(start) for end, start in parted)
            assert at_blank or in_word, words(block)
            assert first != "?", words(block)


@pytest.mark.parametrize(
    ("paragraph", "parts"),
    [
        ("well-known twenty-one", ["well-", "known", "twenty-", "one"]),
        ("-5 3-4 a-", ["-5", "3-4", "a-"]),
        ("wait--what — no", ["wait--", "what", "—", "no"]),
        ("he said—“No”—then", ["he", "said—", "“No”—then"]),
        ("10\u00a0km a\u2011b a\u2060b", ["10\u00a0km", "a\u2011b", "ab"]),
        ("Quoi ? « Non »", ["Quoi ?", "« Non »"]),
        ("...and …so", ["...and", "…so"]),
        ("日本語だ。", ["日", "本", "語", "だ。"]),
        ("「はい」と、ちょっと…", ["「は", "い」", "と、", "ちょっ", "と…"]),
        ("ラーメン10杯A級!", ["ラー", "メ", "ン", "10", "杯", "A", "級!"]),
        ("あ……い", ["あ……", "い"]),
        ("안녕하세요 세상", ["안녕하세요", "세상"]),
        ("ไทย\u200bแลนด์", ["ไทย", "แลนด์"]),
        ("", [""]),
    ],
)  # fmt: skip
def test_where_lines_may_end(paragraph, parts):
    found = pieces(paragraph)
    assert [piece.text for piece in found] == parts
    together = "".join(piece.text + piece.gap for piece in found)
    assert together == paragraph.replace("\u200b", "").replace("\u2060", "")


def test_ink_that_leans_out_counts_as_width(dejavu):
    text = "if half of it fell off"
    block = shapes(text, dejavu, 40, cut="oblique")[0]
    reach = math.ceil(block.lines[0].laid.advance)
    print(reach, block.width)
    assert reach < block.width
    for widest in range(reach, block.width):
        assert all(block.width <= widest for block in shapes(text, dejavu, 40, widest=widest, cut="oblique"))


def test_soft_hyphens_show_only_where_a_line_ends(dejavu):
    word = "Donau\u00addampf\u00adschiff"
    assert words(set_text(word, dejavu, 20, widest=400)) == ["Donaudampfschiff"]
    narrow = shapes(word, dejavu, 20, widest=130)
    assert words(narrow[0]) in (["Donau-", "dampfschiff"], ["Donaudampf-", "schiff"])
    assert words(shapes(word, dejavu, 20, widest=90)[0]) == ["Donau-", "dampf-", "schiff"]


@settings(max_examples=80, deadline=None)
@given(
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    widest=st.integers(9, 40),
    form=st.sampled_from(["box", "lens"]),
    breaks=st.sets(st.integers(0, 6)),
)
def test_lines_are_as_even_as_any_way_to_break_them(widths, widest, form, breaks):
    """Against every way there is, tried one by one."""
    last = len(widths) - 1
    measured = [
        Measured(w, 1, 0, inside_word=False, ends_paragraph=i == last or i in breaks) for i, w in enumerate(widths)
    ]
    even = EvenLines(measured, widest=widest)
    by_count: dict[int, list[list[float]]] = {}
    for inner in itertools.product([False, True], repeat=last):
        ends = [at + 1 for at, here in enumerate(inner) if here] + [last + 1]
        if {at + 1 for at in breaks if at < last} <= set(ends):
            lines = [sum(widths[a:b]) + b - a - 1 for a, b in itertools.pairwise([0, *ends])]
            if max(lines) <= widest:
                by_count.setdefault(len(ends), []).append(lines)
    assert list(even.counts) == sorted(by_count)
    for count, ways in by_count.items():
        shares = [
            1.0 if form == "box" else math.sqrt(1 - (0.8 * (2 * i + 1 - count) / count) ** 2) for i in range(count)
        ]
        full = (sum(widths) + len(widths)) / sum(shares)
        badness = [sum((w / full - share) ** 2 for w, share in zip(way, shares, strict=True)) for way in ways]
        ends = even.ends(count, form=form)
        mine = [sum(widths[a:b]) + b - a - 1 for a, b in itertools.pairwise([0, *ends])]
        assert mine in ways
        assert badness[ways.index(mine)] == pytest.approx(min(badness))


def test_lines_in_a_lens_are_longest_in_the_middle(dejavu):
    lens, box = (
        next(block for block in shapes("no " * 40, dejavu, 20, form=form) if len(block.lines) == 5)
        for form in ("lens", "box")
    )
    assert [line.count("no") for line in words(box)] == [8, 8, 8, 8, 8]
    counts = [line.count("no") for line in words(lens)]
    print(counts)
    assert counts[0] < 8 < counts[2] > counts[4]


def test_a_box_takes_as_few_lines_as_the_width_allows_evenly_and_keeps_line_breaks(dejavu):
    block = set_text(SPEECH, dejavu, 20, widest=500)
    fewest, line = 1, ""
    for word in SPEECH.split():  # filled as full as can be; "well-behaved" is not at an end here
        longer = f"{line} {word}".strip()
        full = dejavu.font(dejavu.regular, 20).getlength(longer) > 497
        fewest, line = (fewest + 1, word) if full else (fewest, longer)
    assert len(block.lines) == fewest
    widths = [box.width for box in block.line_boxes]
    print(widths)
    assert min(widths) > 0.75 * max(widths)
    assert words(set_text("One\ntwo\r\n\n three four\n", dejavu, 20, widest=500)) == ["One", "two", "", "three four"]


def test_words_are_never_broken(dejavu):
    with pytest.raises(StoryError, match=r"'Extraordinary!' is wider at 20\.0 pixels"):
        set_text("Oh, Extraordinary!", dejavu, 20, widest=80)
    assert shapes("Oh, Extraordinary!", dejavu, 20, widest=80) == ()
    with pytest.raises(StoryError, match="Expected words to set, but got ' '"):
        set_text(" ", dejavu, 20, widest=80)


def test_alignment(dejavu):
    left, middle, right = (
        [box.left for box in set_text("Much wider\nthin", dejavu, 20, widest=500, align=align).line_boxes]
        for align in ("start", "center", "end")
    )
    assert left[1] <= left[0] + 2 < middle[1] < right[1]
    if features.check("raqm"):
        hebrew = [
            set_text("שלום עולם\nכן", dejavu, 20, widest=500, align=align).line_boxes for align in ("start", "end")
        ]
        assert hebrew[0][1].left > hebrew[1][1].left
        assert abs(hebrew[0][0].right - hebrew[0][1].right) <= 2


def test_fit_takes_the_largest_size_that_fits(dejavu):
    def room(block: Block) -> bool:
        return block.width <= 260 and block.height <= 120

    block = fit(SPEECH, dejavu, largest_px=40, smallest_px=10, fits=room)
    assert block is not None
    assert room(block)
    larger = [size for size in sizes(40, 10) if size > block.size_px]
    print(block.size_px, len(larger))
    assert larger
    assert not any(room(other) for size in larger for other in shapes(SPEECH, dejavu, size))
    assert fit(SPEECH, dejavu, largest_px=40, smallest_px=39, fits=room) is None


def test_sizes_fall_in_fine_steps_to_the_smallest():
    ladder = sizes(25, 12)
    assert (ladder[0], ladder[-1]) == (25, 12)
    assert all(1 < larger / smaller <= 1 / 0.975 + 1e-9 for larger, smaller in itertools.pairwise(ladder))
    assert sizes(10, 10) == (10,)
    assert pixels(72, 150) == 150
    with pytest.raises(ValueError, match="smallest_px <= largest_px"):
        sizes(10, 12)


def test_an_outline_lies_behind_all_letters(dejavu):
    block = set_text("BAM", dejavu, 80, widest=400, cut="bold")
    plain = np.asarray(block.mask())
    outlined = Image.new("RGB", (block.width + 20, block.height + 20), "white")
    block.draw(outlined, 10, 10, fill="red", outline="black", outline_px=6)
    letters = np.asarray(outlined)[10:-10, 10:-10][plain == 255]
    assert (letters == (255, 0, 0)).all()
    thick = np.asarray(block.mask(outline_px=6))
    assert thick.shape == (block.height + 12, block.width + 12)
    assert (thick > 0).sum() > 1.3 * (plain > 0).sum()


def test_fonts_share_a_baseline(tmp_path):
    """The squares of the small font stand on the line on which DejaVu's letters stand."""
    make_font(tmp_path / "tiny.ttf", characters="A ")
    typeface = find_typeface("tiny.ttf", folder=tmp_path)
    block = set_text("AЖ", typeface, 40, widest=400)
    assert [run.face.path.name for run in block.lines[0].laid.runs] == ["tiny.ttf", "DejaVuSans.ttf"]
    image = np.asarray(block.mask())
    border = block.lines[0].laid.runs[1].x + block.lines[0].x
    feet = [int(np.nonzero(half.max(axis=1) > 128)[0].max()) + 1 for half in (image[:, :border], image[:, border:])]
    print(feet, block.lines[0].baseline)
    assert feet == [block.lines[0].baseline] * 2


def test_lines_are_as_far_apart_as_the_font_asks_for(dejavu):
    first, second = set_text("no\nno", dejavu, 40, widest=400).lines
    assert second.baseline - first.baseline == sum(dejavu.font(dejavu.regular, 40).getmetrics())


@needs_raqm
def test_lines_never_touch_however_many_marks_letters_bear(dejavu):
    block = set_text("gA\u0323\u0323\u0323\nA\u0302\u0302\u0302\u0302", dejavu, 40, widest=400)
    upper, lower = block.line_boxes
    print(upper, lower)
    assert upper.bottom <= lower.top
    assert block.lines[1].baseline - block.lines[0].baseline > sum(dejavu.font(dejavu.regular, 40).getmetrics())


def test_never_a_box(dejavu, tmp_path):
    with pytest.raises(StoryError, match=r"U\+F8D0"):
        set_text("What \uf8d0?", dejavu, 20, widest=400)
    make_font(tmp_path / "tiny.ttf")
    tiny = find_typeface("tiny.ttf", folder=tmp_path)
    for shaping in {features.check("raqm"), False}:
        typeface = replace(tiny, shaping=bool(shaping))
        plain = set_text("AB", typeface, 40, widest=400).mask()
        assert set_text("A\u2060B\ufe0f\u200e", typeface, 40, widest=400).mask().tobytes() == plain.tobytes()


def test_without_raqm_plain_scripts_are_set_and_others_refused(dejavu):
    basic = replace(dejavu, shaping=False)
    assert words(set_text("Hello Привет Γειά", basic, 20, widest=400)) == ["Hello Привет Γειά"]
    for text, script in {"سلام": "Arabic", "שלום": "Hebrew", "नमस्ते": "Devanagari", "สวัสดี": "Thai"}.items():
        with pytest.raises(StoryError, match=rf"lays out {script} with raqm, but .* install FriBiDi"):
            set_text(text, basic, 20, widest=400)


@needs_raqm
def test_hebrew_runs_to_the_left(dejavu):
    def letter(image: Image.Image) -> Image.Image:
        return image.crop(image.getbbox())

    both, aleph, bet = (letter(set_text(text, dejavu, 40, widest=400).mask()) for text in ("אב", "א", "ב"))
    assert letter(both.crop((0, 0, bet.width, both.height))).tobytes() == bet.tobytes()
    assert letter(both.crop((both.width - aleph.width, 0, *both.size))).tobytes() == aleph.tobytes()
    assert bet.tobytes() != aleph.tobytes()
    asked, mark = (letter(set_text(text, dejavu, 40, widest=400).mask()) for text in ("אב!", "!"))
    assert letter(asked.crop((0, 0, mark.width, asked.height))).tobytes() == mark.tobytes()


@needs_raqm
def test_arabic_letters_join(dejavu):
    joined = set_text("بيت", dejavu, 40, widest=400)
    apart = sum(set_text(letter, dejavu, 40, widest=400).width for letter in "بيت")
    print(joined.width, apart)
    assert joined.width < 0.8 * apart
    columns = np.asarray(joined.mask()).max(axis=0)
    assert (columns[int(joined.ink.left) : int(joined.ink.right)] > 0).all()


@needs_raqm
def test_lines_of_both_directions_stand_in_one_order_whatever_fonts_they_take():
    """Against raqm's own order of a whole line; every letter of this font is as wide as any other."""
    face = next(face for face in bundled_faces() if face.path.name == "DejaVuSansMono.ttf")
    font = face.at(20, shaping=True)
    generator = np.random.default_rng(5)
    for _ in range(400):
        text = "".join(generator.choice(list("ابتدABc019.,:()[] !-+$%"), size=generator.integers(1, 15)))
        leftwards = bool(generator.integers(2))
        parted = [int(at) for at in generator.integers(0, len(text) + 1, size=2) if " " in text[max(at - 1, 0) : at]]
        whole, pieced = Image.new("L", (400, 40)), Image.new("L", (400, 40))
        ImageDraw.Draw(whole).text(
            (20, 28), text, font=font, fill=255, anchor="ls", direction="rtl" if leftwards else "ltr"
        )
        x = 20.0
        for start, end, backwards in visual_runs(text, leftwards=leftwards, parted_at=parted):
            options = {"direction": "rtl" if backwards else "ltr"}
            ImageDraw.Draw(pieced).text((x, 28), text[start:end], font=font, fill=255, anchor="ls", **options)
            x += font.getlength(text[start:end], **options)
        assert whole.tobytes() == pieced.tobytes(), (text, leftwards)


def test_devanagari_is_shaped():
    typeface = typeface_for("कि")
    vowel_first = set_text("कि", typeface, 40, widest=400)  # the vowel sign stands left of its letter
    basic = replace(typeface, shaping=False)
    drawn_basic = basic.font(basic.runs("कि")[0].face, 40).getmask("कि", mode="L", anchor="ls")
    shaped = typeface.font(typeface.runs("कि")[0].face, 40).getmask("कि", mode="L", anchor="ls")
    assert vowel_first.width > 0
    assert bytes(shaped) != bytes(drawn_basic)


def test_thai_marks_stand_above_their_letter_and_lines_end_at_blanks():
    typeface = typeface_for("กี่ สวัสดี")
    assert set_text("กี่", typeface, 40, widest=400).lines[0].laid.advance == pytest.approx(
        set_text("ก", typeface, 40, widest=400).lines[0].laid.advance, abs=2
    )
    assert words(shapes("สวัสดี ชาวโลก", typeface, 40)[-1]) == ["สวัสดี", "ชาวโลก"]


def test_japanese_lines_follow_kinsoku():
    text = "吾輩は「猫」である。名前は、まだ無い…ちょっと、ラーメンを！"
    typeface = typeface_for(text, language="ja")
    for widest in range(60, 700, 40):
        for block in shapes(text, typeface, 20, widest=widest):
            assert "".join(words(block)) == text
            assert not any(line[0] in "」。、…ょっー！" or line[-1] == "「" for line in words(block)), words(block)
