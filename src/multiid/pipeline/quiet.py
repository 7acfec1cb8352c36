"""A composer that shows no bars of its own, for whoever shows one over many pictures."""

from typing import Any

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from multiid.pipeline.composer import Composer

__all__ = ["quiet_composer"]


def quiet_composer(preset: str, **options: Any) -> Composer:
    """`Composer.from_preset` without bars for loading and for each picture; diffusers and transformers stay quiet.

    Args:
        preset: of the composer.
        options: as `Composer.from_preset` takes them.

    Raises:
        MultiIDError: what `Composer.from_preset` raises.
    """
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    composer = Composer.from_preset(preset, **options)
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer
