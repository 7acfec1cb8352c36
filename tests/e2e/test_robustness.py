"""One composer for long and for many: memory stays flat over hundreds of pictures, and threads do not mix theirs."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from minis import shipped_miniature
from peft import LoraConfig, get_peft_model_state_dict
from photos import blocks
from safetensors.torch import save_file
from tinies import couple, small_scene, tiny_composer

from multiid import Box, Cancelled, Composer, Identity, Lora, Person, Picture, Scene, SceneError
from multiid.mini.figures.trials import draw_photos, make_trial

COMPOSES = 300
WARM_UP = 60  # until every kind of call has filled its caches
GROWTH = 0.02  # of the memory that the process holds
HOMES = ("PIL", "diffusers", "multiid", "peft", "torch", "transformers")
STATUS = Path("/proc/self/status")


def resident() -> float:
    """Megabytes of memory that this process holds."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def alive() -> int:
    """How many tensors, modules, pictures, scenes and the like there are: objects of the package and its libraries."""
    gc.collect()
    homes = (str(getattr(type(item), "__module__", "")).partition(".")[0] for item in gc.get_objects())
    return sum(home in HOMES for home in homes)


class Guests:
    """Who comes to the miniature's pictures, each time in another way."""

    def __init__(self, composer: Composer, style: Path) -> None:
        self.composer = composer
        self.trial = make_trial("random", 2, 900_000)
        self.photos = [draw_photos(person, seed=self.trial.seed) for person in self.trial.cast.people]
        self.people = [self.identity(index) for index in range(2)]
        self.style = style
        self.ways: tuple[Callable[[int], object], ...] = (
            self.alone,
            self.together,
            self.inline,
            self.in_boxes_twice,
            self.by_another_sampler,
            self.in_style,
            self.cancelled,
            self.refused,
        )

    def identity(self, index: int) -> Identity:
        return self.composer.identity(self.trial.names[index], self.trial.cast.people[index].noun, self.photos[index])

    def scene(self, number: int) -> Scene:
        return Scene(self.trial.prompt, self.people, pose=self.trial.pose, width=96, height=64, steps=1, seed=number)

    def alone(self, number: int) -> Picture:
        """With an identity made anew, as a server makes them."""
        return self.composer.compose(
            Scene(
                "a {one}", [replace(self.identity(number % 2), name="one")], width=64, height=64, steps=2, seed=number
            )
        )

    def together(self, number: int) -> Picture:
        return self.composer.compose(self.scene(number))

    def inline(self, number: int) -> Picture:
        return self.composer.compose(replace(self.scene(number), layout="inline", merge_step=-1))

    def in_boxes_twice(self, number: int) -> Picture:
        scene = self.scene(number)
        boxes = (Box(0, 0, 48, 64), Box(48, 0, 96, 64))
        people = [Person(person.identity, region=box) for person, box in zip(scene.cast, boxes, strict=True)]
        return self.composer.compose(replace(scene, people=people, pose=None, images=2))

    def by_another_sampler(self, number: int) -> Picture:
        return self.composer.compose(replace(self.scene(number), scheduler="dpm++-karras", steps=2, merge_step=0))

    def in_style(self, number: int) -> Picture:
        return self.composer.compose(replace(self.scene(number), loras=[Lora(str(self.style), 0.5)]))

    def cancelled(self, number: int) -> None:
        def stop(*_: object) -> None:
            raise Cancelled("enough")

        with pytest.raises(Cancelled):
            self.composer.compose(self.scene(number), progress=stop)

    def refused(self, number: int) -> None:
        with pytest.raises(SceneError, match="LoRA"):
            self.composer.compose(replace(self.scene(number), loras=[Lora("absent.safetensors")]))


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    composer = shipped_miniature()
    style = tmp_path_factory.mktemp("styles") / "style.safetensors"
    network = shipped_miniature().pipeline.unet
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False))
    save_file({f"unet.{name}": value for name, value in get_peft_model_state_dict(network).items()}, style)
    return Guests(composer, style)


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from /proc")
def test_memory_stays_flat_over_hundreds_of_pictures(guests: Guests) -> None:
    for number in range(WARM_UP):
        guests.ways[number % len(guests.ways)](number)
    before, objects_before = resident(), alive()
    for number in range(WARM_UP, COMPOSES):
        guests.ways[number % len(guests.ways)](number)
    after, objects = resident(), alive()
    print(f"resident memory {before:.1f} MB after {WARM_UP} composes, {after:.1f} MB after {COMPOSES}:")
    print(f"{after / before - 1:+.2%}, at most {GROWTH:+.0%} allowed")
    print(f"{objects_before} objects, then {objects}, no more allowed")
    assert after <= before * (1 + GROWTH)
    assert objects <= objects_before


# Threads

BOXES = (Box(0, 0, 96, 128), Box(96, 0, 192, 128))


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns so often that what can go wrong between two steps does."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def eight_scenes(people: list[Identity]) -> list[Scene]:
    """No two alike in anything that a call puts into the networks or the scheduler."""
    ada, isaac = people
    boxed = [Person(person, region=box) for person, box in zip(people, BOXES, strict=True)]
    return [
        small_scene(people),
        small_scene(people, seed=6, steps=3),
        small_scene([isaac, ada], layout="inline"),
        small_scene(boxed, template=None, scheduler="ddim"),
        small_scene([ada], prompt="a {ada}", template="single-portrait", width=128),
        small_scene([Person(ada, phrase="in a red coat", strength=0.5), isaac], guidance=1.0),
        small_scene([], prompt="a garden", images=2),
        small_scene(people, width=128, height=192, soft_edge=0.1, merge_step=-1, scheduler="dpm++-karras"),
    ]


@pytest.mark.usefixtures("hasty")
def test_eight_threads_on_one_composer_make_what_they_make_alone() -> None:
    composer = tiny_composer()
    people = couple(composer)
    scenes = eight_scenes(people)
    alone = [composer.compose(scene) for scene in scenes]
    assert len({image.tobytes() for picture in alone for image in picture.images}) == 9
    together: dict[int, Picture] = {}
    made: dict[int, Identity] = {}
    start = threading.Barrier(len(scenes))

    def work(index: int) -> None:
        start.wait()
        made[index] = composer.identity("ada", "woman", blocks(0))
        together[index] = composer.compose(scenes[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(scenes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == len(scenes)
    for index, picture in enumerate(alone):
        assert [image.tobytes() for image in together[index].images] == [image.tobytes() for image in picture.images]
        assert torch.equal(made[index].embeddings, people[0].embeddings)
