"""Pictures as files: whole, marked as generated, the same bytes each time, and never at the cost of what was there."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tinies import couple, small_scene, tiny_composer

from multiid import Composer, OutputError, Picture, read_recipe


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def batch(composer: Composer) -> Picture:
    return composer.compose(small_scene(couple(composer), images=3))


def chunks(file: Path) -> list[str]:
    """The kinds of a PNG's parts, in order, repetitions of IDAT left out."""
    content, position, kinds = file.read_bytes(), 8, list[str]()
    while position < len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kinds.append(content[position + 4 : position + 8].decode())
        position += length + 12
    return [kind for index, kind in enumerate(kinds) if kind != "IDAT" or kinds[index - 1] != "IDAT"]


def test_one_picture_takes_the_name_several_are_numbered(batch: Picture, tmp_path: Path) -> None:
    assert batch.only(1).save(tmp_path / "tea.png") == [tmp_path / "tea.png"]
    names = [tmp_path / f"tea-{number}.png" for number in (1, 2, 3)]
    assert batch.save(tmp_path / "tea.png") == names
    for index, (name, image) in enumerate(zip(names, batch.images, strict=True)):
        assert np.array_equal(np.asarray(PIL.Image.open(name)), np.asarray(image))
        assert read_recipe(name).index == index
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "tea.png", *names])
    assert (tmp_path / "tea.png").read_bytes() == names[1].read_bytes()


def test_the_same_picture_gives_the_same_bytes(composer: Composer, batch: Picture, tmp_path: Path) -> None:
    (first,) = batch.only(0).save(tmp_path / "first.png")
    (second,) = batch.only(0).save(tmp_path / "second.PNG")
    assert first.read_bytes() == second.read_bytes()
    repeated = composer.compose(small_scene(couple(composer), images=3))
    (third,) = repeated.only(0).save(tmp_path / "third.png")
    assert first.read_bytes() == third.read_bytes()


def test_the_file_is_marked_as_made_by_a_model(batch: Picture, tmp_path: Path) -> None:
    (file,) = batch.only(0).save(tmp_path / "tea.png")
    with PIL.Image.open(file) as image:
        packet = image.info["XML:com.adobe.xmp"]
    assert chunks(file) == ["IHDR", "iTXt", "iTXt", "IDAT", "IEND"]  # nothing else, such as a time
    (description,) = ET.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert description.attrib == {
        "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType": (
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        )
    }


def test_places_that_cannot_be_written_are_refused(batch: Picture, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("here before")
    for name, said in (
        ("absent/tea.png", "Expected an existing folder to write tea.png into"),
        ("file/tea.png", "Expected an existing folder to write tea.png into"),
        ("folder.png", "Expected the name of a file to write"),
        ("tea.jpg", r"Expected a file name ending in .png, which carries the recipe, but got .*tea\.jpg"),
        ("tea", r"Expected a file name ending in .png"),
        ("t" * 300 + ".png", "Cannot write .*: File name too long"),
    ):
        with pytest.raises(OutputError, match=said):
            batch.only(0).save(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]
    assert (tmp_path / "file").read_text() == "here before"


def test_of_several_pictures_all_or_none_are_written(batch: Picture, tmp_path: Path) -> None:
    (tmp_path / "tea-3.png").mkdir()
    with pytest.raises(OutputError, match=r"but .*tea-3\.png is a folder"):
        batch.save(tmp_path / "tea.png")
    assert [path.name for path in tmp_path.iterdir()] == ["tea-3.png"]


def test_what_was_there_stays_when_writing_fails(
    batch: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tea.png"
    file.write_text("here before")

    def full(_: PIL.Image.Image, path: Path, **__: object) -> None:
        Path(path).write_bytes(b"half a pic")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PIL.Image.Image, "save", full)
    with pytest.raises(OutputError, match=r"Cannot write .*tea\.png: No space left on device"):
        batch.only(0).save(file)
    assert file.read_text() == "here before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_written_picture_replaces_what_was_there(batch: Picture, tmp_path: Path) -> None:
    file = tmp_path / "tea.png"
    file.write_text("here before")
    batch.only(0).save(file)
    assert read_recipe(file) == batch.recipe


def test_latents_are_no_picture(composer: Composer, batch: Picture, tmp_path: Path) -> None:
    result = composer.compose(small_scene(couple(composer), images=2), output_type="latent")
    assert result.images == ()
    assert result.latents is not None
    assert result.latents.shape == (2, 4, 16, 24)
    with pytest.raises(OutputError, match="only latents were made"):
        result.save(tmp_path / "tea.png")
    second = result.only(1)
    assert second.latents is not None
    assert np.array_equal(second.latents, result.latents[1:])
    assert second.recipes == result.recipes[1:]
    sheet = result.explain()
    assert sheet.width < batch.explain().width


@pytest.mark.parametrize("index", [-1, 3])
def test_pictures_outside_the_batch_are_refused(batch: Picture, index: int) -> None:
    with pytest.raises(IndexError, match=f"Expected an index from 0 to 2, but got {index}"):
        batch.only(index)


def test_the_first_picture_stands_for_the_batch(batch: Picture) -> None:
    assert batch.image is batch.images[0]
    assert batch.recipe is batch.recipes[0]
    assert [recipe.index for recipe in batch.recipes] == [0, 1, 2]
    assert not np.array_equal(np.asarray(batch.images[0]), np.asarray(batch.images[1]))
