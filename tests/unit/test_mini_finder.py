"""What the finder learns from: boxes and landmarks lie on the faces, whatever the window; and its figures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from readers import KnowingFinder
from torch import nn

from multiid import Box
from multiid.mini.faces.analyzer import load_finder
from multiid.mini.faces.crops import cut_head
from multiid.mini.faces.networks import STRIDE, Finder, Found
from multiid.mini.training import face_windows, finder
from multiid.mini.training.face_windows import TrueFace, draw_crowd, draw_windows, face_maps
from multiid.mini.training.finder import FinderSettings, FinderStage
from multiid.mini.training.loop import Batch
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import Person, is_held_out

SETTINGS = FinderSettings(steps=10, batch=6, learning_rate=1e-3, side=96)
FIRST, LAST = 1_000_000, 1_999_999


@pytest.fixture(scope="module")
def stage() -> FinderStage:
    return FinderStage(SETTINGS)


@pytest.fixture(scope="module")
def batch(stage: FinderStage) -> Batch:
    return stage.batch(2)


def test_batches_follow_from_the_step(stage: FinderStage, batch: Batch) -> None:
    again, other = FinderStage(SETTINGS).batch(2), stage.batch(3)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["windows"], other["windows"])
    assert {name: tuple(value.shape) for name, value in batch.items()} == {
        "windows": (6, 96, 96, 3),
        "heat": (6, 24, 24),
        "shape": (6, 14, 24, 24),
    }
    assert (batch["heat"] == 1).flatten(1).any(1).sum() >= 4  # nearly every window shows a face


def test_only_the_trainings_own_people_are_drawn(stage: FinderStage, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    drawn: list[Person] = []
    make, group, portrait = face_windows.make_person, face_windows.group_scene, face_windows.draw_portrait

    def made(seed: int) -> Person:
        seeds.append(seed)
        return make(seed)

    def grouped(dice: Dice, people: list[Person]) -> Any:
        drawn.extend(people)
        return group(dice, people)

    def portrayed(person: Person, **options: Any) -> Any:
        drawn.append(person)
        return portrait(person, **options)

    monkeypatch.setattr(face_windows, "make_person", made)
    monkeypatch.setattr(face_windows, "group_scene", grouped)
    monkeypatch.setattr(face_windows, "draw_portrait", portrayed)
    for step in range(6):
        stage.batch(step)
    assert len(drawn) > 30
    assert not any(map(is_held_out, drawn))
    assert all(FIRST <= seed <= LAST for seed in seeds)
    assert len(seeds) > len(drawn)  # some were held out, and passed over


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_are_where_features_are(seed: int) -> None:
    picture, faces = draw_crowd(Dice("test", seed), first=FIRST, last=LAST)
    assert faces
    for face in faces:
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        assert right_eye[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert face.landmarks[:2, 1].mean() < nose[1] < face.landmarks[3:, 1].mean()
        margin = 0.05 * face.box.width
        assert face.box.left - margin < face.landmarks[:, 0].min()
        assert face.landmarks[:, 0].max() < face.box.right + margin
        assert face.box.top < face.landmarks[:, 1].min()
        assert face.landmarks[:, 1].max() < face.box.bottom
        assert 0 <= face.seen <= 1
    assert picture.ndim == 3


def test_windows_show_the_faces_where_they_say() -> None:
    """A face cut from the window looks like the same face cut from the whole picture, at any zoom and place."""
    compared, worst = 0, 1.0
    for seed in range(8):
        dice = Dice("test windows", seed)
        picture, faces = draw_crowd(dice, first=FIRST, last=LAST)
        for zoom in (0.5, 0.83, 1.0, 1.7):
            target = faces[0].box
            x, y = target.centre[0] * zoom - 80.3, target.centre[1] * zoom - 79.6
            pixels, moved = face_windows._window(
                dice, picture, faces, side=160, zoom=zoom, left=x, top=y, spoilt=0.0
            )  # fmt: skip
            assert pixels.shape == (160, 160, 3)
            middle = min(moved, key=lambda face: np.hypot(face.box.centre[0] - 80, face.box.centre[1] - 80))
            assert middle.box.width == pytest.approx(target.width * zoom, rel=0.02)
            relative = (middle.landmarks - middle.box.corners[:2]) / (middle.box.width, middle.box.height)
            expected = (faces[0].landmarks - target.corners[:2]) / (target.width, target.height)
            assert np.allclose(relative, expected, atol=0.02)
            one, other = cut_head(pixels, middle.box), cut_head(picture, target)
            # Blurred, for edges are sharper in the larger one.
            flat = [cv2.GaussianBlur(piece[16:48, 16:48], (0, 0), 2).astype(float).ravel() for piece in (one, other)]
            worst = min(worst, float(np.corrcoef(*flat)[0, 1]))
            compared += 1
    print(f"{compared} faces, correlation {worst:.3f} at least, required 0.93")
    assert compared == 32
    assert worst > 0.93


def test_windows_hold_faces_of_all_sizes() -> None:
    dice = Dice("test sizes", 0)
    widths: list[float] = []
    empty = 0
    for _ in range(25):
        for pixels, faces in draw_windows(dice, side=128, count=2, first=FIRST, last=LAST, spoilt=0.5):
            assert pixels.shape == (128, 128, 3)
            widths += [face.box.width for face in faces]
            empty += not faces
            assert all(0 <= face.box.centre[0] < 128 and 0 <= face.box.centre[1] < 128 for face in faces)
    print(f"widths {min(widths):.0f} to {max(widths):.0f}; {empty} of 50 windows without a face")
    assert min(widths) < 20
    assert max(widths) > 55
    assert empty < 20


def test_heat_is_greatest_in_the_middle_of_a_face() -> None:
    _, faces = draw_crowd(Dice("test", 11), first=FIRST, last=LAST)
    for face in faces:
        heat, shape = face_maps([replace(face, seen=1.0)], 512)
        x, y = face.box.centre
        row, column = int(y / STRIDE), int(x / STRIDE)
        assert (heat == 1).sum() == 1
        assert heat[row, column] == 1
        assert 0 < heat[row, column + 1] < 1
        assert heat[row, min(127, column + 30)] < 1e-3
        at = (np.array([column, row]) + 0.5) * STRIDE
        assert np.allclose(at + shape[:2, row, column] * 32, (x, y), atol=1e-3)
        assert np.allclose(np.exp(shape[2:4, row, column]) * 32, (face.box.width, face.box.height), rtol=1e-4)


class Told(Finder):
    """A finder that says what it was told."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found

    def forward(self, pictures: torch.Tensor) -> Found:
        del pictures
        return self.found


def test_losses_by_hand(stage: FinderStage, batch: Batch) -> None:
    heat, shape = batch["heat"], batch["shape"]
    sure = torch.where(heat > 0.98, 50.0, -50.0)
    found = Found(sure, shape[:, :4].clone(), shape[:, 4:].clone())
    terms = stage.loss(nn.ModuleDict({"finder": Told(found)}), batch)
    assert {name: round(value.item(), 6) for name, value in terms.items()} == {
        "loss": 0, "focal": 0, "box": 0, "landmarks": 0,
    }  # fmt: skip
    # All boxes off by one unit, all landmarks by two; every face missed with a share of one half.
    found = Found(torch.where(heat > 0.98, 0.0, -50.0), shape[:, :4] + 1, shape[:, 4:] - 2)
    terms = stage.loss(nn.ModuleDict({"finder": Told(found)}), batch)
    assert terms["box"].item() == pytest.approx(1, rel=1e-4)
    assert terms["landmarks"].item() == pytest.approx(2, rel=1e-4)
    assert terms["focal"].item() == pytest.approx(np.log(2) / 4, rel=1e-4)
    assert terms["loss"].item() == pytest.approx(np.log(2) / 4 + 4 + 4, rel=1e-4)


def test_no_answer_is_wrong_where_a_face_is_half_hidden(stage: FinderStage, batch: Batch) -> None:
    unfair = {**batch, "heat": torch.full_like(batch["heat"], -1.0)}
    found = Found(torch.full_like(batch["heat"], 3.0), batch["shape"][:, :4] + 1, batch["shape"][:, 4:])
    assert stage.loss(nn.ModuleDict({"finder": Told(found)}), unfair)["loss"].item() == 0


def test_everything_has_a_gradient_and_learns(stage: FinderStage, batch: Batch) -> None:
    torch.manual_seed(0)
    networks = nn.ModuleDict({"finder": Finder()})
    optimiser = torch.optim.AdamW(networks.parameters(), 2e-3)
    losses: list[float] = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = stage.loss(networks, batch)["loss"]
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    assert all(weight.grad is not None and weight.grad.any() for weight in networks.parameters())
    print(f"loss {losses[0]:.2f} to {losses[-1]:.2f}, at most 0.8 of it")
    assert losses[-1] < 0.8 * losses[0]


def test_figures_of_who_finds_nothing_and_of_who_finds_all(stage: FinderStage, monkeypatch: pytest.MonkeyPatch) -> None:
    crowds = (draw_crowd(Dice("test crowd", seed), first=2_000_000, last=2_999_999) for seed in range(100))
    picture, faces = next(crowd for crowd in crowds if sum(face.seen >= 0.5 for face in crowd[1]) >= 3)
    monkeypatch.setattr(finder, "_PICTURES", 1)
    monkeypatch.setattr(finder, "draw_crowd", lambda *_, **__: (picture, faces))
    assert stage.figures(nn.ModuleDict({"finder": Finder().eval()})) == {"recall": 0, "precision": 0, "fit": 0}
    size = (picture.shape[1], picture.shape[0])
    knowing = stage.figures(nn.ModuleDict({"finder": KnowingFinder(faces, size)}))
    assert knowing == {"recall": 1, "precision": 1, "fit": pytest.approx(1, abs=0.01)}
    # Half of those who are seen, and one that is nobody's.
    seen = [face for face in faces if face.seen >= 0.5]
    box = Box(0, 0, 4, 4)
    some = [*seen[::2], TrueFace(box, np.full((5, 2), 2.0))]
    made = stage.figures(nn.ModuleDict({"finder": KnowingFinder(some, size)}))
    assert made["recall"] == pytest.approx(len(seen[::2]) / len(seen))
    assert made["precision"] == pytest.approx(len(seen[::2]) / len(some))


def test_what_is_saved_is_what_the_analyzer_loads(stage: FinderStage, tmp_path: Path) -> None:
    stage.save(stage.networks, tmp_path)
    loaded = load_finder(tmp_path)
    own = stage.networks["finder"]
    assert isinstance(own, Finder)
    pictures = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(loaded(pictures).heat, own(pictures).heat, atol=0.01)
    assert (tmp_path / "finder.safetensors").stat().st_size < 400_000
