"""`multiid schema`: the formats of the files that users write."""

import json

import click

__all__ = ["command"]


@click.command()
@click.argument("kind", type=click.Choice(["preset", "scene", "story", "suite", "template"]))
def command(kind: str) -> None:
    """Print the JSON schema of scene.yaml, story.yaml, a pose template, a preset or a suite.

    For editors and validators.
    """
    import multiid

    schemas = {
        "preset": multiid.preset_schema,
        "scene": multiid.scene_schema,
        "story": multiid.story_schema,
        "suite": multiid.suite_schema,
        "template": multiid.template_schema,
    }
    click.echo(json.dumps(schemas[kind](), indent=2, ensure_ascii=False))
