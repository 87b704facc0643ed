"""Read a metric as the output of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from autoscaler.model import Help, Reading
from autoscaler.observe.number import number_from
from autoscaler.observe.source import Poll, SourceError
from autoscaler.shell import CommandError, LateCommandError, LongOutputError, Shell, require_command

_LARGEST_OUTPUT = 65536  # bytes; a number is shorter
_SHARE_OF_TIME = 0.9  # of the poll's, so that the cause arrives in time


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSource:
    """The one number that a shell command writes to its standard output.

    The command is run by ``/bin/sh -c`` in a session of its own, in the controller's folder and environment, with nothing to
    read. It has failed when it ends with another exit code than 0, writes anything but one number, or is still running at the
    poll's deadline. When it ends, well or badly, whatever it left behind in its process group is killed.
    """

    command: Annotated[str, Help("shell command that writes one number")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a command that cannot be run."""
        require_command(self.command, "command", "a shell command that prints one number")

    def read(self, poll: Poll) -> Reading:
        """Run the command and return its number; raise ``SourceError`` when there is none."""
        shell = Shell(timeout_seconds=_SHARE_OF_TIME * poll.timeout_seconds, largest_output=_LARGEST_OUTPUT)
        try:
            finished = shell.run(self.command)
        except LateCommandError as error:
            raise SourceError(f"the command gave no answer within {poll.timeout_seconds:g} s and was killed") from error
        except LongOutputError as error:
            raise SourceError(f"{error}, not one number") from error
        except CommandError as error:
            raise SourceError(str(error)) from error
        if finished.failure:
            raise SourceError(finished.failure)
        return poll.reading(number_from(finished.output, "the command's output"))
