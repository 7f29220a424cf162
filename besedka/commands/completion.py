"""``besedka completion``: shell completion of Besedka's commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print the script for shell completion.",
    epilog="""\b
Examples:
  besedka completion bash > ~/.local/share/bash-completion/completions/besedka
  besedka completion zsh > ~/.zfunc/_besedka       (with ~/.zfunc in fpath)
  besedka completion fish > ~/.config/fish/completions/besedka.fish""",
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script with which SHELL completes commands, options and their values.

    Or have the shell read it at each start: eval "$(besedka completion bash)" in ~/.bashrc, the same with zsh in ~/.zshrc
    behind compinit, besedka completion fish | source in ~/.config/fish/config.fish.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind  # noqa: S101 - SHELLS are those that click knows
    root = click.get_current_context().find_root()
    script = kind(root.command, {}, "besedka", "_BESEDKA_COMPLETE").source()
    # The script of Click 8.5.1 for fish cuts a description, and a path, at its first comma.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
