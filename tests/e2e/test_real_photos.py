"""Photos of real people are not for the miniature: they are refused, with the presets that take them."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import skimage.data
import yaml
from click.testing import CliRunner
from conftest import find_test_data, needs

from multiid import PRESETS, PhotoError, load_faces, load_photo
from multiid.cli import main
from multiid.mini.faces import looks_drawn
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.pipeline.drawn import DrawnFaces

PORTRAITS = 60
FIRST_PERSON = 2_500_000


def real_photos() -> list[Path]:
    photos = sorted(path for path in needs("photos").rglob("*") if path.suffix in (".jpg", ".jpeg", ".png"))
    if not photos:
        pytest.skip(f"needs test data: no photos in {find_test_data() / 'photos'}")
    return photos


def test_every_real_photo_is_refused_with_the_presets_that_take_it() -> None:
    faces = load_faces(PRESETS["mini"])
    assert isinstance(faces, DrawnFaces)
    for path in real_photos():
        image = load_photo(path)
        for side in (64, 256, 1024):
            small = image.resize((side, round(side * image.height / image.width)))
            with pytest.raises(PhotoError, match=r"looks like a photo of a real person: use the preset sdxl or"):
                faces.check_photo(small, photo=path.name)
    print(f"{len(real_photos())} photos, each at three sizes, refused")


def test_no_picture_without_a_cartoon_face_passes() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    others = {"astronaut": skimage.data.astronaut(), "cat": skimage.data.chelsea(), "noise": noise}
    for name, array in others.items():
        assert not looks_drawn(PIL.Image.fromarray(array)), name
    assert not looks_drawn(PIL.Image.new("RGB", (128, 128), (230, 200, 180)))


def test_portraits_of_this_world_pass_at_any_size() -> None:
    passed = 0
    for index in range(PORTRAITS):
        size = (64, 96, 160, 320)[index % 4]
        passed += looks_drawn(draw_portrait(make_person(FIRST_PERSON + index), seed=index, size=size).picture)
    print(f"{passed} of {PORTRAITS} portraits of unseen people pass, at least {PORTRAITS - 2}")
    assert passed >= PORTRAITS - 2


def test_a_scene_with_a_real_photo_ends_with_one_line(tmp_path: Path) -> None:
    photo = real_photos()[0]
    document = {
        "prompt": "a {isaac} in a garden",
        "template": "single-portrait",
        "people": [{"name": "isaac", "noun": "man", "photos": str(photo)}],
    }
    scene = tmp_path / "scene.yaml"
    scene.write_text(yaml.safe_dump(document), encoding="utf-8")
    result = CliRunner().invoke(main, ["compose", str(scene), "--preset", "mini", "-o", str(tmp_path / "a.png")])
    assert result.exit_code == 2
    line = result.stderr.splitlines()[-1]
    assert line.startswith("multiid: error: Expected a picture of the cartoon world")
    assert photo.name in line
    assert line.endswith("use the preset sdxl or sdxl-v2.")
    assert not (tmp_path / "a.png").exists()
