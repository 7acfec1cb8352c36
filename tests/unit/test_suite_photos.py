"""Suites whose people come from photos: folders, what is given and kept, groups, notes; and the public protocols."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photos import write_blocks

from multiid import PRESETS, PhotoError
from multiid.errors import SuiteError
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.poses.templates import load_template
from multiid.suites.photo_people import STAND_INS, PhotoPeople, gather_photo_people, stand_in_preset
from multiid.suites.photos import Entry, draw_album, read_album
from multiid.suites.suite import Suite, load_suite

PROTOCOLS = ("fastcomposer", "multiid-bench", "multihuman")
NAMES = ("ada", "emmy", "grace")


def portraits(folder: Path, people: dict[str, int], *, noun: str = "woman") -> Path:
    """So many portraits of each person, in folders as they should be."""
    for index, (name, count) in enumerate(people.items()):
        (folder / noun / name).mkdir(parents=True)
        for number in range(count):
            picture = draw_portrait(make_person(index), seed=100 * index + number, size=64).picture
            picture.save(folder / noun / name / f"{number}.png")
    return folder


def suite(*, photos: int = 1, **changes: Any) -> Suite:
    case = {"name": "pairs", "people": 2, "prompts": ["a photo of {people}", "a drawing of {people}"]}
    document = {
        "title": "pairs",
        "about": "pairs",
        "people": "photos",
        "kept": 1,
        "groups": {"full": 4},
        "cases": [case],
        "settings": [{"name": "plain", "photos": photos}],
        "metrics": ["minimum"],
    }
    return Suite.model_validate(document | changes)


def pixels(entry: Entry, *, given: int, kept: int) -> tuple[list[int], list[int]]:
    """Which photos are given and which are kept, by number."""
    numbers = {entry.split(given=16, kept=0)[0][index].tobytes(): index for index in range(len(entry.photos))}
    ours, theirs = entry.split(given=given, kept=kept)
    return [numbers[picture.tobytes()] for picture in ours], [numbers[picture.tobytes()] for picture in theirs]


def test_a_folder_of_people(tmp_path: Path) -> None:
    portraits(tmp_path, {"isaac": 1}, noun="old man")
    portraits(tmp_path, {"ada": 2, "grace": 3})
    (tmp_path / "notes.txt").write_text("not a photo")
    (tmp_path / ".hidden").mkdir()
    album = read_album(tmp_path)
    assert [(entry.noun, entry.name, len(entry.photos)) for entry in album.entries] == [
        ("old man", "isaac", 1),
        ("woman", "ada", 2),
        ("woman", "grace", 3),
    ]
    assert not album.drawn


def test_the_digest_is_of_what_photos_show(tmp_path: Path) -> None:
    digests = [read_album(portraits(tmp_path / name, {"ada": 2})).digest for name in ("here", "there")]
    assert digests[0] == digests[1]
    write_blocks(tmp_path / "here" / "woman" / "ada" / "1.png", side=64)
    assert read_album(tmp_path / "here").digest != digests[0]
    (tmp_path / "there" / "woman" / "ada").rename(tmp_path / "there" / "woman" / "emmy")
    assert read_album(tmp_path / "there").digest != digests[0]


def test_folders_that_are_laid_out_otherwise(tmp_path: Path) -> None:
    layout = r"FOLDER/NOUN/NAME/, such as FOLDER/woman/ada/1\.jpg"
    with pytest.raises(SuiteError, match=rf"photos \({layout}\), but there is no .*absent"):
        read_album(tmp_path / "absent")
    with pytest.raises(SuiteError, match=r"a folder for each class noun .*, but there is none"):
        read_album(tmp_path)
    file = write_blocks(tmp_path / "photo.png")
    with pytest.raises(SuiteError, match=r"but .*photo.png is a file"):
        read_album(file)
    with pytest.raises(SuiteError, match=r"a folder for each class noun .*, but got a photo, photo.png"):
        read_album(tmp_path)
    (tmp_path / "flat" / "ada").mkdir(parents=True)
    with pytest.raises(SuiteError, match=r"flat/ada: expected a folder for each person .*, but there is none"):
        read_album(tmp_path / "flat")
    write_blocks(tmp_path / "flat" / "ada" / "1.png")
    with pytest.raises(SuiteError, match=r"flat/ada: expected a folder for each person .*, but got a photo, 1.png"):
        read_album(tmp_path / "flat")


@pytest.mark.parametrize(
    ("noun", "name", "said"),
    [
        ("woman", "ada lovelace", r"woman/ada lovelace: Expected a name of letters, digits, - and _"),
        ("old_man", "isaac", r"old_man/isaac: Expected a class noun of words"),
    ],
)
def test_words_that_cannot_stand_in_a_prompt(tmp_path: Path, noun: str, name: str, said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        read_album(portraits(tmp_path, {name: 1}, noun=noun))


def test_two_people_of_one_name(tmp_path: Path) -> None:
    portraits(portraits(tmp_path, {"ada": 1}), {"ada": 1}, noun="girl")
    with pytest.raises(SuiteError, match=r"name once, but there are .*girl/ada and .*woman/ada: rename one"):
        read_album(tmp_path)


def test_photos_that_cannot_be_used(tmp_path: Path) -> None:
    portraits(tmp_path, {"ada": 1, "emmy": 0})
    with pytest.raises(PhotoError, match=r"woman/emmy is empty"):
        read_album(tmp_path)
    (tmp_path / "woman" / "emmy" / "1.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError, match=r"emmy/1.jpg begins with b'no photo'"):
        read_album(tmp_path)


@pytest.mark.parametrize(
    ("count", "given", "kept", "ours", "theirs"),
    [
        (6, 1, 1, [0], [5]),
        (6, 2, 4, [0, 1], [2, 3, 4, 5]),
        (6, 4, 4, [0, 1, 2, 3], [4, 5]),
        (3, 4, 4, [0, 1], [2]),
        (2, 1, 4, [0], [1]),
        (1, 2, 4, [0], [0]),
        (3, 1, 0, [0], [0]),
        (3, 2, 0, [0, 1], [0, 1]),
    ],
)
def test_photos_given_and_kept(
    tmp_path: Path, count: int, given: int, kept: int, ours: list[int], theirs: list[int]
) -> None:
    (entry,) = read_album(portraits(tmp_path, {"ada": count})).entries
    assert pixels(entry, given=given, kept=kept) == (ours, theirs)


def test_groups_name_everybody_and_have_a_place_for_each(tmp_path: Path) -> None:
    people = PhotoPeople(suite(photos=2), read_album(portraits(tmp_path, dict.fromkeys(NAMES, 3))))
    (case,) = people.suite.cases
    groups = [people.group(case, index) for index in range(6)]
    for index, group in enumerate(groups):
        left, right = (sitter.name for sitter in group.people)
        kind = ("photo", "drawing")[index % 2]
        assert group.prompt == f"a {kind} of a {{{left}}} and a {{{right}}}"
        assert len(group.pose.places) == 2
        assert [len(sitter.given) for sitter in group.people] == [2, 2]
        assert [len(sitter.kept) for sitter in group.people] == [1, 1]
        assert {sitter.noun for sitter in group.people} == {"woman"}
    assert {sitter.name for group in groups for sitter in group.people} == set(NAMES)
    assert len({group.seed for group in groups}) == 6
    again = people.group(case, 4)
    assert (again.prompt, again.pose, again.seed) == (groups[4].prompt, groups[4].pose, groups[4].seed)
    assert len({group.pose for group in groups}) > 1
    assert people.stamp == people.album.digest


def test_every_group_gets_every_prompt(tmp_path: Path) -> None:
    case = {"name": "pairs", "people": 2, "kind": "every", "prompts": ["a photo of {people}", "a drawing of {people}"]}
    names = (*NAMES, "lise")
    people = PhotoPeople(suite(cases=[case]), read_album(portraits(tmp_path, dict.fromkeys(names, 2))))
    made = [people.group(people.suite.cases[0], index) for index in range(12)]
    told = {(frozenset(sitter.name for sitter in group.people), group.prompt.split()[1]) for group in made}
    assert told == set(itertools.product(map(frozenset, itertools.combinations(names, 2)), ("photo", "drawing")))


def test_a_template_of_the_case_is_where_they_stand(tmp_path: Path) -> None:
    album = read_album(portraits(tmp_path, dict.fromkeys(NAMES, 1)))
    case = {"name": "sofa", "people": 2, "prompts": ["a photo of {people}"], "template": "couple-selfie"}
    people = PhotoPeople(suite(cases=[case]), album)
    poses = {people.group(people.suite.cases[0], index).pose for index in range(4)}
    assert poses == {load_template("couple-selfie").pose()}


def test_too_few_people(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"at least 2 people for the case pairs, but got those of 1: add people"):
        gather_photo_people(suite(), PRESETS["sdxl"], portraits(tmp_path, {"ada": 3}))


def test_notes_say_whose_photos_were_too_few(tmp_path: Path) -> None:
    album = read_album(portraits(tmp_path, {"ada": 1, "emmy": 2, "grace": 5}))
    assert PhotoPeople(suite(), album).notes == (
        "One photo had to do for both, the generator and the comparison, which overstates likeness: ada.",
    )
    assert PhotoPeople(suite(photos=2, kept=3), album).notes[1] == (
        "Fewer photos than the suite asks for, 2 for the generator and 3 for the comparison: emmy."
    )
    assert PhotoPeople(suite(kept=0), album).notes == (
        "Faces are compared with the very photos that the generator got, as the protocol has it.",
    )


def test_portraits_stand_in_where_there_are_no_photos() -> None:
    one, other = draw_album(), draw_album()
    assert one.digest == other.digest
    assert len(one.entries) == 15
    assert {entry.noun for entry in one.entries} == {"man", "woman"}
    given, kept = one.entries[0].split(given=2, kept=4)
    assert not any(np.array_equal(np.asarray(a), np.asarray(b)) for a in given for b in kept)
    people = gather_photo_people(suite(), PRESETS["mini"], None)
    assert people.notes == (STAND_INS,)
    assert "not comparable with published ones" in STAND_INS


def test_the_preset_that_goes_with_the_photos() -> None:
    wanted = suite(preset="sdxl")
    assert stand_in_preset(wanted, None) == "mini"
    assert stand_in_preset(wanted, "photos") == "sdxl"
    with pytest.raises(SuiteError, match=r"\(--photos FOLDER\), which the preset sdxl needs, but got none"):
        gather_photo_people(wanted, PRESETS["sdxl"], None)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_are_for_real_people_and_run_without_photos_too(name: str) -> None:
    protocol = load_suite(name)
    assert (protocol.people, protocol.preset) == ("photos", "sdxl")
    assert {"small", "full"} <= set(protocol.groups)
    people = gather_photo_people(protocol, PRESETS[stand_in_preset(protocol, None)], None)
    for case in protocol.cases:
        group = people.group(case, 0)
        assert len(group.people) == len(group.pose.places) == case.people
        assert all(f"{{{sitter.name}}}" in group.prompt for sitter in group.people)


def test_protocols_are_as_large_as_published() -> None:
    sizes = {
        name: {case.name: (case.people, protocol.groups_of(case, "full"), len(case.prompts)) for case in protocol.cases}
        for name in PROTOCOLS
        for protocol in [load_suite(name)]
    }
    assert sizes["fastcomposer"] == {
        "one person": (1, 15 * 40 * 4, 40),
        "pairs": (2, 105 * 21 * 4, 21),
    }
    assert [people for people, *_ in sizes["multiid-bench"].values()] == [1, 2, 3, 4]
    assert sum(groups for _, groups, _ in sizes["multiid-bench"].values()) == 440
    assert [people for people, *_ in sizes["multihuman"].values()] == [1, 2, 3, 4, 5]
    assert sum(groups for _, groups, _ in sizes["multihuman"].values()) == 1800


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"people": "miniature"}, r"cases.pairs.kind: expected one of random, overlapping, look-alikes with people"),
        ({"cases": [{"name": "pairs", "people": 2}]}, r"cases.pairs.prompts: expected some with people: photos"),
    ],
)
def test_kinds_and_prompts_go_with_the_people(changes: dict[str, Any], said: str) -> None:
    case = {"name": "pairs", "people": 2, "kind": "every", "prompts": ["{people}"]}
    with pytest.raises(ValueError, match=said):
        suite(**({"cases": [case]} | changes))


def test_a_case_may_have_a_number_of_its_own() -> None:
    case = {"name": "pairs", "people": 2, "prompts": ["{people}"], "groups": {"full": 9}}
    own = suite(cases=[case], groups={"small": 2, "full": 4})
    assert (own.groups_of(own.cases[0], "small"), own.groups_of(own.cases[0], "full")) == (2, 9)
    whole = suite()
    assert whole.groups_of(whole.cases[0], "small") == 4
    alone = suite(cases=[case])
    assert alone.groups_of(alone.cases[0], "small") == 9
