"""HTTP requests over kept connections, from a process of its own: `python load.py PORT CONNECTIONS [RATE] < requests`.

Each line of the input is a whole request in base64. Without a rate it is a flood, each connection asking again as soon as it is
answered; with one, request n leaves n / RATE seconds after the first, and its time counts from then, however busy the
connections are. Prints answers a second, the p50 and p99 of their time, and how many answers had which status. A
connection that breaks ends its share.
"""

import asyncio
import base64
import json
import sys
import time
from collections import Counter


async def client(port, requests, times, statuses):
    """Send requests, each at its moment or (None) at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for due, request in requests:
        if due is not None:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        started = due or time.perf_counter()
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        statuses[head[9:12].decode()] += 1
    writer.close()


async def load(port, connections, rate, requests):
    times, statuses = [], Counter()
    started = time.perf_counter()
    timed = [(started + 0.2 + number / rate if rate else None, one) for number, one in enumerate(requests)]
    shares = (timed[number::connections] for number in range(connections))
    await asyncio.gather(*(client(port, share, times, statuses) for share in shares if share))
    seconds = time.perf_counter() - started
    times.sort()
    told = {"rate": len(times) / seconds, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
    print(json.dumps(told | {"statuses": statuses}))


if __name__ == "__main__":
    port, connections, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None
    asyncio.run(load(port, connections, rate, [base64.b64decode(line) for line in sys.stdin]))
