"""`multiid story status`: which panels are made, who was found in them, and what a run would make."""

from pathlib import Path

import click

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

    run = multiid.StoryRun(story, output, preset=preset)
    reasons, made = run.reasons(), run.kept()
    click.echo(f"{run.document.story.title}: {len(made)} of {len(run.plan.panels)} panels are made, in {run.folder}")
    for number in run.numbers():
        if number not in made:
            followers = run.plan.followers(number)
            more = f"; {', '.join(followers)} follow{'s' * (len(followers) == 1)} it" if followers else ""
            click.echo(f"{number:<6} to make  {reasons[number]}{more}")
            continue
        outcome = made[number].outcome
        similar = {name: f" {value:.2f}" for name, value in outcome.similarities.items()}
        people = [f"{name} {status}{similar.get(name, '')}" for name, status in outcome.people.items()]
        click.echo(f"{number:<6} made     seed {made[number].seed}: {', '.join(people) or 'nobody in it'}")
    unused = run.unused()
    if not unused:
        return
    size = sum(file.stat().st_size for file in unused) / 1e6
    if prune:
        for file in unused:
            file.unlink(missing_ok=True)
    files = "1 file is" if len(unused) == 1 else f"{len(unused)} files are"
    told = "deleted" if prune else "--prune deletes them"
    click.echo(f"{files} of earlier versions, {size:.1f} MB; {told}")
