"""All stages of the recipe by name, in the order in which they are trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multiid.mini.training.autoencoder import AutoencoderSettings, AutoencoderStage
from multiid.mini.training.decoder import DecoderSettings, build_decoder
from multiid.mini.training.denoiser import DenoiserSettings, build_denoiser
from multiid.mini.training.finder import FinderSettings, build_finder
from multiid.mini.training.id_encoder import IDEncoderSettings, build_id_encoder
from multiid.mini.training.loop import Stage
from multiid.mini.training.recogniser import RecogniserSettings, build_recogniser
from multiid.mini.training.settings import StageSettings
from multiid.mini.training.sources import Sources

__all__ = ["STAGES", "StageKind"]


@dataclass(frozen=True)
class StageKind:
    """A kind of stage: the class of its settings, and how one is built from settings and what earlier stages made."""

    settings: type[StageSettings]
    build: Callable[[Any, Sources], Stage]


STAGES: Mapping[str, StageKind] = {
    "autoencoder": StageKind(AutoencoderSettings, lambda settings, _: AutoencoderStage(settings)),
    "id_encoder": StageKind(IDEncoderSettings, lambda settings, _: build_id_encoder(settings)),
    "recogniser": StageKind(RecogniserSettings, lambda settings, _: build_recogniser(settings)),
    "finder": StageKind(FinderSettings, lambda settings, _: build_finder(settings)),
    "denoiser": StageKind(DenoiserSettings, build_denoiser),
    "decoder": StageKind(DecoderSettings, build_decoder),
}
"""Name to kind."""
