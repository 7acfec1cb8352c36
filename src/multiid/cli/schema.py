"""`multiid schema`: the formats of the files that users write."""

import json

import click

__all__ = ["command"]


@click.command()
@click.argument("kind", type=click.Choice(["preset", "scene", "template"]))
def command(kind: str) -> None:
    """Print the JSON schema of scene.yaml, of a pose template or of a preset file, for editors and validators."""
    import multiid

    schemas = {"preset": multiid.preset_schema, "scene": multiid.scene_schema, "template": multiid.template_schema}
    click.echo(json.dumps(schemas[kind](), indent=2, ensure_ascii=False))
