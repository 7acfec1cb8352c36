"""A whole denoising step, ControlNet and UNet, with nobody in it and with a crowd."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
from contenders import ROWS, people_conditioning, stripes
from timing import Contender, Spread, interleaved, ratios
from torch import Tensor, nn

from multiid.attention.install import cross_attention_layers, showing_identities
from multiid.attention.processors import SceneKeys, Showing
from multiid.conditioning import Conditioning

__all__ = ["StepCost", "measure_steps"]

_LATENT_SCALE = 8
_TIME_NUMBERS = 6  # SDXL's: the picture's original size, its crop and its size
_GRAPHS = 64  # that may be made of one function: the stock step and ours take turns


@dataclass(frozen=True)
class StepCost:
    """One denoising step with its unconditional half, stock and with people in it.

    Attributes:
        device: "cpu", or the accelerator's name.
        compiled: whether both networks went through torch.compile.
        dtype: of the networks.
        side: of the square picture, in pixels.
        people: how many; with none nothing is installed, so that row shows how even the measure is.
        tokens: of each person.
        stock_ms: median of the stock step, in milliseconds.
        ratio: our step as a multiple of the stock step.
        stock_gb: most memory of the accelerator during a stock step, in GB; None on a CPU.
        gb: likewise with people.
    """

    device: str
    compiled: bool
    dtype: str
    side: int
    people: int
    tokens: int
    stock_ms: float
    ratio: Spread
    stock_gb: float | None
    gb: float | None


def measure_steps(
    unet: Any,
    controlnet: Any,
    *,
    side: int,
    counts: Iterable[int],
    tokens: int,
    rounds: int,
    compiled: bool,
    progress: Callable[[str], None],
) -> list[StepCost]:
    """Times steps of both networks for each number of people, in turn with the stock step.

    Args:
        unet: the denoiser.
        controlnet: that runs before it.
        side: of the square picture, in pixels.
        counts: how many people.
        tokens: of each person.
        rounds: how often each step is timed.
        compiled: compile both networks first.
        progress: told what comes next.
    """
    device, dtype = unet.device, unet.dtype
    networks: list[Any] = [controlnet, unet]
    run = _step(*((torch.compile(network) for network in networks) if compiled else networks), side=side)
    stock = _processors(networks)
    costs: list[StepCost] = []
    for people in counts:
        progress(f"a step{', compiled,' if compiled else ''} of {side} by {side} pixels with {people} people")
        if compiled:
            torch.compiler.reset()
            torch._dynamo.config.recompile_limit = _GRAPHS
        stack = torch.randn(people, tokens, unet.config.cross_attention_dim, dtype=dtype, device=device)
        conditioning = people_conditioning(stack)
        text = conditioning.text.repeat(len(ROWS), 1, 1)
        plain = Contender(partial(_install, stock), partial(run, text))
        # Before our own processors keep anything.
        stock_gb = _peak_gb(plain, device)
        ours = _installed(networks, conditioning, people, side=side, cached=not compiled) if people else stock
        shown = Contender(partial(_install, ours), partial(run, text))
        try:
            seconds = interleaved({"stock": plain, "multiid": shown}, rounds=rounds, device=device.type)
            gb = _peak_gb(shown, device)
        finally:
            _install(stock)
        costs.append(
            StepCost(
                device="cpu" if device.type == "cpu" else torch.cuda.get_device_name(device),
                compiled=compiled,
                dtype=str(dtype).removeprefix("torch."),
                side=side,
                people=people,
                tokens=tokens,
                stock_ms=1000 * median(seconds["stock"]),
                ratio=ratios(seconds, "stock")["multiid"],
                stock_gb=stock_gb,
                gb=gb,
            )
        )
    return costs


def _step(controlnet: Any, unet: Any, *, side: int) -> Callable[[Tensor], Tensor]:
    """One evaluation of both networks on random input, as the stock ControlNet pipeline does it."""
    config, rows, latent = unet.config, len(ROWS), side // _LATENT_SCALE
    pooled = config.projection_class_embeddings_input_dim - _TIME_NUMBERS * config.addition_time_embed_dim

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=unet.dtype, device=unet.device)

    sample, control = draw(rows, config.in_channels, latent, latent), draw(rows, 3, side, side)
    added = {"text_embeds": draw(rows, pooled), "time_ids": draw(rows, _TIME_NUMBERS)}
    moment = torch.tensor(500, device=unet.device)

    def run(text: Tensor) -> Tensor:
        down, middle = controlnet(sample, moment, text, control, added_cond_kwargs=added, return_dict=False)
        return unet(
            sample, moment, text, added_cond_kwargs=added, down_block_additional_residuals=down,
            mid_block_additional_residual=middle, return_dict=False,
        )[0]  # fmt: skip

    return run


def _processors(networks: Iterable[nn.Module]) -> list[tuple[Any, Any]]:
    return [(layer, layer.processor) for network in networks for layer, _ in cross_attention_layers(network)]


def _install(processors: Iterable[tuple[Any, Any]]) -> None:
    for layer, processor in processors:
        layer.set_processor(processor)


def _installed(
    networks: list[Any], conditioning: Conditioning, people: int, *, side: int, cached: bool
) -> list[tuple[Any, Any]]:
    """Our processors as they are in the steps after the merge, to be put in again and again with all they keep."""
    latent = (side // _LATENT_SCALE,) * 2
    levels = {level for network in networks for _, level in cross_attention_layers(network)}
    keys = SceneKeys.of(
        conditioning, stripes(people, side), latent=latent, levels=levels, dtype=conditioning.text.dtype
    )
    showing = Showing(ROWS, [keys], cached=cached)
    with ExitStack() as stack:
        for network in networks:
            stack.enter_context(showing_identities(network, showing))
        return _processors(networks)


def _peak_gb(contender: Contender, device: torch.device) -> float | None:
    """Most memory of the accelerator while it runs, weights included; None on a CPU."""
    if device.type == "cpu":
        return None
    contender.prepare()
    with torch.no_grad():
        contender.run()  # the first run compiles, and lets libraries take their workspace
        torch.cuda.reset_peak_memory_stats()
        contender.run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() / 1e9
