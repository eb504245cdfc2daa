"""requests-cache as a subject, in the manner of `worker.ts`.

It is given the channel of Node's `fork`, lines of JSON, by `NODE_CHANNEL_FD`.
"""

import json
import os
import socket
import statistics
import sys
import time

import requests_cache

name, place, _concurrency = sys.argv[1:4]
place = json.loads(place)
parent = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
parent.setblocking(True)
channel = parent.makefile("rw", encoding="utf-8", newline="\n")
url = f"{place['origin']}/{place['bytes']}/item-{os.path.basename(place['folder'])}"

# Its fastest: nothing waits for the disk, and the origin's headers are not looked at.
if name == "requests-cache, memory":
    session = requests_cache.CachedSession(backend="memory", expire_after=3600)
else:
    session = requests_cache.CachedSession(os.path.join(place["folder"], "requests-cache"), backend="sqlite", fast_save=True, expire_after=3600)


def send(message):
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def read(response):
    return {"json": response.json, "text": lambda: response.text, "buffer": lambda: response.content}[place["read"]]()


def check():
    # Asked beside the cache, the origin says what is right.
    with session.cache_disabled():
        expected = read(session.get(url))
    session.get(url)
    response = session.get(url)
    assert response.from_cache, "no hit"
    assert read(response) == expected, "another body"


def round_of(milliseconds):
    samples = []
    start = end = time.perf_counter_ns()
    cpu = time.process_time_ns()
    while end - start < milliseconds * 1e6:
        before = time.perf_counter_ns()
        read(session.get(url))
        end = time.perf_counter_ns()
        samples.append(end - before)
    return {
        "p50": statistics.median(samples) / 1000,
        "mean": (end - start) / len(samples) / 1000,
        "cpu": (time.process_time_ns() - cpu) / len(samples) / 1000,
    }


check()
send("ready")
for line in channel:
    message = json.loads(line)
    if message == "close":
        check()
        send("closed")
        break
    send(round_of(message))
