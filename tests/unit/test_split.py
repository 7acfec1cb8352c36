"""Group photos: one portrait for each person, numbered from left to right, and files that nothing is lost by."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import needs
from PIL import Image

from multiid.errors import NoFaceError, OutputError, PhotoError
from multiid.geometry import Box, Size
from multiid.people.faces import Face, choose_face, face_analyzer
from multiid.people.photo import Photo, load_photo
from multiid.people.split import GroupSplit, split_group


class Patches:
    """A face analyzer for a plain world: each grey patch of a level of its own is a face, on black."""

    recogniser = None

    def analyze(self, image: Image.Image) -> list[Face]:
        levels = np.asarray(image.convert("L"))
        faces = []
        for level in np.unique(levels[levels > 0]).tolist():
            rows, columns = np.nonzero(levels == level)
            box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
            faces.append(Face(box, ((1.0, 1.0),) * 5, 1.0))
        return sorted(faces, key=lambda face: -face.box.area)


def group(*faces: tuple[int, int, int, int], size: tuple[int, int] = (800, 500)) -> Image.Image:
    """A photo of faces at (left, top, width, height), the first of level 20, the next of 30 and so on."""
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    for number, (left, top, width, height) in enumerate(faces):
        pixels[top : top + height, left : left + width] = 20 + 10 * number
    return Image.fromarray(pixels).convert("RGB")


def split(*faces: tuple[int, int, int, int], **options: float) -> GroupSplit:
    return split_group(group(*faces), Patches(), **options)


def levels(images: Sequence[Image.Image]) -> list[set[int]]:
    """Whose faces each picture shows."""
    return [set(np.unique(np.asarray(image.convert("L"))).tolist()) - {0} for image in images]


THREE = ((600, 200, 60, 70), (100, 210, 50, 60), (350, 180, 55, 65))


def test_people_are_numbered_from_left_to_right() -> None:
    portraits = split(*THREE).portraits
    assert [portrait.number for portrait in portraits] == [1, 2, 3]
    assert levels([portrait.image for portrait in portraits]) == [{30}, {40}, {20}]
    assert [portrait.face.left for portrait in portraits] == [100, 350, 600]


def test_a_portrait_is_a_square_with_room_around_the_head() -> None:
    (portrait,) = split((375, 220, 50, 60)).portraits
    assert portrait.image.size == (144, 144)  # 2.4 times 60
    assert portrait.crop.centre[0] == 400
    room_above = portrait.face.top - portrait.crop.top
    room_below = portrait.crop.bottom - portrait.face.bottom
    print(f"room above {room_above}, below {room_below} pixels, both at least half a face")
    assert room_above > room_below >= 30
    pixels = np.asarray(portrait.image.convert("L"))
    assert (pixels == 20).sum() == 50 * 60


@pytest.mark.parametrize("place", [(0, 0), (750, 0), (0, 440), (750, 440)])
def test_at_the_edges_it_is_moved_inside(place: tuple[int, int]) -> None:
    (portrait,) = split((*place, 50, 60)).portraits
    assert portrait.image.size == (144, 144)
    assert portrait.crop.inside(Size(800, 500))
    assert (np.asarray(portrait.image.convert("L")) == 20).sum() == 50 * 60


def test_a_face_larger_than_the_photo_has_room_for_gets_all_of_it() -> None:
    (portrait,) = split((300, 50, 300, 380)).portraits
    assert portrait.image.size == (500, 500)


def test_neighbours_are_kept_out_as_far_as_they_can_be() -> None:
    portraits = split((300, 200, 50, 60), (380, 200, 50, 60), (405, 262, 50, 60)).portraits
    shown = levels([portrait.image for portrait in portraits])
    assert shown[0] == {20}
    assert 100 <= portraits[0].image.width < 144
    # The other two stand too close for any square to hold one alone.
    assert portraits[1].image.width == portraits[2].image.width == round(1.4 * 60)


def test_a_portrait_is_large_enough_to_be_a_photo() -> None:
    portraits = split((300, 200, 20, 24), (340, 200, 20, 24), min_face=10).portraits
    for portrait in portraits:
        assert load_photo(portrait.image).size == (64, 64)


def test_small_faces_are_passed_over_and_told() -> None:
    result = split(*THREE, (200, 40, 30, 40))
    assert len(result.portraits) == 3
    assert [box.width for box in result.too_small] == [30]
    assert len(split(*THREE, (200, 40, 30, 40), min_face=30).portraits) == 4
    assert result.contact().tobytes() != replace(result, too_small=()).contact().tobytes()


def test_a_photo_without_faces_is_refused_by_name() -> None:
    with pytest.raises(NoFaceError, match=r"Expected faces in group\.jpg, but found none; use"):
        split_group(Photo(group(), "group.jpg"), Patches())
    with pytest.raises(NoFaceError, match=r"at least 70 pixels wide.*of the 3 found the widest has 60"):
        split(*THREE, min_face=70)


def test_a_folder_of_several_photos_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        group(*THREE).save(tmp_path / name)
    with pytest.raises(PhotoError, match="is a folder of 2: name one"):
        split_group(tmp_path, Patches())


class Particular(Patches):
    """Takes no photo at all."""

    def check_photo(self, image: Image.Image, *, photo: str) -> None:
        raise PhotoError(f"Expected another kind of picture than {photo} of {image.width} pixels.")


def test_an_analyzer_may_refuse_the_photo() -> None:
    with pytest.raises(PhotoError, match="than photo 1 of 800"):
        split_group(group(*THREE), Particular())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_portraits_and_contact_picture_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    result = split(*THREE)
    files = result.save(folder, "party")
    assert [file.name for file in files] == ["party-1.png", "party-2.png", "party-3.png", "party-contact.png"]
    assert names(folder) == sorted(file.name for file in files)
    for file, portrait in zip(files, result.portraits, strict=False):
        with Image.open(file) as image:
            assert image.info == {}
            assert np.array_equal(np.asarray(image), np.asarray(portrait.image))


def test_numbers_sort_as_people_stand(tmp_path: Path) -> None:
    result = split(*((20 + 70 * i, 100, 40, 40) for i in range(10)))
    files = result.save(tmp_path, "party")
    assert [file.name for file in files[:-1]] == [f"party-{number:02}.png" for number in range(1, 11)]
    assert sorted(files) == files


def test_what_is_there_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "party-2.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"Expected no party-2\.png in .*--force"):
        split(*THREE).save(tmp_path, "party")
    assert names(tmp_path) == ["party-2.png"]
    assert (tmp_path / "party-2.png").read_bytes() == b"mine"
    assert len(split(*THREE).save(tmp_path, "party", overwrite=True)) == 4
    assert (tmp_path / "party-2.png").read_bytes() != b"mine"
    assert len(split(*THREE).save(tmp_path, "other")) == 4


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "no" / "people", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError, match="Expected a folder to write into"):
            split(*THREE).save(place, "party")
    (tmp_path / "party-contact.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        split(*THREE).save(tmp_path, "party", overwrite=True)
    assert names(tmp_path) == ["file", "party-contact.png"]


def test_the_contact_picture_shows_photo_and_portraits() -> None:
    result = split(*THREE)
    sheet = np.asarray(result.contact().convert("L"))
    assert sheet.shape[0] > 500 + 180
    assert sheet.shape[1] >= 800
    for level in (20, 30, 40):
        assert (sheet[:512] == level).sum() > 1000, "the face in the photo"
        assert (sheet[530:] == level).sum() > 1000, "the face in the portrait"


@pytest.mark.parametrize("size", [(300, 2000), (3000, 300)])
def test_the_contact_picture_of_any_photo_is_of_a_size_to_look_at(size: tuple[int, int]) -> None:
    result = split_group(group((20, 20, 60, 60), (150, 200, 60, 60), size=size), Patches())
    sheet = result.contact()
    print(f"{size}: {sheet.size}")
    assert max(sheet.size) <= 1500
    assert min(sheet.size) >= 250


def test_a_real_group_photo_gives_six(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("insightface")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the group photo in the package insightface")
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(needs("models")))
    faces = face_analyzer("opencv", recognise=False)
    result = split_group(Path(spec.submodule_search_locations[0]) / "data" / "images" / "t1.jpg", faces)
    assert len(result.portraits) == 6
    assert result.too_small == ()
    for portrait in result.portraits:
        found = faces.analyze(portrait.image)
        x, y = choose_face(found, photo="portrait").box.centre
        off = np.hypot(
            x + portrait.crop.left - portrait.face.centre[0], y + portrait.crop.top - portrait.face.centre[1]
        )
        room = portrait.image.width / max(portrait.face.width, portrait.face.height)
        print(f"{portrait.number}: {len(found)} face(s), {off:.1f} pixels off, room {room:.1f}")
        assert len(found) == 1
        assert off < portrait.face.width / 4
        assert room >= 1.5
    assert len(result.save(tmp_path, "t1")) == 7
