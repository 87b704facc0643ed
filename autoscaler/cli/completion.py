"""Print the script that lets a shell complete the command line."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(autoscaler completion bash)"          in ~/.bashrc
    zsh:  eval "$(autoscaler completion zsh)"           in ~/.zshrc
    fish: autoscaler completion fish | source           in ~/.config/fish/config.fish
    """  # noqa: D301 - \b keeps click from folding these lines
    click.echo(SHELLS[shell](context.find_root().command, {}, "autoscaler", "_AUTOSCALER_COMPLETE").source())
