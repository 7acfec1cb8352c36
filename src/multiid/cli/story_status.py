"""`multiid story status`: which panels are made, who was found in them, and what a run would make."""

from pathlib import Path

import click

from multiid.cli.story_folder import story_folder

__all__ = ["command"]


@click.command()
@click.argument("story", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the story. [default: STORY's name]")
@click.option("--preset", help="Set of models, as in `multiid story run`. [default: the story's]")
@click.option("--prune", is_flag=True, help="Delete pictures that no panel shows any more.")
def command(story: Path, output: Path | None, preset: str | None, prune: bool) -> None:
    """Show which panels of a STORY are made, who was found in them, and which a run would make, and why.

    Loads no model. Pictures of earlier versions of a panel stay until --prune, so that going back costs nothing.
    """
    import multiid
    from multiid.story.changes import reasons_to_make
    from multiid.story.photo_poses import PhotoPoses
    from multiid.story.plan import plan_story
    from multiid.story.store import Store

    document = multiid.load_story(story)
    chosen = multiid.find_preset(preset or document.preset or "sdxl")
    store = Store(story_folder(story, output))
    poses = PhotoPoses(store.folder / "poses", multiid.OpenPoseReader)
    plan = plan_story(document, chosen, photo_pose=poses, seeds=store.seeds())
    reasons = reasons_to_make(plan, store)
    made = len(plan.panels) - len(reasons)
    click.echo(f"{document.story.title}: {made} of {len(plan.panels)} panels are made, in {store.folder}")
    for number, panel in plan.panels.items():
        kept = store.recall(panel.key)
        if kept is None:
            followers = plan.followers(number)
            more = f"; {', '.join(followers)} follow{'s' * (len(followers) == 1)} it" if followers else ""
            click.echo(f"{number:<6} to make  {reasons[number]}{more}")
            continue
        similar = {name: f" {value:.2f}" for name, value in kept.outcome.similarities.items()}
        people = [f"{name} {status}{similar.get(name, '')}" for name, status in kept.outcome.people.items()]
        click.echo(f"{number:<6} made     seed {kept.seed}: {', '.join(people) or 'nobody in it'}")
    unused = store.unused({panel.key for panel in plan.panels.values()})
    if unused and prune:
        for file in unused:
            file.unlink(missing_ok=True)
    if unused:
        size = sum(file.stat().st_size for file in unused if file.exists()) / 1e6
        told = "deleted" if prune else f"{size:.1f} MB; --prune deletes them"
        files = "1 file is" if len(unused) == 1 else f"{len(unused)} files are"
        click.echo(f"{files} of earlier versions: {told}")
