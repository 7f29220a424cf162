"""What all commands share: options that can come from the environment, and how a failure is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class Failure(click.ClickException):
    """Something went wrong that is not a mistake in the command line."""


def setting(option: str, **how: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that can also be set in the environment: ``--port`` as ``BESEDKA_PORT``."""
    variable = f"BESEDKA_{option.removeprefix('--').replace('-', '_').upper()}"
    return click.option(option, envvar=variable, show_envvar=True, show_default="default" in how, **how)
