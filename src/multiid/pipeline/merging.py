"""Delayed merging: the first steps see each scene's text alone, later ones everybody's identity too.

Composition settles before identity enters (PhotoMaker's start_merge_step). The switch happens between two steps,
through the pipeline's own callback. A batch may hold several scenes; each of its rows is told which one it shows.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.utils.torch_utils import is_compiled_module
from jaxtyping import Float
from torch import Tensor, nn

from multiid.attention.install import cross_attention_layers, showing_identities
from multiid.attention.masked import MaskRule
from multiid.attention.processors import SceneKeys, Showing
from multiid.conditioning import Conditioning

__all__ = ["Merger", "Progress", "merging"]

Progress = Callable[[int, int], None]
"""Called after each denoising step with the steps done and their total; what it raises stops the work."""


@dataclass(frozen=True)
class Merger:
    """Switches a running pipeline from text alone to text and identities: its `callback_on_step_end`.

    Attributes:
        conditionings: what is shown before and after, scene by scene.
        showing: what the batch rows of the networks see.
        merge_step: index of the last denoising step that sees text alone; -1 for none.
        evaluations: network evaluations per denoising step.
        steps: denoising steps in all.
        progress: called after each step.
    """

    conditionings: Sequence[Conditioning]
    showing: Showing
    merge_step: int
    evaluations: int
    steps: int
    progress: Progress | None

    def embeddings(self) -> dict[str, Tensor]:
        """The pipeline's arguments for the first step."""
        text, pooled = self._merged() if self.showing.merged else _plain(self.conditionings)
        return {"prompt_embeds": text, "pooled_prompt_embeds": pooled}

    def __call__(self, pipeline: Any, index: int, timestep: Any, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """After evaluation `index`: reports the step, and merges if the next one is to see identities."""
        del timestep
        evaluated = index + 1
        if evaluated % self.evaluations == 0 or evaluated == pipeline.num_timesteps:  # the last may come alone
            self.report(-(-evaluated // self.evaluations))
        if self.showing.merged or evaluated // self.evaluations <= self.merge_step:
            return {}
        self.showing.merged = True
        text, pooled = self._merged()
        return {
            "prompt_embeds": replace_rows(tensors["prompt_embeds"], self.showing.rows, text),
            "add_text_embeds": replace_rows(tensors["add_text_embeds"], self.showing.rows, pooled),
        }

    @property
    def waits(self) -> bool:
        """Whether identities are still to be merged."""
        return not self.showing.merged and any(each.shows_identities for each in self.conditionings)

    def report(self, done: int) -> None:
        """Tells whoever wants to know that so many steps are done."""
        if self.progress is not None:
            self.progress(min(done, self.steps), self.steps)

    def _merged(self) -> tuple[Tensor, Tensor]:
        """Text and pooled embedding of all scenes once identities are merged."""
        return (
            torch.cat([each.merged_text for each in self.conditionings]),
            torch.cat([each.merged_pooled for each in self.conditionings]),
        )


@contextmanager
def merging(
    unet: nn.Module,
    controlnets: Sequence[nn.Module],
    scenes: Sequence[tuple[Conditioning, Float[Tensor, "_people height width"]]],
    *,
    latent: tuple[int, int],
    rows: Sequence[int | None],
    dtype: torch.dtype,
    merge_step: int,
    evaluations: int,
    steps: int,
    control_identity: bool,
    rule: MaskRule,
    progress: Progress | None,
) -> Generator[Merger]:
    """Prepares networks for one call and restores them after it.

    Args:
        unet: the denoiser.
        controlnets: the ControlNets that run beside it, if any.
        scenes: the words and identities of each scene, and one mask per person.
        latent: (rows, columns) of the latent grid.
        rows: for each batch row the index of the scene that it shows, None where it is unconditional.
        dtype: of the networks.
        merge_step: index of the last denoising step that sees text alone.
        evaluations: network evaluations per denoising step.
        steps: denoising steps in all.
        control_identity: whether ControlNets see identities too, or text alone.
        rule: how masks enter attention.
        progress: called after each step.
    """
    networks = [unet, *controlnets] if control_identity else [unet]
    conditionings = [conditioning for conditioning, _ in scenes]
    showing = Showing(rows, [], merged=merge_step < 0, cached=not any(is_compiled_module(n) for n in networks))
    with ExitStack() as stack:
        if any(conditioning.shows_identities for conditioning in conditionings):
            levels = {level for network in networks for _, level in cross_attention_layers(network)}
            showing.scenes = [
                SceneKeys.of(conditioning, regions, latent=latent, levels=levels, dtype=dtype, rule=rule)
                for conditioning, regions in scenes
            ]
            for network in networks:
                stack.enter_context(showing_identities(network, showing))
            if not control_identity:
                for network in controlnets:
                    stack.enter_context(_text_alone(network, conditionings, rows))
        yield Merger(conditionings, showing, merge_step, evaluations, steps, progress)


def replace_rows(
    embeds: Float[Tensor, "rows *embedding"],
    rows: Sequence[int | None],
    shown: Float[Tensor, "scenes *embedding"],
) -> Float[Tensor, "rows *embedding"]:
    """A batch of embeddings with every row that shows a scene replaced by that scene's."""
    shows = torch.tensor([row is not None for row in rows], device=embeds.device)
    index = torch.tensor([row or 0 for row in rows], device=embeds.device)
    return torch.where(shows.view(-1, *[1] * (embeds.ndim - 1)), shown.to(embeds)[index], embeds)


def _plain(conditionings: Sequence[Conditioning]) -> tuple[Tensor, Tensor]:
    """Text and pooled embedding of all scenes without identities."""
    return torch.cat([each.text for each in conditionings]), torch.cat([each.pooled for each in conditionings])


@contextmanager
def _text_alone(
    controlnet: nn.Module, conditionings: Sequence[Conditioning], rows: Sequence[int | None]
) -> Generator[None]:
    """A ControlNet that reads each scene's plain text all along, as in PhotoMaker's reference."""
    text, pooled = _plain(conditionings)

    def restore(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        added = kwargs["added_cond_kwargs"]
        return args, {
            **kwargs,
            "encoder_hidden_states": replace_rows(kwargs["encoder_hidden_states"], rows, text),
            "added_cond_kwargs": {**added, "text_embeds": replace_rows(added["text_embeds"], rows, pooled)},
        }

    handle = controlnet.register_forward_pre_hook(restore, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
