"""Print the script that lets a shell complete the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(autoscaler completion bash)"          in ~/.bashrc
    zsh:  eval "$(autoscaler completion zsh)"           in ~/.zshrc
    fish: autoscaler completion fish | source           in ~/.config/fish/config.fish
    """  # noqa: D301 - \b keeps click from folding these lines
    script = get_completion_class(shell)
    if script is None:
        raise click.BadParameter(f"{shell} is not known to this version of click; update click")
    click.echo(script(context.find_root().command, {}, "autoscaler", "_AUTOSCALER_COMPLETE").source())
