"""Several processes that share each step of training."""

import time
from pathlib import Path

import PIL.Image
import pytest
import torch
from torch import Tensor, nn

from multiid.errors import TrainingError
from multiid.mini.training.loop import Batch, train
from multiid.mini.training.processes import run_together
from multiid.mini.training.settings import StageSettings

SETTINGS = StageSettings(steps=12, batch=4, learning_rate=0.1, warmup=2, precision="fp32", log_every=4, save_every=4)


class _Plane:
    """A plane through points; those of odd numbers know nothing of the second axis."""

    def __init__(self, *, pieces: int = 1) -> None:
        torch.manual_seed(0)
        self.networks = nn.ModuleDict({"first": nn.Linear(1, 1), "second": nn.Linear(1, 1)})
        self.pieces = pieces

    def batch(self, step: int) -> Batch:
        numbers = range(step * self.pieces, (step + 1) * self.pieces)
        return {"x": torch.stack([torch.rand(4, 2, generator=torch.Generator().manual_seed(n)) for n in numbers])}

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        odd = torch.distributed.is_initialized() and torch.distributed.get_rank() == 1
        losses: list[Tensor] = []
        for number, x in enumerate(batch["x"]):
            made = networks["first"](x[:, :1])
            if not odd and number % 2 == 0:
                made = made + networks["second"](x[:, 1:])
            losses.append((made - 3 * x[:, :1] - x[:, 1:]).square().mean())
        return {"loss": torch.stack(losses).mean()}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image | None:
        del networks

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        del networks
        return {}

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        torch.save(networks.state_dict(), folder / "plane.pt")


def _train(folder: Path, minutes: float | None) -> None:
    train(_Plane(), SETTINGS, folder, minutes=minutes)


def _stop_at_different_times(folder: Path) -> None:
    # The second process thinks that it has started an hour ago.
    late = 3600.0 * torch.distributed.get_rank()
    clock = time.monotonic
    times = iter([clock() - late])
    time.monotonic = lambda: next(times, clock())
    train(_Plane(), SETTINGS, folder, minutes=30)


def _fail(folder: Path) -> None:
    raise TrainingError(f"Expected something in {folder}.")


def weights(folder: Path) -> Tensor:
    state = torch.load(folder / "weights" / "plane.pt")
    return torch.cat([value.flatten() for value in state.values()])


def test_two_processes_learn_what_one_learns_from_both_batches(tmp_path: Path) -> None:
    train(_Plane(pieces=2), SETTINGS, tmp_path / "one")
    run_together(_train, tmp_path / "two", None, processes=2)
    torch.testing.assert_close(weights(tmp_path / "one"), weights(tmp_path / "two"))
    assert (tmp_path / "one" / "figures.jsonl").read_text() == (tmp_path / "two" / "figures.jsonl").read_text()
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert len(logs[0]) == len(logs[1])


def test_they_stop_together_when_one_is_out_of_time(tmp_path: Path) -> None:
    run_together(_stop_at_different_times, tmp_path, processes=2)
    assert len((tmp_path / "figures.jsonl").read_text().splitlines()) == 1


def test_what_one_of_them_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"^Expected something in "):
        run_together(_fail, tmp_path, processes=2)


def test_one_process_is_this_one(tmp_path: Path) -> None:
    run_together(_train, tmp_path, None, processes=1)
    assert weights(tmp_path).shape == (4,)
