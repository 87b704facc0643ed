"""Tell failures as sentences on standard error, with the exit code of their kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import click


class CommandError(click.ClickException):
    """A failure whose text is for the operator: a sentence, or one a line."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:  # Any: click's own signature
        """Print the sentence alone; a standard error that cannot be written to changes nothing."""
        with suppress(OSError):
            click.echo(self.message, file=file or sys.stderr)


class WrongConfigurationError(CommandError):
    """Wrong usage or configuration."""

    exit_code = 2


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn every error the autoscaler can name into its sentences and exit code, without a traceback."""
    # Imported here: the help text of the program needs neither.
    from autoscaler.model import AutoscalerError  # noqa: PLC0415 - see above

    try:
        yield
    except AutoscalerError as error:
        raise _failure(error) from error


def _failure(error: Exception) -> CommandError:
    from autoscaler.config import ConfigurationError  # noqa: PLC0415 - only loaded once something has failed

    return WrongConfigurationError(str(error)) if isinstance(error, ConfigurationError) else CommandError(str(error))
