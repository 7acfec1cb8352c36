"""What has changed since a story's last run, as its manifest tells, and panels that are to be made again."""

from collections.abc import Iterable, Mapping

from multiid.pipeline.scene import MOST_SEED
from multiid.story.plan import StoryPlan
from multiid.story.store import KeptPanel, Store

__all__ = ["keep_manifest", "reasons_to_make", "redo_panels"]


def reasons_to_make(plan: StoryPlan, store: Store) -> dict[str, str]:
    """Why each panel whose picture is not there has to be made, by its number, in reading order."""
    before: Mapping[str, Mapping[str, object]] = store.manifest().get("panels", {})
    reasons: dict[str, str] = {}
    for number, panel in plan.panels.items():
        if store.recall(panel.key) is not None:
            continue
        old = before.get(number)
        if old is None or old.get("key") == panel.key:
            reasons[number] = "not made yet"
        elif old.get("shown") != panel.shown:
            reasons[number] = "what it shows has changed"
        elif old.get("seed") != panel.seed:
            reasons[number] = f"it has another seed, {panel.seed}"
        else:
            followed = ", ".join(f"{name} as in {anchor}" for name, anchor in panel.anchors.items())
            reasons[number] = f"what it follows has changed: {followed or 'nothing any more'}"
    return reasons


def redo_panels(plan: StoryPlan, store: Store, numbers: Iterable[str], seed: int | None) -> None:
    """Has panels made with another seed from now on, as long as they show the same; plan again afterwards.

    Args:
        plan: as it is.
        store: keeps the seeds.
        numbers: of the panels.
        seed: for all of them; one that no attempt has had where None.

    Raises:
        OutputError: when the folder cannot be written.
    """
    attempts = plan.document.story.style.attempts
    for number in numbers:
        panel = plan.panels[number]
        store.keep_seed(panel.shown, (panel.seed + attempts) % (MOST_SEED + 1) if seed is None else seed)


def keep_manifest(plan: StoryPlan, store: Store, kept: Mapping[str, KeptPanel]) -> None:
    """Writes which picture is which panel, and who was found in it.

    Args:
        plan: of the story.
        store: where to.
        kept: the pictures that are there, by panel.

    Raises:
        OutputError: when it cannot be written.
    """
    panels = {
        number: {
            "key": panel.key,
            "shown": panel.shown,
            "seed": panel.seed,
            "follows": dict(panel.anchors),
            "made": kept[number].to_data(),
        }
        for number, panel in plan.panels.items()
        if number in kept
    }
    # Panels that were not made this time keep what they were: so a later run still tells what has changed.
    before = {number: entry for number, entry in store.manifest().get("panels", {}).items() if number in plan.panels}
    store.keep_manifest({"title": plan.document.story.title, "panels": {**before, **panels}})
