"""What earlier stages made: from the run's own folder, or as shipped with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import AutoencoderKL

from multiid.errors import TrainingError
from multiid.mini.training.id_encoder import load_id_encoder
from multiid.people.encoders import IDEncoder
from multiid.people.tensorfile import first_line

__all__ = ["Sources"]


@dataclass(frozen=True)
class Sources:
    """The run that a stage belongs to.

    Attributes:
        run: the folder that holds a folder for each stage.
    """

    run: Path

    def weights(self, stage: str) -> Path:
        """The folder of a stage's weights.

        Raises:
            TrainingError: when that stage has not been trained in this run.
        """
        folder = self.run / stage / "weights"
        if not folder.is_dir():
            raise TrainingError(
                f"Expected the weights of stage {stage} in {folder}, but there are none: train that stage first."
            )
        return folder

    def autoencoder(self) -> AutoencoderKL:
        """The run's autoencoder in 32 bits.

        Raises:
            TrainingError: when it has not been trained in this run, or is damaged.
        """
        folder = self.weights("autoencoder")
        try:
            return cast(Any, AutoencoderKL).from_pretrained(folder, torch_dtype=torch.float32).eval()
        except Exception as error:  # on damaged weights the stock loader raises almost anything
            raise TrainingError(
                f"Expected the autoencoder's weights in {folder}, but they cannot be loaded: {first_line(error)}. "
                "Train autoencoder again."
            ) from error

    def id_encoder(self) -> IDEncoder:
        """The run's ID encoder in 32 bits; its fuse module is as new.

        Raises:
            TrainingError: when it has not been trained in this run, or is damaged.
        """
        return load_id_encoder(self.weights("id_encoder")).eval()
