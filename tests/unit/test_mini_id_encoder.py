"""The stage that trains the miniature's ID encoder: its examples, its losses and what it saves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from multiid.errors import TrainingError
from multiid.mini.models import id_encoder
from multiid.mini.training.id_encoder import (
    IDEncoderSettings,
    IDEncoderStage,
    build_id_encoder,
    contrast,
    embed_pictures,
    fit_portrait,
    load_id_encoder,
    portrait_batch,
)
from multiid.mini.training.settings import RECIPES, read_settings
from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, differences, is_held_out, make_person
from multiid.mini.world.portrait import draw_portrait


@pytest.fixture(scope="module")
def stage() -> IDEncoderStage:
    return build_id_encoder(IDEncoderSettings(steps=30, batch=12, learning_rate=1e-3, families=20))


def people_of(stage: IDEncoderStage, step: int) -> list[Person]:
    places = stage.batch(step)["attributes"].tolist()
    return [
        Person(**{name: VALUES[name][place] for name, place in zip(ATTRIBUTES, row, strict=True)}) for row in places
    ]


def test_a_step_always_has_the_same_examples_and_another_step_others(stage: IDEncoderStage) -> None:
    again = build_id_encoder(stage.settings)
    one, same, other = stage.batch(3), again.batch(3), stage.batch(4)
    assert one["pictures"].shape == (12, 64, 64, 3)
    assert one["pictures"].dtype == torch.uint8
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["pictures"], other["pictures"])


def test_families_are_three_people_who_look_alike_with_two_portraits_each(stage: IDEncoderStage) -> None:
    for step in range(5):
        people = people_of(stage, step)
        for start in range(0, 12, 6):
            first, second, third = people[start], people[start + 2], people[start + 4]
            assert people[start : start + 6] == [first, first, second, second, third, third]
            assert {len(differences(first, other)) for other in (second, third)} <= {1, 2}


def test_two_portraits_of_a_person_differ(stage: IDEncoderStage) -> None:
    pictures = stage.batch(0)["pictures"].numpy()
    assert all(not np.array_equal(one, other) for one, other in zip(pictures[0::2], pictures[1::2], strict=True))


def test_nobody_kept_for_evaluation_is_learnt_from() -> None:
    stage = build_id_encoder(IDEncoderSettings(steps=1, batch=120, learning_rate=1e-3, families=200, portraits=2))
    assert not any(is_held_out(person) for step in range(3) for person in people_of(stage, step))


def test_pictures_are_brought_to_the_encoder_as_photos_are() -> None:
    people = [make_person(seed) for seed in range(4)]
    pictures, _ = portrait_batch(people, portraits=1)
    encoder = id_encoder().eval()
    photos = encoder.preprocess([draw_portrait(make_person(9), seed=1, size=64).picture])
    ours = np.asarray(draw_portrait(make_person(9), seed=1, size=64).picture)[None].copy()
    with torch.no_grad():
        assert torch.allclose(embed_pictures(encoder, torch.from_numpy(ours)), encoder.embed(photos)[:, 0], atol=1e-5)
        assert embed_pictures(encoder, torch.from_numpy(pictures)).shape == (4, encoder.width)


def test_portraits_of_other_sizes_are_fitted_as_the_encoder_fits_photos() -> None:
    picture = draw_portrait(make_person(9), seed=1, size=81).picture
    photo = id_encoder().preprocess([picture])
    fitted = fit_portrait(picture)
    mean, deviation = (torch.tensor(numbers) for numbers in ((0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758)))
    ours = ((torch.from_numpy(fitted.copy()) / 255 - mean) / deviation).permute(2, 0, 1)
    assert torch.allclose(ours, photo[0], atol=1e-3)


def test_the_contrast_is_the_mean_surprise_at_ones_own_portraits() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    person = torch.tensor([0, 1, 0, 1])
    # Its own portrait at similarity 1, two others at 0; at temperature 0.5 the chance is e^2 / (e^2 + 2).
    expected = -torch.log(torch.exp(torch.tensor(2.0)) / (torch.exp(torch.tensor(2.0)) + 2))
    measured = contrast(embeddings, person[:, None] == person[None], temperature=0.5)
    assert torch.isclose(measured, expected), f"measured {measured:.4f}, expected {expected:.4f}"


def test_it_learns(stage: IDEncoderStage) -> None:
    stage = build_id_encoder(stage.settings)
    batch = stage.batch(0)
    learning = torch.optim.AdamW(stage.networks.parameters(), lr=1e-3)
    first = {name: value.item() for name, value in stage.loss(stage.networks, batch).items()}
    for _ in range(30):
        learning.zero_grad()
        stage.loss(stage.networks, batch)["loss"].backward()
        learning.step()
    last = {name: value.item() for name, value in stage.loss(stage.networks, batch).items()}
    print(first, last)
    assert last["heads"] < 0.5 * first["heads"]
    assert last["contrast"] < 0.5 * first["contrast"]
    assert last["spread"] < 0.5 * first["spread"]


def test_the_fuse_module_is_left_to_the_denoiser(stage: IDEncoderStage) -> None:
    stage = build_id_encoder(stage.settings)
    stage.loss(stage.networks, stage.batch(0))["loss"].backward()
    without = {name for name, weight in stage.networks.named_parameters() if weight.grad is None}
    assert without == {name for name, _ in stage.networks.named_parameters() if "fuse_module" in name}


def test_figures_and_sheet_of_an_encoder_that_has_learnt_nothing(stage: IDEncoderStage) -> None:
    with torch.no_grad():
        figures = stage.figures(stage.networks)
        sheet = stage.sample(stage.networks)
    assert set(figures) == {*ATTRIBUTES, "top1", "within", "mean", "deviation"}
    print(figures)
    assert figures["face"] < 0.5
    assert figures["hair_style"] < 0.4
    assert sheet.size == (12 * 64, 4 * 64)


def test_what_is_saved_is_loaded_again_in_16_bits_without_the_fuse_module(
    stage: IDEncoderStage, tmp_path: Path
) -> None:
    stage.save(stage.networks, tmp_path)
    (file,) = tmp_path.iterdir()
    tensors = load_file(file)
    assert all(tensor.dtype == torch.float16 for tensor in tensors.values())
    assert not any(name.startswith("fuse_module") for name in tensors)
    pictures = stage.batch(0)["pictures"]
    with torch.no_grad():
        before = embed_pictures(stage.networks["encoder"], pictures)
        after = embed_pictures(load_id_encoder(tmp_path), pictures)
    assert torch.allclose(before, after, atol=2e-2 * float(before.abs().max()))


def test_weights_that_are_absent_or_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="train id_encoder first"):
        load_id_encoder(tmp_path)
    save_file({"other": torch.zeros(1)}, tmp_path / "id_encoder.safetensors")
    with pytest.raises(TrainingError, match="other does not fit"):
        load_id_encoder(tmp_path)
    (tmp_path / "id_encoder.safetensors").write_bytes(b"half a fi")
    with pytest.raises(TrainingError, match="Expected a whole safetensors file"):
        load_id_encoder(tmp_path)


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_are_whole(recipe: str) -> None:
    assert read_settings(IDEncoderSettings, recipe, "id_encoder").batch % 6 == 0


def test_a_batch_of_broken_families_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 6"):
        IDEncoderSettings(steps=1, batch=10, learning_rate=1e-3)
    with pytest.raises(ValueError, match="as many as a batch has"):
        IDEncoderSettings(steps=1, batch=12, learning_rate=1e-3, families=1)
