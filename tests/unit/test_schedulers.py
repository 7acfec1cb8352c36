"""Samplers by name: each makes a picture, and each evaluation has its step."""

import pytest
import torch
from diffusers import EulerDiscreteScheduler, PNDMScheduler
from tinies import couple, small_scene, tiny_composer

from multiid import Composer, Identity, SceneError
from multiid.pipeline.schedulers import SCHEDULERS, evaluations_per_step, make_scheduler

CONFIG = EulerDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012).config


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_each_name_is_its_class_with_its_settings_on_the_models_own(name: str) -> None:
    kind, settings = SCHEDULERS[name]
    scheduler = make_scheduler(name, CONFIG)
    assert type(scheduler).__name__ == kind
    for key, value in settings.items():
        assert scheduler.config[key] == value
    assert scheduler.config.beta_start == CONFIG.beta_start
    assert "use_karras_sigmas" not in CONFIG or not CONFIG.use_karras_sigmas  # the model's own is left alone


@pytest.mark.parametrize("name", SCHEDULERS)
def test_names_say_what_is_set(name: str) -> None:
    scheduler = make_scheduler(name, CONFIG)
    config = scheduler.config
    assert bool(config.get("use_karras_sigmas")) == name.endswith("-karras")
    assert (config.get("timestep_spacing") == "trailing") == name.endswith("-trailing")
    assert ("sde" in config.get("algorithm_type", "")) == ("-sde" in name)
    assert ("Ancestral" in type(scheduler).__name__) == name.endswith("-ancestral")


@pytest.mark.parametrize("steps", [1, 2, 3, 30, 50])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_sampler_has_countable_steps(name: str, steps: int) -> None:
    scheduler = make_scheduler(name, CONFIG)
    before = repr(scheduler)
    evaluations = evaluations_per_step(scheduler, steps)
    assert evaluations == (2 if name == "heun" else 1)
    scheduler.set_timesteps(steps)
    assert len(scheduler.timesteps) == evaluations * steps - (evaluations - 1)
    assert repr(scheduler) == before


def test_counting_leaves_the_sampler_as_it_was() -> None:
    scheduler = make_scheduler("euler", CONFIG)
    before = scheduler.timesteps.clone()
    evaluations_per_step(scheduler, 7)
    assert torch.equal(scheduler.timesteps, before)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 3])
def test_every_sampler_makes_a_picture_of_its_own(
    composer: Composer, people: list[Identity], name: str, steps: int
) -> None:
    latents = composer.compose(small_scene(people, scheduler=name, steps=steps), output_type="latent").latents
    assert latents is not None
    assert latents.isfinite().all()
    assert composer.pipeline.scheduler.config.get("use_karras_sigmas") in (None, False)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(SceneError, match="but got 'dpm-karras'; did you mean 'dpm\\+\\+-karras'"):
        make_scheduler("dpm-karras", CONFIG)
    with pytest.raises(SceneError, match="but got 'zzz'; known are euler, euler-karras,"):
        make_scheduler("zzz", CONFIG)


def test_steps_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(SceneError, match="PNDMScheduler makes 4 in 3 steps"):
        evaluations_per_step(PNDMScheduler.from_config(CONFIG, skip_prk_steps=True), 3)


def test_steps_that_a_sampler_cannot_make_are_refused() -> None:
    with pytest.raises(SceneError, match="steps: expected a number that LCMScheduler can make, but got 51"):
        evaluations_per_step(make_scheduler("lcm", CONFIG), 51)


def test_nothing_late_needs_no_steps_told_apart_but_still_possible_ones() -> None:
    pndm = PNDMScheduler.from_config(CONFIG, skip_prk_steps=True)
    assert evaluations_per_step(pndm, 3, late=False) == 1
    with pytest.raises(SceneError, match="take fewer steps"):
        evaluations_per_step(make_scheduler("lcm", CONFIG), 51, late=False)
