"""A flood of HTTP requests over kept connections, from a process of its own: `python load.py PORT CONNECTIONS < requests`.

Each line of the input is a whole request in base64. Prints answers a second, the p50 and p99 of their time, and how many
answers had which status. A connection that breaks ends its share.
"""

import asyncio
import base64
import json
import sys
import time
from collections import Counter


async def client(port, requests, times, statuses):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        started = time.perf_counter()
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


async def flood(port, connections, requests):
    times, statuses = [], Counter()
    started = time.perf_counter()
    shares = (requests[number::connections] for number in range(connections))
    await asyncio.gather(*(client(port, share, times, statuses) for share in shares if share))
    seconds = time.perf_counter() - started
    times.sort()
    told = {"rate": len(times) / seconds, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
    print(json.dumps(told | {"statuses": statuses}))


if __name__ == "__main__":
    asyncio.run(flood(int(sys.argv[1]), int(sys.argv[2]), [base64.b64decode(line) for line in sys.stdin]))
