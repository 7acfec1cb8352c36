import itertools
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from wordy import mask_of, mask_of_balloon, mask_of_boxes, random_pages

from multiid.errors import StoryError
from multiid.geometry import Box, Size
from multiid.story.lettering import letter_panel, place_words
from multiid.story.script import Lettering, Panel
from multiid.story.seen import Seen, SeenFace
from multiid.story.sounds import word_boxes
from multiid.story.written import Written

SIZE = Size(600, 450)
SEEN = Seen(
    SIZE,
    {"mia": SeenFace.of(Box(130, 170, 220, 290)), "tom": SeenFace.of(Box(380, 180, 465, 295))},
    (Box(560, 200, 600, 260),),
)
GROUND = (96, 128, 160)
WHERE = "page 1, panel 3"


def panel(**words: Any) -> Panel:
    return Panel.model_validate({"prompt": "a street", "people": ["mia", "tom", "ben"], **words})


def place(words: Panel, seen: Seen = SEEN, **kwargs: Any) -> Written:
    options = {"lettering": Lettering(), "dpi": 150, "reading": "left-to-right", "where": WHERE, **kwargs}
    return place_words(words, seen, **options)


def draw(words: Panel, seen: Seen = SEEN, **kwargs: Any) -> Image.Image:
    options = {"lettering": Lettering(), "dpi": 150, "reading": "left-to-right", "where": WHERE, **kwargs}
    return letter_panel(Image.new("RGB", seen.size, GROUND), words, seen, **options)


def changed(image: Image.Image) -> np.ndarray:
    return (np.asarray(image) != np.array(GROUND)).any(axis=2)


def test_what_is_drawn_is_what_was_placed() -> None:
    """Pixels change where the geometry says, and nowhere else; never on a face."""
    panels = [each for page in random_pages(6, seed=7) for each in page if each.seen.size != (300, 280)]
    for each in panels:
        written = place(each.words, each.seen, reading=each.reading)
        image = draw(each.words, each.seen, reading=each.reading)
        touched = changed(image)
        assert not (touched & mask_of_boxes(each.seen.boxes, each.seen.size)).any(), each.where
        expected = np.zeros_like(touched)
        for balloon in written.balloons:
            mask = mask_of_balloon(balloon, written.size, line_px=written.line_px)
            if balloon.kind != "whisper":
                lost = (mask & ~touched).sum() / mask.sum()
                assert lost < 0.02, each.where
            expected |= mask
        for sound in written.sounds:
            expected |= mask_of(sound.polygon, written.size)
        nearly = np.asarray(Image.fromarray(expected.astype(np.uint8)).filter(ImageFilter.MaxFilter(5))) > 0
        stray = int((touched & ~nearly).sum())
        print(f"{each.where}: {int(touched.sum())} pixels written, {stray} of them not where they should be")
        assert stray == 0


def test_balloons_are_white_with_black_lines_and_words() -> None:
    words = panel(dialogue=[{"mia": "Is anybody at home?"}])
    (balloon,) = place(words).balloons
    pixels = np.asarray(draw(words))[mask_of(balloon.outline, SIZE)]
    white, black = (float((pixels == shade).all(axis=1).mean()) for shade in (255, 0))
    print(f"of the balloon {white:.2f} is white and {black:.2f} black")
    assert white > 0.6
    assert 0.03 < black < 0.3


def test_the_same_words_give_the_same_bytes() -> None:
    words = panel(dialogue=[{"mia": "One."}, {"tom": "Two!", "how": "shout"}], sounds=["BANG"])
    assert draw(words).tobytes() == draw(words).tobytes()


def test_the_picture_itself_stays_as_it_was() -> None:
    image = Image.new("RGB", SIZE, GROUND)
    words = panel(captions=["Later."])
    options = {"lettering": Lettering(), "dpi": 150, "reading": "left-to-right", "where": WHERE}
    lettered = letter_panel(image, words, SEEN, **options)
    assert lettered is not image
    assert not changed(image).any()
    assert changed(lettered).any()


def test_faces_of_another_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="seen in"):
        letter_panel(
            Image.new("RGB", (100, 100)),
            panel(),
            SEEN,
            lettering=Lettering(),
            dpi=150,
            reading="left-to-right",
            where=WHERE,
        )


def test_text_shrinks_to_the_smallest_size_and_then_is_an_error() -> None:
    lettering = Lettering(size=9.0, smallest=6.0)
    largest, smallest = 9.0 * 150 / 72, 6.0 * 150 / 72
    found: list[float] = []
    message = ""
    for count in itertools.count(10, 6):
        words = panel(dialogue=[{"mia": "Nobody ever " * count}])
        try:
            found.append(place(words, lettering=lettering).text_px)
        except StoryError as error:
            message = str(error)
            break
    assert message.startswith("page 1, panel 3: the words do not fit")
    assert message.endswith("or lower lettering.smallest")
    print(f"sizes as the text grows: {', '.join(f'{size:.1f}' for size in found)} of {largest:.1f} to {smallest:.1f}")
    assert found[0] == pytest.approx(largest)
    assert min(found) < 1.08 * smallest
    assert all(size >= smallest - 1e-9 for size in found)


def test_a_smaller_limit_lets_more_words_in() -> None:
    words = panel(dialogue=[{"mia": "Nobody ever told me anything about it. " * 12}])
    with pytest.raises(StoryError, match="panel 3"):
        place(words)
    assert place(words, lettering=Lettering(smallest=3.0)).text_px < 6 * 150 / 72


def test_a_word_wider_than_the_panel_is_an_error_that_names_it() -> None:
    with pytest.raises(StoryError, match=r"^page 1, panel 3: the words do not fit"):
        place(panel(dialogue=[{"mia": "A" + "a" * 200 + "h"}]))


def test_manners_look_as_they_should() -> None:
    lines = [
        {"mia": "Plain words.", "how": "speech"},
        {"mia": "Thoughts of it.", "how": "thought"},
        {"tom": "Loud!", "how": "shout"},
        {"tom": "Quiet words.", "how": "whisper"},
        {"text": "It was late.", "how": "narration"},
    ]
    written = place(panel(dialogue=lines, captions=["Then."]))
    of = {balloon.kind: balloon for balloon in written.balloons}
    assert [of[kind].form for kind in ("speech", "thought", "shout", "whisper", "narration", "caption")] == [
        "rounded",
        "cloud",
        "burst",
        "rounded",
        "box",
        "box",
    ]
    assert of["whisper"].block.size_px < of["speech"].block.size_px
    assert of["thought"].bubbles
    assert of["thought"].tip not in of["thought"].outline
    assert of["speech"].tip in of["speech"].outline
    assert of["narration"].tail is None
    assert of["caption"].tail is None


def test_whispers_are_not_smaller_than_the_smallest_size() -> None:
    words = panel(dialogue=[{"mia": "Hush.", "how": "whisper"}])
    written = place(words, lettering=Lettering(size=6.2, smallest=6.0))
    assert written.balloons[0].block.size_px == pytest.approx(6.0 * 150 / 72)


def test_shouts_are_bold_and_thoughts_oblique() -> None:
    inked = {}
    for how in ("speech", "shout", "thought"):
        (balloon,) = place(panel(dialogue=[{"mia": "lllll", "how": how}])).balloons
        mask = np.asarray(balloon.block.mask()) > 100
        inked[how] = mask.mean() * mask.size / len(np.nonzero(mask.any(axis=1))[0])
        upright = mask.any(axis=0).sum() / mask.shape[1]
        print(f"{how}: {inked[how]:.1f} pixels in a row, {upright:.2f} of the columns inked")
        inked[how, "columns"] = upright
    assert inked["shout"] > 1.3 * inked["speech"]
    assert inked["thought", "columns"] > 1.3 * inked["speech", "columns"]


def test_dialogue_in_capitals_leaves_captions_as_they_are() -> None:
    words = panel(dialogue=[{"mia": "Straße, anyone?"}], captions=["Noon."])
    caption, line = place(words, lettering=Lettering(capitals=True)).balloons
    assert line.text == "STRASSE, ANYONE?"
    assert caption.text == "Noon."


@pytest.mark.parametrize(
    "text", ["Did you hear that?", "I thought you had it.", "We should go home before it gets dark."]
)
def test_lines_are_even_where_there_is_room(text: str) -> None:
    """No line of a balloon is less than half as wide as another."""
    for speaker in ("mia", "tom"):
        (balloon,) = place(panel(dialogue=[{speaker: text}]), Seen(Size(820, 900), SEEN.faces)).balloons
        widths = [line.ink.width for line in balloon.block.lines if line.ink is not None]
        print(f"{text!r} by {speaker}: {' / '.join(line.text for line in balloon.block.lines)}")
        assert min(widths) >= 0.5 * max(widths)
        assert len(widths) < 4


def test_balloons_spare_the_hair_where_there_is_room() -> None:
    face = Box(200, 330, 420, 610)
    hair = Box(face.left, face.top - 0.25 * face.height, face.right, face.top)
    seen = Seen(Size(620, 900), {"mia": SeenFace.of(face)})
    (balloon,) = place(panel(dialogue=[{"mia": "Is anybody at home?"}]), seen).balloons
    assert balloon.reaching
    assert not balloon.box.overlaps(hair)


def test_the_bubbles_of_a_thought_are_no_dots_where_there_is_room() -> None:
    for text in ("Hm.", "If only I had stayed at home with my books."):
        written = place(panel(dialogue=[{"mia": text, "how": "thought"}]))
        radii = [bubble.radius / written.text_px for bubble in written.balloons[0].bubbles]
        print(f"radii in ems: {', '.join(f'{radius:.2f}' for radius in radii)}")
        assert len(radii) >= 3
        assert radii[0] >= 0.35
        assert min(radii) >= 0.14


def test_captions_come_first_and_last() -> None:
    words = panel(
        captions=[{"text": "The end.", "where": "bottom"}, "A start.", "And more."], dialogue=[{"mia": "Hello."}]
    )
    assert [balloon.text for balloon in place(words).balloons] == ["A start.", "And more.", "Hello.", "The end."]


def test_reading_from_right_to_left_mirrors_the_order() -> None:
    words = panel(dialogue=[{"ben": "First of all."}, {"ben": "Then this."}, {"ben": "At last."}], people=[])
    for reading, sign in (("left-to-right", 1), ("right-to-left", -1)):
        first, second, third = (balloon.box for balloon in place(words, Seen(Size(900, 70)), reading=reading).balloons)
        assert sign * first.centre[0] < sign * second.centre[0] < sign * third.centre[0]


def test_somebody_whose_face_is_not_seen_has_a_short_tail_or_one_to_their_place() -> None:
    words = panel(dialogue=[{"ben": "I am over here."}])
    (shown,) = place(words).balloons
    assert not shown.reaching
    assert shown.tip is not None
    (balloon,) = place(words, places={"ben": (290.0, 380.0)}).balloons
    assert balloon.reaching
    assert balloon.tip == (290.0, 380.0)


def test_somebody_outside_is_pointed_at_through_the_edge() -> None:
    (balloon,) = place(panel(dialogue=[{"ida": "May I come in?"}])).balloons
    assert balloon.tip is not None
    assert balloon.tip[0] in (0.0, SIZE.width) or balloon.tip[1] == SIZE.height


def test_sound_words_are_large_and_clear_of_everything() -> None:
    words = panel(dialogue=[{"mia": "What was that?"}], sounds=[{"text": "CRASH", "angle": 25}, "thud"])
    written = place(words)
    crash, thud = written.sounds
    taken = [*SEEN.boxes, *(balloon.box for balloon in written.balloons)]
    assert crash.block.size_px > 2.5 * written.text_px
    for sound, others in ((crash, taken), (thud, [*taken, *(Box(*box) for box in word_boxes(crash).tolist())])):
        assert not any(Box(*box).overlaps(other) for box in word_boxes(sound).tolist() for other in others)
    (left, top), (right, higher) = crash.polygon[:2]
    rise = np.degrees(np.arctan2(top - higher, right - left))
    print(f"CRASH rises by {rise:.1f} degrees")
    assert rise == pytest.approx(25)


def test_a_turned_sound_word_is_drawn_turned() -> None:
    touched = changed(draw(panel(sounds=[{"text": "WHEEE", "at": [0.5, 0.85], "angle": 10}])))
    ys, xs = np.nonzero(touched)
    rise = -np.degrees(np.arctan(np.polyfit(xs, ys, 1)[0]))
    print(f"the letters rise by {rise:.1f} degrees")
    assert 7 < rise < 13


def test_a_sound_word_stands_where_it_was_put() -> None:
    (sound,) = place(panel(sounds=[{"text": "TICK", "at": [0.5, 0.85]}])).sounds
    assert sound.middle == (300.0, 0.85 * 450)
    touched = changed(draw(panel(sounds=[{"text": "TICK", "at": [0.5, 0.85], "colour": "#00ff00"}])))
    ys, xs = np.nonzero(touched)
    assert (xs.min() + xs.max()) / 2 == pytest.approx(300, abs=1.5)
    assert (ys.min() + ys.max()) / 2 == pytest.approx(0.85 * 450, abs=1.5)


@pytest.mark.parametrize(
    ("at", "trouble"),
    [
        ([0.29, 0.5], "would cover mia's face"),
        ([0.98, 0.5], "would cover a face"),
        ([0.5, 0.01], "would reach beyond the panel"),
    ],
)
def test_a_sound_word_put_where_it_cannot_be_is_an_error(at: list[float], trouble: str) -> None:
    with pytest.raises(StoryError, match=rf"^page 1, panel 3: the sound word 'BOOM' at .* {trouble}; move it"):
        place(panel(sounds=[{"text": "BOOM", "at": at}]))


def test_a_font_that_is_not_there_is_an_error_that_names_the_panel() -> None:
    with pytest.raises(StoryError, match=r"^page 1, panel 3: .*No Such Family"):
        place(panel(captions=["Noon."]), lettering=Lettering(font="No Such Family"))


def test_balloons_keep_clear_of_sound_words_with_a_place() -> None:
    alone = place(panel(dialogue=[{"mia": "What was that?"}])).balloons[0].box
    at = [alone.centre[0] / SIZE.width, alone.centre[1] / SIZE.height]
    written = place(panel(dialogue=[{"mia": "What was that?"}], sounds=[{"text": "BOOM", "at": at}]))
    assert written.balloons[0].box != alone
    boxes = [Box(*box) for box in word_boxes(written.sounds[0]).tolist()]
    assert not any(box.overlaps(written.balloons[0].box) for box in boxes)


def test_sound_words_without_room_are_an_error() -> None:
    seen = Seen(SIZE, {"mia": SeenFace.of(Box(20, 20, 580, 430))})
    with pytest.raises(StoryError, match="panel 3: the words do not fit"):
        place(panel(sounds=["BOOM"]), seen)


def test_a_panel_without_words_stays_as_it_is() -> None:
    assert not changed(draw(panel())).any()
    assert place(panel()).balloons == ()
