#!/usr/bin/env python3
"""A worker: takes the oldest waiting job, works 0.4 s on it, and finishes the job in hand before it ends."""

import os
import signal
import time

from jobs import connect

CLAIM = """update jobs set state = 'running', worker = ?
           where id = (select id from jobs where state = 'waiting' order by id limit 1) returning id"""

name = os.environ["PS"]  # worker.1
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # TERM waits while a job is in hand
connection = connect()
connection.execute("update jobs set state = 'waiting' where state = 'running' and worker = ?", [name])  # of a killed one before

while signal.SIGTERM not in signal.sigpending():
    job = connection.execute(CLAIM, [name]).fetchall()
    time.sleep(0.4 if job else 0.1)
    if job:
        connection.execute("update jobs set state = 'done' where id = ?", job[0])
