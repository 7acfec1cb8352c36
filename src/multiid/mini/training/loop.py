"""The training loop: one for every stage, resumable at any step."""

import copy
import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import PIL.Image
import torch
from accelerate import Accelerator
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader, Dataset

from multiid.errors import OutputError, TrainingError
from multiid.mini.training.settings import StageSettings
from multiid.people.tensorfile import first_line

__all__ = ["Batch", "Stage", "train"]

Batch = dict[str, Shaped[Tensor, "..."]]


@runtime_checkable
class Stage(Protocol):
    """Something to train.

    Attributes:
        networks: what learns, in 32 bits.
    """

    networks: nn.ModuleDict

    def batch(self, step: int) -> Batch:
        """The examples of a step; the same step gives the same examples. Called in other processes too."""
        ...

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """What is minimised, as "loss", and other numbers worth a line in the log. Randomness is torch's."""
        ...

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image | None:
        """A sheet that shows what the networks can do, or None."""
        ...

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """A few numbers on examples outside training."""
        ...

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """Writes the weights in 16 bits, as the miniature is shipped."""
        ...


class _Run:
    """What changes while training, and is kept in a checkpoint."""

    def __init__(self, networks: nn.ModuleDict, settings: StageSettings) -> None:
        self.step = 0
        self.networks = networks
        self.average = copy.deepcopy(networks).requires_grad_(False)
        learning = [weight for weight in networks.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(
            learning, lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=settings.weight_decay, fused=True
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.networks.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])


class _Steps(Dataset[Batch]):
    """A stage's batches by number, for the loader's processes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def __getitem__(self, step: int) -> Batch:
        return self.stage.batch(step)


def train(
    stage: Stage,
    settings: StageSettings,
    folder: Path,
    *,
    minutes: float | None = None,
    report: Callable[[int, dict[str, float]], None] | None = None,
) -> bool:
    """Trains a stage, or goes on where an earlier call stopped.

    In `folder`, `state` is the checkpoint, `weights` the moving average in 16 bits, `log.jsonl` a line of losses every
    so often, and `samples` holds a sheet for each checkpoint. A run that is killed loses what came after its last
    checkpoint; going on repeats it with the same examples and noise.

    Args:
        stage: what to train.
        settings: how.
        folder: where the run lives.
        minutes: stop with a checkpoint after that long; None trains to the end.
        report: told the steps done and the latest losses, every so often.

    Returns:
        Whether the last step was reached.

    Raises:
        TrainingError: when the folder holds a checkpoint of other networks, or the loss is no number.
        OutputError: when the folder cannot be written, or the disk is full.
    """
    started = time.monotonic()
    accelerator = Accelerator(step_scheduler_with_optimizer=False)
    if accelerator.device.type == "cpu":
        torch.set_num_threads(settings.threads)
    stage.networks.to(accelerator.device)
    run = _Run(stage.networks, settings)
    accelerator.register_for_checkpointing(run)
    _resume(accelerator, folder)
    working = _working_copy(run.networks, settings)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)

    recent: list[dict[str, Tensor]] = []
    # The fused kernels' backward pass is slow in 16 bits on processors; the plain one need not go through 32.
    on_processor = accelerator.device.type == "cpu"
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(on_processor)
    with sdpa_kernel(SDPBackend.MATH) if on_processor else nullcontext():
        for batch in _batches(stage, settings, run.step, accelerator):
            torch.manual_seed(settings.seed * 1_000_003 + run.step * accelerator.num_processes + _rank(accelerator))
            recent.append(_step(stage, run, working, batch, settings, accelerator))
            if run.step % settings.log_every == 0:
                with _writing(folder):
                    losses = _log(folder, run, recent, started, accelerator)
                recent.clear()
                if report is not None and accelerator.is_main_process:
                    report(run.step, losses)
            out_of_time = minutes is not None and _agreed(time.monotonic() - started > 60 * minutes, accelerator)
            done = run.step >= settings.steps
            if done or out_of_time or run.step % settings.save_every == 0:
                with _writing(folder):
                    _checkpoint(accelerator, stage, run, folder)
            if out_of_time:
                break
    accelerator.wait_for_everyone()
    return run.step >= settings.steps


@contextmanager
def _writing(folder: Path) -> Generator[None]:
    """Says in one line which folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror or error}.") from error


def _rank(accelerator: Accelerator) -> int:
    return accelerator.process_index


def _batches(stage: Stage, settings: StageSettings, first: int, accelerator: Accelerator) -> Iterator[Batch]:
    count, rank = accelerator.num_processes, _rank(accelerator)
    steps = range(first * count + rank, settings.steps * count, count)
    loader = DataLoader(
        _Steps(stage),
        batch_size=None,
        sampler=steps,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
    )
    for batch in loader:
        yield {name: value.to(accelerator.device, non_blocking=True) for name, value in batch.items()}


def _working_copy(networks: nn.ModuleDict, settings: StageSettings) -> nn.ModuleDict:
    """The networks as they compute: themselves in 32 bits, or a copy in 16 that follows them."""
    if settings.precision == "fp32":
        return networks
    return copy.deepcopy(networks).to(torch.bfloat16)


def _step(
    stage: Stage,
    run: _Run,
    working: nn.ModuleDict,
    batch: Batch,
    settings: StageSettings,
    accelerator: Accelerator,
) -> dict[str, Tensor]:
    """One step of the optimizer; gives its losses."""
    if working is not run.networks:
        with torch.no_grad():
            for twin, weight in zip(working.parameters(), run.networks.parameters(), strict=True):
                twin.copy_(weight)
    losses = stage.loss(working, batch)
    losses["loss"].backward()
    learning: list[Tensor] = []
    for weight, twin in zip(run.networks.parameters(), working.parameters(), strict=True):
        if not weight.requires_grad:
            continue
        if accelerator.num_processes > 1 and twin.grad is None:
            twin.grad = torch.zeros_like(twin)  # another process may have learnt something here
        if twin.grad is None:
            continue
        if twin is not weight:
            weight.grad, twin.grad = twin.grad.float(), None
        learning.append(weight)
    _share(learning, accelerator)
    torch.nn.utils.clip_grad_norm_(learning, settings.clip, foreach=True)
    for group in run.optimizer.param_groups:
        group["lr"] = settings.learning_rate * _pace(run.step, settings)
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.step += 1
    decay = min(settings.ema, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for mean, weight in zip(run.average.parameters(), run.networks.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)
        for mean, value in zip(run.average.buffers(), working.buffers(), strict=True):
            mean.copy_(value)
    return {name: value.detach().float() for name, value in losses.items()}


def _share(learning: list[Tensor], accelerator: Accelerator) -> None:
    """Gives every process the mean of all processes' gradients, in one message."""
    if accelerator.num_processes == 1:
        return
    gradients = [weight.grad for weight in learning if weight.grad is not None]
    together = cast(Tensor, accelerator.reduce(torch.cat([each.flatten() for each in gradients]), reduction="mean"))
    for gradient, mean in zip(gradients, together.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def _agreed(here: bool, accelerator: Accelerator) -> bool:
    """Whether any process says so; all get the same answer, so that none waits for one that has left."""
    if accelerator.num_processes == 1:
        return here
    said = torch.tensor(float(here), device=accelerator.device)
    return cast(Tensor, accelerator.reduce(said, reduction="sum")).item() > 0


def _pace(step: int, settings: StageSettings) -> float:
    """Share of the highest learning rate: up over the warm-up, level, down to zero."""
    rising = min(1.0, (step + 1) / max(1, settings.warmup))
    falling = (settings.steps - step) / max(1.0, settings.decay * settings.steps)
    return min(rising, 1.0, falling)


def _log(
    folder: Path, run: _Run, recent: list[dict[str, Tensor]], started: float, accelerator: Accelerator
) -> dict[str, float]:
    means = {name: torch.stack([item[name] for item in recent]).mean() for name in recent[0]}
    shared = cast(dict[str, Tensor], accelerator.reduce(means, reduction="mean"))
    losses = {name: value.item() for name, value in shared.items()}
    if losses["loss"] != losses["loss"]:
        raise TrainingError(
            f"Expected a loss, but at step {run.step} it is no number: lower learning_rate, and go on from the last "
            "checkpoint."
        )
    if not accelerator.is_main_process:
        return losses
    line = {"step": run.step, **losses, "seconds": round(time.monotonic() - started, 1)}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    return losses


def _checkpoint(accelerator: Accelerator, stage: Stage, run: _Run, folder: Path) -> None:
    """Saves beside the last checkpoint, then takes its place, so that a kill leaves a whole one.

    Weights, samples and figures come first: a kill in between repeats the steps and writes them again. After the last
    step nothing would.
    """
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        return
    fresh, state, last = folder / "state.new", folder / "state", folder / "state.old"
    weights = folder / "weights"
    weights.mkdir(exist_ok=True)
    run.average.eval()
    with torch.no_grad():
        stage.save(run.average, weights)
        sheet, figures = stage.sample(run.average), stage.figures(run.average)
    if sheet is not None:
        (folder / "samples").mkdir(exist_ok=True)
        sheet.save(folder / "samples" / f"{run.step:06d}.png")
    with (folder / "figures.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"step": run.step, **figures}) + "\n")
    shutil.rmtree(fresh, ignore_errors=True)
    accelerator.save_state(str(fresh))
    if state.exists():  # else the one before is all there is
        shutil.rmtree(last, ignore_errors=True)
        state.rename(last)
    fresh.rename(state)
    shutil.rmtree(last, ignore_errors=True)


def _resume(accelerator: Accelerator, folder: Path) -> None:
    """Goes back to the last checkpoint, if there is one; the one before stands in when a kill came in between."""
    state = next((folder / name for name in ("state", "state.old") if (folder / name).is_dir()), None)
    if state is None:
        return
    try:
        # accelerate runs whatever code is in this file, so it gets none that is more than numbers.
        for file in state.glob("custom_checkpoint_*.pkl"):
            torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        accelerator.load_state(str(state))
    except Exception as error:  # a damaged file makes torch's reader raise almost anything
        raise TrainingError(
            f"Expected a checkpoint of the same networks in {state}, but it cannot be read: "
            f"{first_line(error)}. Name another folder to begin anew."
        ) from error
