#!/usr/bin/env python3
"""Offer a load for a while: a quiet third, a busy third, a quiet third. ``python3 load.py [SECONDS] [ADDRESS]``."""

import sys
import threading
import time
import urllib.error
import urllib.request

seconds = min(600.0, float(sys.argv[1])) if sys.argv[1:] else 60.0
address = sys.argv[2] if sys.argv[2:] else "http://127.0.0.1:8000"
results: list[bool] = []
places = threading.Semaphore(100)  # never more requests than this at a time


def ask(path: str) -> None:
    """Send one request; every third leaves a job."""
    try:
        with urllib.request.urlopen(address + path, data=b"" if path == "/jobs" else None, timeout=10) as response:
            results.append(response.status == 200)
    except (urllib.error.URLError, OSError):
        results.append(False)
    finally:
        places.release()


began, sent = time.monotonic(), 0
while (elapsed := time.monotonic() - began) < seconds:
    places.acquire()
    threading.Thread(target=ask, args=["/jobs" if sent % 3 == 0 else "/"], daemon=True).start()
    sent += 1
    time.sleep(1 / 24 if seconds / 3 < elapsed < 2 * seconds / 3 else 1 / 3)

while len(results) < sent:
    time.sleep(0.1)
print(f"{sum(results)} of {sent} requests answered; every third asked for a job")
