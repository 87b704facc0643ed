"""Have the shell of a command become its server, so that both have one process number."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_COMPOUND = re.compile(r"[;&|()\n`]")
_DUPLICATION = re.compile(r"[<>]&")  # 2>&1
_ASSIGNMENTS = re.compile(r"""\s*(?:[A-Za-z_]\w*=(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"\\])*\s+)*""", re.DOTALL)
_KEYWORDS = frozenset({"{", "!", "if", "for", "while", "until", "case", "time"})
_BUILTINS = frozenset({".", ":", "cd", "command", "eval", "export", "read", "set", "trap", "ulimit", "umask", "wait"})


def add_exec(command: str) -> str | None:
    """Return a simple command with ``exec`` behind its assignments; None for one whose shell must stay, because it runs more than one thing."""
    bare = _DUPLICATION.sub("", _QUOTED.sub("x", command.strip()))
    assignments = _ASSIGNMENTS.match(command.strip())
    end = assignments.end() if assignments else 0
    words = command.strip()[end:].split()
    first = words[0] if words else ""
    if first == "exec":
        return command
    if not first or _COMPOUND.search(bare) or first in _KEYWORDS | _BUILTINS or _ASSIGNMENTS.fullmatch(f"{first} "):
        return None
    return f"{command.strip()[:end]}exec {command.strip()[end:]}"
