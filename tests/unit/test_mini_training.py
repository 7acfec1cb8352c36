"""The training loop and the denoiser's stage, on real networks of the miniature."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor, nn

from multiid.errors import OutputError, TrainingError
from multiid.mini.models import autoencoder
from multiid.mini.training.examples import known_cast, known_person
from multiid.mini.training.loop import Batch, train
from multiid.mini.training.settings import RECIPES, StageSettings, read_settings
from multiid.mini.training.sources import Sources
from multiid.mini.training.stages import STAGES
from multiid.mini.world.groups import make_group
from multiid.mini.world.people import is_held_out, make_person


class _Line:
    """The smallest stage: a line through noisy points."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.networks = nn.ModuleDict({"line": nn.Linear(1, 1)})

    def batch(self, step: int) -> Batch:
        x = torch.rand(16, 1, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": 3 * x + 1}

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        x = batch["x"] + 0.01 * torch.randn(16, 1)
        made = networks["line"](x.to(networks["line"].weight.dtype))
        return {"loss": (made - batch["y"]).square().mean()}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        return PIL.Image.new("L", (1, 1), round(min(255.0, 50 * networks["line"].weight.item())))

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        return {"slope": networks["line"].weight.item()}

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        torch.save(networks.state_dict(), folder / "line.pt")


SETTINGS = StageSettings(steps=60, batch=16, learning_rate=0.1, warmup=5, precision="fp32", log_every=5, save_every=20)


def weights(folder: Path) -> Tensor:
    state = torch.load(folder / "weights" / "line.pt")
    return torch.cat([value.flatten() for value in state.values()])


def test_learns_logs_and_keeps_what_it_learnt(tmp_path: Path) -> None:
    told: list[int] = []
    assert train(_Line(), SETTINGS, tmp_path, report=lambda step, _: told.append(step))
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == told == list(range(5, 61, 5))
    assert log[-1]["loss"] < 0.05 * log[0]["loss"]
    assert [path.name for path in sorted((tmp_path / "samples").iterdir())] == [
        "000020.png",
        "000040.png",
        "000060.png",
    ]
    assert len((tmp_path / "figures.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_in_pieces_is_the_run_in_one(tmp_path: Path, precision: str) -> None:
    settings = SETTINGS.model_copy(update={"precision": precision})
    train(_Line(), settings, tmp_path / "whole")
    calls = 0
    while not train(_Line(), settings, tmp_path / "pieces", minutes=1e-9):
        calls += 1
    assert calls == settings.steps - 1
    assert torch.equal(weights(tmp_path / "whole"), weights(tmp_path / "pieces"))


def test_a_kill_between_two_checkpoints_repeats_from_the_last(tmp_path: Path) -> None:
    train(_Line(), SETTINGS, tmp_path / "whole")

    class KilledError(Exception):
        pass

    def kill(step: int, losses: dict[str, float]) -> None:
        del losses
        if step == 35:
            raise KilledError

    with pytest.raises(KilledError):
        train(_Line(), SETTINGS, tmp_path / "killed", report=kill)
    # Killed again, while a checkpoint takes the place of the one before.
    (tmp_path / "killed" / "state").rename(tmp_path / "killed" / "state.old")
    assert train(_Line(), SETTINGS, tmp_path / "killed")
    assert torch.equal(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_a_kill_while_the_last_checkpoint_is_written_loses_nothing(tmp_path: Path) -> None:
    train(_Line(), SETTINGS, tmp_path / "whole")

    class KilledError(Exception):
        pass

    class Killed(_Line):
        def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
            if len(list((tmp_path / "killed").glob("samples/*"))) == 2:
                raise KilledError
            return super().figures(networks)

    with pytest.raises(KilledError):
        train(Killed(), SETTINGS, tmp_path / "killed")
    assert train(_Line(), SETTINGS, tmp_path / "killed")
    for name in ("figures.jsonl", "samples/000060.png"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert torch.equal(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    class Full(_Line):
        def save(self, networks: nn.ModuleDict, folder: Path) -> None:
            if (tmp_path / "state").is_dir():
                raise OSError(errno.ENOSPC, "No space left on device")
            super().save(networks, folder)

    with pytest.raises(OutputError, match=r"Cannot write .*: No space left on device\.$"):
        train(Full(), SETTINGS, tmp_path)
    assert [entry.name for entry in tmp_path.glob("state*")] == ["state"]
    assert train(_Line(), SETTINGS, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Cannot write .*file"):
        train(_Line(), SETTINGS, tmp_path / "file")


def test_what_earlier_stages_made_is_missed_before_anything_is_drawn(tmp_path: Path) -> None:
    settings = read_settings(STAGES["denoiser"].settings, "laptop", "denoiser")
    with pytest.raises(TrainingError, match=r"weights of stage autoencoder in .*: train that stage first"):
        STAGES["denoiser"].build(settings, Sources(tmp_path))
    weights = tmp_path / "autoencoder" / "weights"
    autoencoder().save_pretrained(weights)
    with pytest.raises(TrainingError, match=r"weights of stage id_encoder in .*: train that stage first"):
        STAGES["denoiser"].build(settings, Sources(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["autoencoder"]
    file = weights / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"^Expected the autoencoder's weights in .*Train autoencoder again\.$"):
        Sources(tmp_path).autoencoder()


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    train(_Line(), SETTINGS, tmp_path)
    other = _Line()
    other.networks = nn.ModuleDict({"line": nn.Linear(1, 2)})
    with pytest.raises(TrainingError, match=r"Expected a checkpoint of the same networks in .*state"):
        train(other, SETTINGS, tmp_path)


def test_a_loss_that_is_no_number_stops(tmp_path: Path) -> None:
    class Lost(_Line):
        def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
            return {"loss": super().loss(networks, batch)["loss"] * np.nan}

    with pytest.raises(TrainingError, match="at step 5 it is no number"):
        train(Lost(), SETTINGS, tmp_path)
    assert not (tmp_path / "weights").exists()


class Burglar:
    """Unpickling it leaves a mark in a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


def test_a_checkpoint_that_bears_code_is_not_opened(tmp_path: Path) -> None:
    """accelerate itself would run it."""
    train(_Line(), SETTINGS, tmp_path)
    checkpoint = tmp_path / "state" / "custom_checkpoint_0.pkl"
    mark = tmp_path / "burgled"
    for content in ({"step": Burglar(mark)}, Burglar(mark)):
        torch.save(content, checkpoint)
        with pytest.raises(
            TrainingError, match=r"Expected a checkpoint of the same networks in .*state, but it cannot"
        ):
            train(_Line(), SETTINGS, tmp_path)
        assert not mark.exists()
    torch.load(checkpoint, weights_only=False)
    assert mark.exists()


def test_examples_show_nobody_who_is_kept_for_evaluation() -> None:
    assert not any(is_held_out(known_person(seed)) for seed in range(100))
    pose = make_group(4, 0)
    assert not any(is_held_out(person) for seed in range(25) for person in known_cast(pose, seed=seed).people)
    assert any(is_held_out(make_person(seed)) for seed in range(100))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("stage", STAGES)
def test_recipes_are_valid(recipe: str, stage: str) -> None:
    settings = read_settings(STAGES[stage].settings, recipe, stage)
    assert settings.steps > 1000


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "autoencoder.yaml").write_text("steps: 5\nbatch: 2\nlearning_rate: 0.1\nstep: 3\n")
    with pytest.raises(TrainingError, match=r"autoencoder\.yaml: step: unknown key; did you mean 'steps'"):
        read_settings(STAGES["autoencoder"].settings, str(tmp_path), "autoencoder")
    with pytest.raises(TrainingError, match=r"laptop, gpu.*no decoder\.yaml"):
        read_settings(STAGES["decoder"].settings, str(tmp_path), "decoder")
