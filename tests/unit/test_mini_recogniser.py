"""What the recogniser learns from: the labels are the people's, and nobody who is held out is among them."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from readers import sure_recogniser
from torch import nn

from multiid import Box
from multiid.mini.faces.analyzer import load_recogniser
from multiid.mini.faces.networks import CROP, Read, Recogniser
from multiid.mini.training import face_pictures
from multiid.mini.training.face_pictures import (
    FAMILY,
    draw_heads,
    group_scene,
    jittered,
    make_family,
    mini_size,
    no_head,
    photo_like,
    seen_share,
    spoil,
)
from multiid.mini.training.loop import Batch
from multiid.mini.training.recogniser import RecogniserSettings, RecogniserStage, accuracies, embed, value_numbers
from multiid.mini.world.colours import SKIN
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, differences, is_held_out, make_person
from multiid.pipeline.presets import find_preset
from multiid.poses.templates import load_template

SETTINGS = RecogniserSettings(steps=10, batch=32, learning_rate=1e-3)


@pytest.fixture(scope="module")
def stage() -> RecogniserStage:
    return RecogniserStage(SETTINGS)


@pytest.fixture(scope="module")
def batch(stage: RecogniserStage) -> Batch:
    return stage.batch(3)


def people_of(batch: Batch) -> list[Person]:
    return [
        Person(**{name: VALUES[name][number] for name, number in zip(ATTRIBUTES, row, strict=True)})
        for row in batch["values"].tolist()
    ]


def test_batches_follow_from_the_step(stage: RecogniserStage, batch: Batch) -> None:
    again, other = RecogniserStage(SETTINGS).batch(3), stage.batch(4)
    assert batch.keys() == again.keys()
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["values"], other["values"])
    assert tuple(batch["heads"].shape) == (32 + 3, CROP, CROP, 3)  # one in ten more is no head


def test_people_come_twice_in_families_of_look_alikes(batch: Batch) -> None:
    people = people_of(batch)
    assert people[:16] == people[16:]
    for start in range(0, 16, FAMILY):
        first, *others = people[start : start + FAMILY]
        assert all(1 <= len(differences(first, other)) <= 2 for other in others)
        assert len({first, *others}) == FAMILY
    heads = batch["heads"].numpy().astype(float)
    assert np.abs(heads[:16] - heads[16:32]).mean(axis=(1, 2, 3)).min() > 5  # and never in the same picture


def test_nobody_who_is_held_out_is_learnt(stage: RecogniserStage) -> None:
    """One person in ten is, so 64 would hardly be without."""
    people = {person for step in range(4) for person in people_of(stage.batch(step))}
    assert len(people) > 50
    assert not any(map(is_held_out, people))
    assert any(is_held_out(make_person(seed)) for seed in range(1_000_000, 1_000_100))


def test_families_are_of_the_trainings_own_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    make = face_pictures.make_person

    def made(seed: int) -> Person:
        seeds.append(seed)
        return make(seed)

    monkeypatch.setattr(face_pictures, "make_person", made)
    dice = Dice("test", 0)
    families = [make_family(dice) for _ in range(60)]
    assert all(1_000_000 <= seed <= 1_999_999 for seed in seeds)
    assert len(seeds) > len(families)  # some were held out, and passed over


@pytest.mark.parametrize("portraits", [0.0, 1.0])
def test_labels_are_what_the_pictures_show(portraits: float) -> None:
    """Skin is the easiest to see: the colour that most pixels of a face are near to."""
    dice = Dice("test", 1)
    people = [make_person(dice.seed(), gender="female", age="adult") for _ in range(60)]
    heads = draw_heads(dice, people, spoilt=0.0, portraits=portraits)
    assert heads.shape == (60, CROP, CROP, 3)
    colours = np.array(list(SKIN.values()), float)
    right = 0
    for person, head in zip(people, heads, strict=True):
        distances = np.abs(head[28:46, 22:42].reshape(-1, 1, 3) - colours).sum(axis=2)
        votes = np.bincount(distances.argmin(axis=1)[distances.min(axis=1) < 30], minlength=len(colours))
        right += list(SKIN)[int(votes.argmax())] == person.skin
    print(f"{right} of 60 skins match, at least 36; chance gives 10")
    assert right >= 36


def test_heads_in_scenes_are_seen() -> None:
    dice = Dice("test", 2)
    shares: list[float] = []
    for count in (2, 4, 8):
        people = [make_person(dice.seed()) for _ in range(count)]
        scene, pose = group_scene(dice, people)
        assert [seen.person for seen in scene.people] == people
        assert len(pose.places) == count
        for index, seen in enumerate(scene.people):
            assert seen.face is not None
            share = seen_share(scene, index, seen.face)
            assert share <= 1
            shares.append(share)
            # Elsewhere in the picture somebody else is seen, or nobody.
            assert seen_share(scene, index, Box(-400, -400, -380, -380)) == 0
    print(f"faces seen: {min(shares):.2f} at least, {np.mean(shares):.2f} in the mean; required 0.8")
    assert np.mean(shares) > 0.8


def test_templates_come_in_the_presets_own_size() -> None:
    area = find_preset("mini").defaults.area
    assert area is not None
    for name in ("couple-standing", "family-four"):
        pose = load_template(name).pose()
        assert mini_size(pose) == area.scaled(pose.size, places=len(pose.places), multiple=8)


def test_boxes_are_moved_as_a_finder_might() -> None:
    dice = Dice("test", 3)
    boxes = [jittered(dice, Box(10, 20, 50, 70)) for _ in range(200)]
    centres = np.array([box.centre for box in boxes]) - (30, 45)
    sizes = np.array([(box.width, box.height) for box in boxes]) / (40, 50)
    assert 0.07 < np.abs(centres / (40, 50)).max() <= 0.08
    assert (sizes.min(), sizes.max()) == pytest.approx((0.78, 1.28), abs=0.03)
    shapes = sizes[:, 0] / sizes[:, 1]
    assert (shapes.min(), shapes.max()) == pytest.approx((0.89, 1.12), abs=0.02)


def test_spoilt_heads_are_still_those_heads() -> None:
    dice = Dice("test", 4)
    head = draw_heads(dice, [make_person(7)], spoilt=0.0, portraits=1.0)[0]
    changes = [float(np.abs(spoil(dice, head).astype(float) - head).mean()) for _ in range(50)]
    print(f"changes of {min(changes):.1f} to {max(changes):.1f} grey levels, mean {np.mean(changes):.1f}")
    assert 2 < np.mean(changes) < 20
    assert max(changes) < 45
    assert len({round(change, 3) for change in changes}) > 20


def test_what_is_no_head_is_none(stage: RecogniserStage, batch: Batch) -> None:
    del stage
    others = batch["heads"][32:].numpy()
    assert len({other.tobytes() for other in others}) == 3
    dice = Dice("test", 5)
    assert no_head(dice).shape == photo_like(dice, CROP).shape == (CROP, CROP, 3)
    assert photo_like(dice, 160).shape == (160, 160, 3)


def test_everything_has_a_gradient_and_learns(stage: RecogniserStage, batch: Batch) -> None:
    torch.manual_seed(0)
    networks = nn.ModuleDict({"recogniser": Recogniser()})
    optimiser = torch.optim.AdamW(networks.parameters(), 3e-3)
    losses: list[float] = []
    for _ in range(12):
        optimiser.zero_grad()
        terms = stage.loss(networks, batch)
        terms["loss"].backward()
        losses.append(terms["loss"].item())
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in networks.parameters())
        optimiser.step()
    assert all(weight.grad is not None and weight.grad.any() for weight in networks.parameters())
    print(f"loss {losses[0]:.2f} to {losses[-1]:.2f}, at most 0.8 of it")
    assert losses[-1] < 0.8 * losses[0]


class Told(Recogniser):
    """A recogniser that says what it was told."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self.read = read

    def forward(self, heads: torch.Tensor) -> Read:
        del heads
        return self.read


def test_losses_by_hand(stage: RecogniserStage, batch: Batch) -> None:
    """16 people twice. All alike: the logarithms of how many there are; all right: next to nothing."""
    values = batch["values"]
    even = {name: torch.zeros(35, len(VALUES[name])) for name in ATTRIBUTES}
    terms = stage.loss(
        nn.ModuleDict({"recogniser": Told(Read(even, torch.ones(35, 64), torch.zeros(35)))}), batch
    )  # fmt: skip
    assert terms["attributes"].item() == pytest.approx(sum(math.log(len(each)) for each in VALUES.values()), rel=1e-5)
    assert terms["contrast"].item() == pytest.approx(math.log(16), rel=1e-5)
    assert terms["drawn"].item() == pytest.approx(math.log(2), rel=1e-5)
    assert terms["loss"].item() == pytest.approx(
        terms["attributes"].item() + 0.6 * terms["contrast"].item() + terms["drawn"].item(), rel=1e-5
    )

    right: dict[str, torch.Tensor] = {}
    for index, (name, options) in enumerate(VALUES.items()):
        told = nn.functional.one_hot(values[:, index], len(options)) * 50.0
        right[name] = torch.cat([told, torch.zeros(3, len(options))])
    apart = torch.cat([torch.eye(16, 64), torch.eye(16, 64), torch.ones(3, 64)])
    drawn = torch.cat([torch.full((32,), 50.0), torch.full((3,), -50.0)])
    terms = stage.loss(nn.ModuleDict({"recogniser": Told(Read(right, apart, drawn))}), batch)
    assert terms["attributes"].item() < 1e-6
    assert terms["drawn"].item() < 1e-6
    assert terms["contrast"].item() == pytest.approx(-math.log(math.exp(10) / (math.exp(10) + 15)), rel=1e-3)


def test_accuracy_is_the_share_of_heads_read_rightly() -> None:
    people = [make_person(seed) for seed in range(40)]
    recogniser = sure_recogniser()
    head = recogniser.heads["skin"]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.0, 0.0, 5.0, 0.0, 0.0, 0.0])
    shares = accuracies(recogniser, np.zeros((40, CROP, CROP, 3), np.uint8), people)
    assert shares.keys() == VALUES.keys()
    assert shares["skin"] == pytest.approx(sum(person.skin == "honey" for person in people) / 40)
    assert tuple(value_numbers(people)[0].tolist()) == tuple(
        VALUES[name].index(getattr(people[0], name)) for name in ATTRIBUTES
    )


def test_what_is_saved_is_what_the_analyzer_loads(stage: RecogniserStage, tmp_path: Path) -> None:
    stage.save(stage.networks, tmp_path)
    loaded = load_recogniser(tmp_path)
    heads = draw_heads(Dice("test", 6), [make_person(seed) for seed in range(3)], portraits=1.0)
    own = stage.networks["recogniser"]
    assert isinstance(own, Recogniser)
    assert next(own.parameters()).dtype == torch.float32
    likeness = (embed(loaded, heads) * embed(own, heads)).sum(1)
    print(f"likeness of embeddings {likeness.min():.5f}, at least 0.999")
    assert likeness.min() > 0.999
    assert (tmp_path / "recogniser.safetensors").stat().st_size < 1_000_000
