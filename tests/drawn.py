"""True renders of the miniature's world, with the recipes and people they would have, were they composed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import PIL.Image
import torch

from multiid import Identity, Picture, Recipe, Scene
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.trials import Trial, draw_references, make_trial
from multiid.mini.world.people import Person
from multiid.pipeline.presets import find_preset
from multiid.pipeline.staging import set_stage


@dataclass(frozen=True, eq=False)
class Drawn:
    """A group of cartoon people.

    Attributes:
        trial: who they are and where they stand.
        people: as the miniature's recogniser knows them, from portraits; no generator does.
        picture: the true render, with the recipe of a picture of them.
    """

    trial: Trial
    people: list[Identity]
    picture: Picture

    @property
    def image(self) -> PIL.Image.Image:
        return self.picture.image

    def showing(self, image: PIL.Image.Image) -> Picture:
        """Another image, with the same recipe."""
        return replace(self.picture, images=(image,))

    def exchanged(self, one: int, other: int) -> Picture:
        """The render of the same scene with two people in each other's place, hair, face and all."""
        cast = self.trial.cast
        people = list(cast.people)
        people[one], people[other] = people[other], people[one]
        return self.showing(replace(self.trial, cast=replace(cast, people=tuple(people))).truth().picture)

    def painted_over(self, person: int) -> Picture:
        """The render with a plain patch where somebody's head is."""
        box = self.trial.truth().people[person].head
        assert box is not None
        image = self.image.copy()
        image.paste((120, 150, 130), tuple(round(corner) for corner in box.expanded(0.1).corners))
        return self.showing(image)


def draw_group(count: int = 3, index: int = 1, **changes: object) -> Drawn:
    """A group of that many; further settings go into the recipe's scene."""
    trial = make_trial("random", count, index)
    people = [known(person, name, seed=trial.seed) for name, person in zip(trial.names, trial.cast.people, strict=True)]
    return Drawn(trial, people, as_composed(trial, people, changes))


def known(person: Person, name: str, *, seed: int) -> Identity:
    """Somebody as the miniature's recogniser knows them."""
    faces = [MiniFaces().analyze(portrait)[0].embedding for portrait in draw_references(person, seed=seed)]
    embeddings = torch.stack([torch.as_tensor(face) for face in faces])
    return Identity(name, person.noun, embeddings.reshape(1, 1, -1), "none", {"mini": embeddings})


def as_composed(trial: Trial, people: list[Identity], changes: Mapping[str, object]) -> Picture:
    """The true render as though it had been composed."""
    settings = {"pose": trial.pose, "people": people, "seed": 1, "steps": 2, **changes}
    scene = Scene(trial.prompt, layout="stack", guidance=2.0, merge_step=-1, **settings)
    stage = set_stage(scene, default_size=trial.pose.size, multiple=8, limb_width=8.0)
    recipe = Recipe.of(scene, size=stage.size, pose=stage.pose, preset=find_preset("mini").name)
    return Picture((trial.truth().picture,), None, (recipe,), stage, trial.names, (), ())
