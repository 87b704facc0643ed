"""Spend a known time on real work, so that the capacity of a demo process is known."""

from __future__ import annotations

import hashlib
import time

REQUEST_SECONDS = 0.1  # one web process answers 10 requests a second
JOB_SECONDS = 0.4  # one worker finishes 2.5 jobs a second
_HASH_ROUNDS = 5000  # 1 to 3 ms of computing: two busy cores carry every process of the demo


def work(seconds: float) -> None:
    """Compute a short hash, then wait as for an upstream call, ``seconds`` in all."""
    until = time.monotonic() + seconds
    hashlib.pbkdf2_hmac("sha256", b"demo", b"salt", _HASH_ROUNDS)
    time.sleep(max(0.0, until - time.monotonic()))
