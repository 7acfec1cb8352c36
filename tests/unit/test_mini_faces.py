"""The miniature's face reader: geometry of crops and maps, what it gives, and what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import torch
from readers import KnowingFinder, sure_recogniser, write_readers

from multiid import Box
from multiid.errors import ModelFileError
from multiid.mini.faces import MiniFaces, looks_drawn
from multiid.mini.faces.analyzer import load_finder, load_recogniser
from multiid.mini.faces.crops import cut_head, cut_square, to_crop
from multiid.mini.faces.networks import CROP, EMBEDDING, STRIDE, Finder, Recogniser
from multiid.mini.faces.search import overlap, search
from multiid.mini.training.face_windows import TrueFace, face_maps
from multiid.mini.world.people import VALUES, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.people.tensorfile import write_tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write_readers(folder)
    return folder


@pytest.fixture(scope="module")
def faces(folder: Path) -> MiniFaces:
    return MiniFaces(folder)


def noise(width: int, height: int) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def true_face(left: float, top: float, width: float, height: float) -> TrueFace:
    across = np.array([0.3, 0.7, 0.5, 0.35, 0.65]) * width + left
    down = np.array([0.4, 0.4, 0.6, 0.8, 0.8]) * height + top
    return TrueFace(Box(left, top, left + width, top + height), np.stack([across, down], axis=1))


def test_the_networks_are_small_and_give_what_they_say() -> None:
    recogniser, finder = Recogniser(), Finder()
    count = sum(weight.numel() for network in (recogniser, finder) for weight in network.parameters())
    print(f"{count} parameters, at most 600000")
    assert count <= 600_000
    read = recogniser(torch.randn(3, 3, CROP, CROP))
    assert {name: tuple(values.shape) for name, values in read.attributes.items()} == {
        name: (3, len(values)) for name, values in VALUES.items()
    }
    assert (tuple(read.embedding.shape), tuple(read.drawn.shape)) == ((3, EMBEDDING), (3,))
    found = finder(torch.randn(2, 3, 48, 80))
    assert tuple(found.heat.shape) == (2, 48 // STRIDE, 80 // STRIDE)
    assert (found.box.shape[1], found.landmarks.shape[1]) == (4, 10)
    # Untrained, it finds nothing: few places of a picture are faces.
    assert search(finder.eval(), np.asarray(noise(96, 64))) == []


def test_a_crop_has_the_face_in_its_middle() -> None:
    rows, columns = np.indices((90, 120))
    picture = np.stack([columns, rows, 0 * rows], axis=2).astype(np.uint8)
    piece = cut_square(picture, Box(50, 30, 70, 50))
    assert piece.shape == (44, 44, 3)  # 2.2 times 20
    assert tuple(piece[22, 22, :2]) == (60, 40)
    assert (tuple(piece[0, 0, :2]), tuple(piece[-1, -1, :2])) == ((38, 18), (81, 61))
    # An oblong face's piece has the side of a square face of the same area.
    assert cut_square(picture, Box(50, 30, 60, 70)).shape == (44, 44, 3)


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 0], picture[0] = (0, 200, 0), (200, 0, 0)
    piece = cut_square(picture, Box(-10, 10, 10, 30))
    assert (piece[22, :22] == (0, 200, 0)).all()
    assert (piece[22, 23:] == 0).all()
    assert (cut_square(picture, Box(-300, -300, -280, -280)) == (200, 0, 0)).all()


@pytest.mark.parametrize("width", [7.0, 29.1, 60.0])
def test_heads_come_in_one_size(width: float) -> None:
    picture = np.asarray(noise(150, 150))
    head = cut_head(picture, Box(60, 60, 60 + width, 60 + width))
    assert head.shape == (CROP, CROP, 3)
    piece = cut_square(picture, Box(60, 60, 60 + width, 60 + width))
    assert np.array_equal(to_crop(piece), head)
    difference = abs(float(head.mean()) - float(piece.mean()))
    print(f"mean changes by {difference:.2f} grey levels, at most 2")
    assert difference < 2


def test_overlap_is_the_share_of_what_two_boxes_cover() -> None:
    assert overlap(Box(0, 0, 2, 2), Box(0, 0, 2, 2)) == 1
    assert overlap(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 2, 2), Box(2, 0, 4, 2)) == overlap(Box(0, 0, 2, 2), Box(5, 5, 6, 6)) == 0


def test_search_gives_back_the_faces_that_maps_were_made_of() -> None:
    told = [true_face(10.3, 21.8, 30.0, 34.5), true_face(90.0, 108.2, 22.4, 20.0), true_face(100.6, 12.0, 51.0, 57.0)]
    found = search(KnowingFinder(told, (160, 150)), np.zeros((150, 160, 3), np.uint8))
    assert len(found) == 3
    for face in told:
        nearest = max(found, key=lambda finding: overlap(finding.box, face.box))
        assert nearest.box.corners == pytest.approx(face.box.corners, abs=0.01)
        assert np.allclose(nearest.landmarks, face.landmarks, atol=0.01)


def test_hidden_faces_are_left_out_and_doubtful_ones_have_no_answer() -> None:
    hidden, doubtful, seen = (
        TrueFace(face.box, face.landmarks, share)
        for face, share in ((true_face(10, 10, 30, 30), 0.1), (true_face(60, 10, 30, 30), 0.4),
                            (true_face(110, 10, 30, 30), 0.6))
    )  # fmt: skip
    heat, _ = face_maps([hidden, doubtful, seen], 160)
    row = heat[25 // STRIDE]
    assert row[25 // STRIDE] == 0
    assert row[75 // STRIDE] == -1
    assert row[125 // STRIDE] == 1


def test_large_faces_are_found_in_a_smaller_copy() -> None:
    """In a copy of half the size; a face that both show is given once."""
    large, small = true_face(40, 60, 120, 130), true_face(200, 150, 36, 40)
    found = search(KnowingFinder([large, small], (256, 200)), np.zeros((200, 256, 3), np.uint8))
    assert len(found) == 2
    boxes = sorted((finding.box.corners for finding in found), key=lambda corners: corners[0])
    assert boxes[0] == pytest.approx(large.box.corners, abs=0.02)
    assert boxes[1] == pytest.approx(small.box.corners, abs=0.02)
    wide = min(found, key=lambda finding: finding.box.left)
    assert np.allclose(wide.landmarks, large.landmarks, atol=0.02)


def test_a_picture_is_filled_up_to_what_the_network_wants() -> None:
    finder, sizes = Finder().eval(), []
    finder.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    search(finder, np.zeros((33, 97, 3), np.uint8))
    search(finder, np.zeros((500, 1000, 3), np.uint8))
    assert sizes == [(48, 112), (208, 400), (112, 208), (64, 112)]


def test_faces_of_a_picture(faces: MiniFaces) -> None:
    picture = noise(96, 70)
    found = faces.analyze(picture)
    assert len(found) > 3
    assert [face.box.area for face in found] == sorted((face.box.area for face in found), reverse=True)
    for face in found:
        assert face.box.left >= 0
        assert face.box.top >= 0
        assert face.box.right <= 96
        assert face.box.bottom <= 70
        assert all(0 <= x < 96 and 0 <= y < 70 for x, y in face.landmarks)
        assert 0.3 <= face.score <= 1
        assert face.embedding is not None
        assert face.embedding.shape == (EMBEDDING,)
        assert 0.1 < np.linalg.norm(face.embedding) <= 1.0 + 1e-6
    again = faces.analyze(picture)
    assert again == found
    assert all(np.array_equal(one.embedding, other.embedding) for one, other in zip(found, again, strict=True))
    assert faces.recogniser == "mini"


@pytest.mark.parametrize(("mode", "size"), [("L", (50, 50)), ("RGBA", (17, 200)), ("RGB", (450, 60)), ("RGB", (5, 3))])
def test_any_picture_will_do(faces: MiniFaces, mode: str, size: tuple[int, int]) -> None:
    found = faces.analyze(noise(*size).convert(mode))
    assert all(0 <= face.box.left < face.box.right <= size[0] for face in found)
    assert bool(found) == (min(size) > 5)  # of so few pixels, none need be the middle of a face


def test_what_is_not_of_this_world_is_no_face(folder: Path) -> None:
    stranger = MiniFaces(folder)
    recogniser = sure_recogniser()
    torch.nn.init.constant_(recogniser.drawn.bias, -5.0)
    stranger._recogniser = recogniser
    assert stranger.analyze(noise(96, 64)) == []


def test_attributes_are_values_of_this_world(faces: MiniFaces) -> None:
    picture = noise(128, 96)
    boxes = [Box(10, 10, 40, 44), Box(70, 20, 110, 60), Box(80, 50, 100, 75)]
    together = faces.read_all(picture, boxes)
    assert together == [faces.read_attributes(picture, box) for box in boxes]
    for read in together:
        assert read.keys() == VALUES.keys()
        assert all(value in VALUES[name] for name, value in read.items())
    assert faces.read_all(picture, []) == []


def test_the_surest_value_is_read(folder: Path) -> None:
    """From each attribute's own scores; how sure the recogniser is follows from them as well."""
    faces = MiniFaces(folder)
    recogniser = sure_recogniser()
    wanted = {name: values[-1] for name, values in VALUES.items()}
    for name, head in recogniser.heads.items():
        assert isinstance(head, torch.nn.Linear)
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
        head.bias.data[-1] = np.log(9 * (len(VALUES[name]) - 1))  # nine times as likely as all others together
    faces._recogniser = recogniser
    picture, box = noise(64, 64), Box(20, 20, 44, 44)
    assert faces.read_attributes(picture, box) == wanted
    assert faces.confidence(picture, box) == pytest.approx(0.9, abs=1e-5)


def test_a_head_is_read_in_three_pieces(faces: MiniFaces) -> None:
    """So its embedding is the mean of their directions."""
    picture, box = noise(128, 128), Box(40, 40, 80, 84)
    face = next(iter(faces._read(np.asarray(picture), [box]).embedding))
    with torch.inference_mode():
        each = []
        for margin in (-0.07, 0.0, 0.08):
            head = torch.from_numpy(cut_head(np.asarray(picture), box.expanded(margin)))
            read = faces._recogniser(head.permute(2, 0, 1)[None].float() / 127.5 - 1)
            each.append(torch.nn.functional.normalize(read.embedding, dim=1)[0])
    assert torch.allclose(face, torch.stack(each).mean(0), atol=1e-5)
    assert not torch.allclose(each[0], each[2], atol=1e-3)


def test_files_that_are_not_the_networks_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"Expected a safetensors file, but .*finder\.safetensors is not there"):
        MiniFaces(tmp_path)
    write_readers(tmp_path)
    (tmp_path / "recogniser.safetensors").write_bytes((folder / "finder.safetensors").read_bytes())
    with pytest.raises(ModelFileError, match=r"Expected the weights of a Recogniser in .*another network: train it"):
        MiniFaces(tmp_path)
    whole = (folder / "finder.safetensors").read_bytes()
    (tmp_path / "finder.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match=r"finder\.safetensors cannot be read"):
        load_finder(tmp_path)


def test_weights_are_read_from_16_bits_and_do_not_learn(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = Recogniser()
    write_tensors(tmp_path / "recogniser.safetensors", network.half().state_dict(), {})
    loaded = load_recogniser(tmp_path)
    assert not loaded.training
    for name, weight in loaded.named_parameters():
        assert weight.dtype == torch.float32
        assert not weight.requires_grad
        assert torch.equal(weight, network.get_parameter(name).float())


def test_shipped_networks_tell_this_world_from_photos() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        portrait = draw_portrait(make_person(2_000_000 + seed), seed=seed, size=96)
        found = MiniFaces().analyze(portrait.picture)
        assert len(found) == 1
        assert overlap(found[0].box, portrait.face) > 0.6
        assert looks_drawn(portrait.picture)
        clouds = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3)).astype(np.uint8), (0, 0), 4)
        assert not looks_drawn(PIL.Image.fromarray(clouds))
