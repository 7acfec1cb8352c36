"""Reading a script: all that is wrong at once, each with its line; and what is right arrives whole."""

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import DROPPED, PANEL, STORY, VIEW, Change, changed, write_story
from story_faults import FAULTS

from multiid import Identity, StoryDocument, StoryError, load_story

# The type checker of the tests draws which items of a list it looks at.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


def faults(folder: Path, story: Any) -> list[str]:
    """What is said about a story, a line for each fault, without the file's name."""
    with pytest.raises(StoryError) as caught:
        load_story(write_story(folder, story))
    first, *lines = caught.value.lines
    file = f"{folder / 'story.yaml'}:"
    assert first == f"{file} expected a story, but it has {len(lines)} fault{'s' if len(lines) > 1 else ''}:"
    assert str(caught.value).splitlines() == [first, *lines]
    print(*lines, sep="\n")
    assert all(line.startswith(file) for line in lines)
    return [line.removeprefix(file) for line in lines]


def line_of(story: dict[str, Any], said: str) -> int:
    """The first line of a story's file that says this."""
    lines = yaml.safe_dump(story, sort_keys=False, allow_unicode=True).splitlines()
    return next(number for number, line in enumerate(lines, 1) if said in line)


@pytest.mark.parametrize(("changes", "line", "said"), FAULTS.values(), ids=FAULTS)
def test_one_fault_is_told_with_its_line(tmp_path: Path, changes: tuple[Change, ...], line: str, said: str) -> None:
    story = changed(*changes)
    (text,) = faults(tmp_path, story)
    number, _, problem = text.partition(": ")
    assert said in problem
    assert int(number) == line_of(story, line)


def test_the_story_without_changes_has_no_fault(tmp_path: Path) -> None:
    document = load_story(write_story(tmp_path))
    assert len(FAULTS) >= 40
    assert document.story.title == "A walk in the rain"
    assert {name: len(photos) for name, photos in document.photos.items()} == {"mia": 2, "leo": 1}
    assert document.notes == ()


def test_what_the_document_gives(tmp_path: Path) -> None:
    Identity("somebody", "old man", torch.ones(1, 1, 8), encoder="e" * 64).save(tmp_path / "leo.safetensors")
    document = load_story(write_story(tmp_path, changed((["cast", "leo"], {"identity": "leo.safetensors"}))))
    assert document.folder == tmp_path
    assert list(document.photos) == ["mia"]
    assert document.identities["leo"].name == "somebody"
    assert (document.noun("mia"), document.noun("leo")) == ("girl", "old man")


def test_a_preset_file_lies_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("base_on: tiny", encoding="utf-8")
    document = load_story(write_story(tmp_path, changed((["style", "preset"], "mine.yaml"))))
    assert document.preset == str(tmp_path / "mine.yaml")
    assert load_story(write_story(tmp_path)).preset == "tiny"
    (said,) = faults(tmp_path, changed((["style", "preset"], "yours.yaml")))
    assert f"style.preset: {tmp_path / 'yours.yaml'}: expected a YAML file, but it cannot be read" in said


def test_all_is_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    changes: list[Change] = [
        (["titel"], DROPPED),
        (["cast", "leo", "photos"], ["no.png", "neither.png"]),
        (["cast", "zoe"], {"noun": "girl"}),
        (["style", "scene"], {"step": 2, "guidance": "much"}),
        (["style", "preset"], "tinny"),
        (["paper", "dpi"], 3000),
        (["pages", 0, "layout"], "3/1"),
        ((*PANEL, "seed"), -1),
        ((*PANEL, "people"), ["mia", {"who": "lea", "strength": 99}, 3]),
        ((*PANEL, "dialogue"), [{"leo": "Where?", "how": "sung"}, {"max": "There!"}]),
        ((*PANEL, "template"), "couple-standin"),
        ((*VIEW, "prompt"), DROPPED),
        ((*VIEW, "sounds"), [{"text": "Splash", "colour": "wet"}]),
        (["pages", 1, "panels", 0, "pose"], "no.png"),
    ]
    said = faults(tmp_path, changed((["titel"], "x"), *changes[1:]))
    numbers = [int(line.partition(":")[0]) for line in said]
    assert numbers == sorted(numbers)
    places = [line.partition(": ")[2].partition(": ")[0] for line in said]
    assert sorted(places) == sorted([
        "titel", "cast.leo, photo 1", "cast.leo, photo 2", "cast.zoe", "style.scene.step", "style.scene.guidance",
        "style.preset", "paper.dpi", "page 1, layout", "page 1, panel 1, seed", "page 1, panel 1, person 2, who",
        "page 1, panel 1, person 2, strength", "page 1, panel 1, person 3", "page 1, panel 1, dialogue 1, how",
        "page 1, panel 1, dialogue 2, who", "page 1, panel 1, template", "page 1, panel 2, prompt",
        "page 1, panel 2, sound 1, colour", "page 2, panel 1, pose",
    ])  # fmt: skip


BESIDE: dict[str, tuple[tuple[Change, ...], list[str]]] = {
    "a broken entry does not hide its neighbours": (
        (
            (["cast", "leo", "photos"], [3, "no.png"]),
            (["cast", "mia"], {"noun": "girl!", "photos": 3}),
            (["style", "loras"], [{"weight": 1}, {"source": "ink.safetensors"}]),
            (["paper", "lettering"], {"size": 400, "font": "No Such Family"}),
        ),
        [
            "cast.mia.photos",
            "cast.mia.noun",
            "cast.leo, photo 1",
            "cast.leo, photo 2",
            "style, LoRA 1, source",
            "style, LoRA 2, source",
            "paper.lettering.size",
            "paper.lettering.font",
        ],
    ),
    "of the words neither": (
        (
            ((*VIEW, "captions"), [3, "Later\U000f0000"]),
            ((*VIEW, "sounds"), [{"text": "B", "angle": 100}, "\U000f0000"]),
        ),
        [
            "page 1, panel 2, caption 1",
            "page 1, panel 2, caption 2, text",
            "page 1, panel 2, sound 1, angle",
            "page 1, panel 2, sound 2, text",
        ],
    ),
    "template and pose at once do not hide the prompt": (
        (((*PANEL, "pose"), "pose.png"), ((*PANEL, "prompt"), "a {zoe}")),
        ["page 1, panel 1", "page 1, panel 1, prompt"],
    ),
    "nor does an unknown key the template": (
        (((*PANEL, "note"), "x"), ((*PANEL, "people", 1), {"who": "leo", "place": 5})),
        ["page 1, panel 1, note", "page 1, panel 1, person 2, place"],
    ),
}


@pytest.mark.parametrize(("changes", "places"), BESIDE.values(), ids=BESIDE)
def test_one_mistake_does_not_hide_another(tmp_path: Path, changes: tuple[Change, ...], places: list[str]) -> None:
    said = faults(tmp_path, changed(*changes))
    assert sorted(line.partition(": ")[2].partition(": ")[0] for line in said) == sorted(places)


FOLLOWING: dict[str, tuple[tuple[Change, ...], list[str]]] = {
    "a misspelt cast is not an unknown everybody": (
        ((["cast"], DROPPED), (["csat"], STORY["cast"])),
        ["csat: unknown key; did you mean 'cast'?"],
    ),
    "misspelt people are not nobody": (
        (((*PANEL, "people"), DROPPED), ((*PANEL, "peple"), ["mia", "leo"])),
        ["page 1, panel 1, peple: unknown key"],
    ),
    "a misspelt name is not somebody absent too": (
        (((*PANEL, "people", 1), "loe"),),
        ["page 1, panel 1, person 2, who: expected a name of the cast"],
    ),
    "a broken character is still one of the cast": (
        ((["cast", "mia", "photos"], 3),),
        ["cast.mia.photos: expected a text or a list, but got 3: put a text that looks like a number"],
    ),
    "a broken paper is not a page without room": (
        ((["paper", "margin"], -1),),
        ["paper.margin: expected greater than or equal to 0, but got -1."],
    ),
    "a missing prompt has no braces": (
        (((*PANEL, "prompt"), DROPPED), ((*PANEL, "promt"), "a {mia}")),
        [
            "page 1, panel 1, prompt: expected a value, but",
            "page 1, panel 1, promt: unknown key; did you mean 'prompt'?",
        ],
    ),
}


@pytest.mark.parametrize(("changes", "said"), FOLLOWING.values(), ids=FOLLOWING)
def test_one_mistake_is_not_told_as_several(tmp_path: Path, changes: tuple[Change, ...], said: list[str]) -> None:
    problems = [line.partition(": ")[2] for line in faults(tmp_path, changed(*changes))]
    assert len(problems) == len(said)
    assert all(problem.startswith(text) for problem, text in zip(problems, said, strict=True))


def test_faults_tell_programs_more(tmp_path: Path) -> None:
    with pytest.raises(StoryError) as caught:
        load_story(write_story(tmp_path, changed(((*PANEL, "people", 1, "who"), "loe"))))
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(tmp_path / "story.yaml"), 27)
    assert fault.key == "pages.0.panels.0.people.1.who"
    assert fault.place == "page 1, panel 1, person 2, who"
    assert fault.problem == "expected a name of the cast, but got 'loe'; did you mean 'leo'?"


def test_the_error_reaches_another_process_whole(tmp_path: Path) -> None:
    with pytest.raises(StoryError) as caught:
        load_story(write_story(tmp_path, changed((["titel"], "x"))))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.faults, again.lines, str(again)) == (caught.value.faults, caught.value.lines, str(caught.value))
    assert StoryError("Page 1: no room.").lines == ("Page 1: no room.",)


TEXTS = {
    "a tab": ("title: a\ncast:\n\tmia: x", 3, "(indent with spaces, not with tabs)."),
    "two stories": ("title: a\n---\ntitle: b", 2, "expected YAML, but this is none: found another document."),
    "a control character": (
        "title: a\n# \x07",
        2,
        "expected YAML, but it holds '\\x07', which is no character of a text.",
    ),
    "nothing": ("", 1, "expected keys such as title, cast and pages, but got nothing."),
    "a list": ("- a\n- b", 1, "expected keys such as title, cast and pages, but got list."),
    "no YAML": ("title: a\ncast: [b\npages: c", 3, "expected YAML, but this is none"),
    "a colon": (
        "title: The End: Part 2",
        1,
        "mapping values are not allowed here (texts that begin with a brace or hold",
    ),
    "a key twice": (
        "title: a\npages: []\ntitle: b",
        3,
        "expected YAML, but this is none: the key 'title' comes twice.",
    ),
    "no end": (
        "title: a\nstyle: &a {scene: {steps: *a}}",
        2,
        "expected YAML, but this is none: a value contains itself.",
    ),
    "a bomb": (
        "title: a\na: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "\n".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcde", "bcdef", strict=True)
        ),
        7,
        "with references written out, it holds more than 200,000 values.",
    ),
}


@pytest.mark.parametrize(("text", "line", "said"), TEXTS.values(), ids=TEXTS)
def test_what_is_no_script_at_all(tmp_path: Path, text: str, line: int, said: str) -> None:
    (problem,) = faults(tmp_path, text)
    assert problem.startswith(f"{line}: expected ")
    assert said in problem


def test_bytes_of_another_encoding_are_told_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    file.write_bytes("title: Sea\nauthor: Zo\u00eb\n".encode("latin-1"))
    with pytest.raises(StoryError, match=r"story\.yaml:2: expected YAML as UTF-8 text, but it holds other bytes\.$"):
        load_story(file)


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        StoryError, match=r"no\.yaml: expected a YAML file, but it cannot be read: No such file or directory\.$"
    ):
        load_story(tmp_path / "no.yaml")


def test_lines_of_what_is_referred_to_and_merged(tmp_path: Path) -> None:
    text = """title: a
cast: {mia: {noun: girl, photos: mia}}
pages:
  - panels:
      - &first
        prompt: a street
        seed: -1
      - <<: *first
        captions: [3]
        seed: -2
      - *first
"""
    said = faults(tmp_path, text)
    assert [line.partition(", but")[0] for line in said] == [
        "7: page 1, panel 1, seed: expected greater than or equal to 0",
        "7: page 1, panel 3, seed: expected greater than or equal to 0",
        "9: page 1, panel 2, caption 1: expected a text, or keys and values",
        "10: page 1, panel 2, seed: expected greater than or equal to 0",
    ]


def test_identities_of_different_encoders_cannot_meet(tmp_path: Path) -> None:
    cast = {}
    for name, encoder in (("ada", "a"), ("ben", "b"), ("max", "a")):
        Identity(name, "man", torch.ones(1, 1, 8), encoder=encoder * 64).save(tmp_path / f"{name}.safetensors")
        cast[name] = {"identity": f"{name}.safetensors"}
    story = {"title": "Sea", "cast": cast, "pages": [{"panels": [{"prompt": "the sea"}]}]}
    (said,) = faults(tmp_path, story)
    assert said.startswith("6: cast.ben.identity: expected identities of one ID encoder, but ada's was made by aaaaaa")


def test_what_is_hardly_meant_is_noted(tmp_path: Path) -> None:
    story = changed(
        (["cast", "zoe"], STORY["cast"]["leo"]),
        (["cast", "mia", "anchor"], "2.1"),
        (["pages", 1, "panels", 0, "people"], [{"who": "mia", "look": "in a hat"}]),
        ((*VIEW, "dialogue"), [{"mia": "Where are you?"}]),
    )
    notes = load_story(write_story(tmp_path, story)).notes
    zeroth, first, second = line_of(story, "anchor:"), line_of(story, "zoe:"), line_of(story, "mia: Where are you?") - 1
    assert [str(note).partition("story.yaml:")[2] for note in notes] == [
        f"{zeroth}: cast.mia.anchor: other panels take mia's clothes from 2.1, with another look there.",
        f"{first}: cast.zoe: zoe is in no panel.",
        f"{second}: page 1, panel 2, dialogue: mia will be heard from outside: nobody is in this panel.",
    ]


def test_a_story_of_many_pages_is_read(tmp_path: Path) -> None:
    """More values than a scene may hold."""
    page = {"panels": STORY["pages"][0]["panels"] * 4}
    document = load_story(write_story(tmp_path, changed((["pages"], [page] * 40))))
    assert len(document.story.panels) == 480


def test_the_example_of_the_guide_is_right(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guides" / "story.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(title.*?)```", guide, flags=re.DOTALL)
    (faulty,) = re.findall(r"```text\n(.*?)```", guide, flags=re.DOTALL)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    document = load_story(write_story(tmp_path, example))
    assert document.notes == ()
    assert list(document.story.panels) == ["1.1", "1.2", "1.3"]
    wrong = example.replace("[mia, leo]", "[mia, loe]").replace("how: thought", "how: sing")
    said = faults(tmp_path, wrong)
    assert [f"story.yaml:{line}" for line in said] == faulty.splitlines()[1:]


# What nobody thought of

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def stories(draw: st.DrawFn) -> Any:
    """The story with a few of its values replaced, left out or joined by new ones, anywhere in it."""
    whole = [copy.deepcopy(STORY)]
    for _ in range(draw(st.integers(1, 4))):
        holder: Any = whole
        key: Any = 0
        while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 6)):
            holder = holder[key]
            key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        change = draw(st.sampled_from(["replace", "drop", "add"]))
        if change == "drop" and holder is not whole:
            del holder[key]
        elif change == "add" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(plain)
        else:
            holder[key] = draw(plain)
    return whole[0]


def read_or_refused(file: Path) -> StoryDocument | None:
    """The document, or None where everything wrong with it was said in proper lines."""
    try:
        return load_story(file)
    except StoryError as refusal:
        error = refusal
    assert error.faults
    assert all(line.startswith(f"{file}:") and len(line) < 2000 for line in error.lines)
    assert len(error.lines) == len(str(error).splitlines()) == 1 + len(error.faults)
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_story(tmp_path_factory.mktemp("story")).parent


@settings(max_examples=30)
@given(story=stories())
def test_a_changed_story_is_read_or_refused_line_by_line(folder: Path, story: Any) -> None:
    read_or_refused(write_story(folder, story))


@settings(max_examples=60)
@given(content=st.text('tilepagscn: -[]{}&*!<>|"\n', max_size=60).map(str.encode) | st.binary(max_size=30))
def test_any_bytes_are_refused_line_by_line(folder: Path, content: bytes) -> None:
    (folder / "any.yaml").write_bytes(content)
    assert read_or_refused(folder / "any.yaml") is None
