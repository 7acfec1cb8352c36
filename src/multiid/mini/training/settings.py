"""The settings of a training stage: a YAML file each, under recipes/."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from multiid.errors import TrainingError
from multiid.pipeline.yaml_file import read_yaml
from multiid.validation import describe_error

__all__ = ["RECIPES", "StageSettings", "read_settings"]

RECIPES = ("laptop", "gpu")
"""The recipes that come with the package: two processor cores, or one accelerator."""


class StageSettings(BaseModel):
    """What every stage can be told; a stage's own settings extend it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    steps: int = Field(gt=0)
    """Optimiser steps in all."""
    batch: int = Field(gt=0)
    """Examples per step and process."""
    learning_rate: float = Field(gt=0)
    """Highest learning rate of AdamW."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's."""
    warmup: int = Field(default=200, ge=0)
    """Steps over which the learning rate rises to its highest."""
    decay: float = Field(default=0.45, ge=0, le=1)
    """Share of the steps, at the end, over which the learning rate falls to zero in a straight line."""
    ema: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the moving average of the weights, which is what is kept; it rises to this during the first steps."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    precision: Literal["fp32", "bf16"] = "bf16"
    """What the networks compute in; the weights that learn stay in 32 bits."""
    processes: int = Field(default=1, ge=1)
    """Processes that share each step where there is no accelerator."""
    threads: int = Field(default=1, ge=1)
    """Processor threads of each process, where the networks run on a processor."""
    workers: int = Field(default=0, ge=0)
    """Processes beside it that make batches; 0 makes them in between."""
    seed: int = 0
    """Decides the first weights, the batches and the noise."""
    log_every: int = Field(default=50, gt=0)
    """Steps between two lines of the log."""
    save_every: int = Field(default=500, gt=0)
    """Steps between two checkpoints, each with a sheet of samples and the held-out figures."""

    @property
    def cores(self) -> int:
        """Processor cores that the stage keeps busy."""
        return self.processes * self.threads


_Settings = TypeVar("_Settings", bound=StageSettings)


def read_settings(kind: type[_Settings], recipe: str, stage: str) -> _Settings:
    """A stage's settings from a recipe.

    Args:
        kind: the stage's class of settings.
        recipe: a name of `RECIPES`, or a folder of files like theirs.
        stage: the stage's name; the file is STAGE.yaml.

    Raises:
        TrainingError: when there is no such file, or something in it is wrong.
    """
    path = Path(__file__).parent / "recipes" / recipe if recipe in RECIPES else Path(recipe)
    path = path / f"{stage}.yaml"
    if not path.is_file():
        raise TrainingError(
            f"Expected a recipe ({', '.join(RECIPES)}) or a folder of settings, "
            f"but there is no {path.name} in {recipe}."
        )
    values = read_yaml(path, TrainingError)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise TrainingError(describe_error(error, kind.model_json_schema(), source=path)) from error
