"""`multiid doctor`: what is here, what is missing, and what to do next."""

import click

__all__ = ["command"]


@click.command()
@click.option("--preset", help="The preset to look at closely; exit code 1 if it cannot run.  [default: sdxl]")
@click.pass_context
def command(context: click.Context, preset: str | None) -> None:
    """Say what is installed, which models are here, and what to do next.

    Nothing is downloaded, and no model is loaded. The exit code is 0 whatever is missing, unless --preset names one
    that lacks something.
    """
    import multiid
    from multiid.doctor.diagnosis import diagnose
    from multiid.doctor.machine import look_around
    from multiid.doctor.report import describe

    # Looked up first: a name that is wrong shows at once.
    chosen = multiid.find_preset(preset or "sdxl")
    machine = look_around()
    diagnosis = diagnose(chosen, machine)
    click.echo(describe(machine, multiid.list_presets(), diagnosis))
    if preset is not None and not diagnosis.runs:
        context.exit(1)
