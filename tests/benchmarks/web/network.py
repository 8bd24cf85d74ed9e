"""A slow line: a proxy on the loopback with the delay and the bandwidth of a phone's network.

The browser's own throttling (CDP `Network.emulateNetworkConditions`) delays each request but
not each connection, shares no bandwidth between them, and does not slow what a media element
has on its way; so the line is between the processes instead. All connections share one lane
down and one up, first come first served; every byte is half a round trip under way, a new
connection costs a round trip more, and each begins slowly as TCP does.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FIRST_WINDOW = 10 * 1460
QUEUE = 4  # round trips of data that wait on the way before a sender holds back
PIECE = 4 * 1460


@dataclass(frozen=True)
class Line:
    """A network: bits a second each way, and the round trip in seconds."""

    name: str
    down: float
    up: float
    trip: float


PHONE = Line("4 Mbit/s, 100 ms", 4e6, 1e6, 0.1)
SLOW = Line("1.6 Mbit/s, 150 ms", 1.6e6, 0.75e6, 0.15)


class Lane:
    """One direction of a line: bytes leave it in order and no faster than its rate."""

    def __init__(self, rate: float, trip: float) -> None:
        self.rate = rate
        self.trip = trip
        self.widest = max(FIRST_WINDOW, int(QUEUE * rate * trip / 8))
        self.free_at = 0.0

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float
    ) -> None:
        """Move everything from one side to the other; the first bytes are `late` seconds late."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        window = Window(self.widest)
        delivery = asyncio.create_task(self._deliver(queue, writer, window))
        not_before = loop.time() + late
        try:
            while data := await reader.read(PIECE):
                await window.enter(len(data))
                start = max(loop.time(), self.free_at, not_before)
                self.free_at = start + len(data) * 8 / self.rate
                queue.put_nowait((self.free_at + self.trip / 2, data))
            queue.put_nowait((loop.time() + self.trip / 2, b""))
            await delivery
        finally:
            delivery.cancel()

    async def _deliver(
        self,
        queue: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        window: "Window",
    ) -> None:
        loop = asyncio.get_running_loop()
        broken = False
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            if not broken:
                try:
                    writer.write(data)
                    await writer.drain()
                except OSError:
                    broken = True
            # The receipt is half a trip under way; only then the sender may send more.
            loop.call_later(self.trip / 2, window.leave, len(data))
        if not broken and writer.can_write_eof():
            writer.write_eof()


class Window:
    """How much one connection may have under way; grows with what arrived (TCP's slow start)."""

    def __init__(self, widest: int) -> None:
        self.size = FIRST_WINDOW
        self.widest = widest
        self.used = 0
        self.room = asyncio.Event()

    async def enter(self, count: int) -> None:
        """Wait until `count` bytes fit."""
        while self.used and self.used + count > self.size:
            self.room.clear()
            await self.room.wait()
        self.used += count

    def leave(self, count: int) -> None:
        """`count` bytes have arrived."""
        self.used -= count
        self.size = min(self.widest, self.size + count)
        self.room.set()


async def serve(line: Line, port: int) -> None:
    """Forward connections to `port` on this machine until cancelled; says its own port first."""
    down, up = Lane(line.down, line.trip), Lane(line.up, line.trip)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ways = [
            asyncio.create_task(up.carry(reader, far_writer, line.trip)),
            asyncio.create_task(down.carry(far_reader, writer, 0)),
        ]
        try:
            # Whoever hangs up ends both: what a browser no longer wants must not use the line.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            far_writer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


@contextmanager
def slow_line(line: Line, port: int) -> Iterator[str]:
    """Put a line in front of the product at `port`; yields the address for the browser.

    It is a process of its own, so that neither the browser's driver nor the line waits for
    the other.
    """
    command = [sys.executable, "-m", __name__, str(port)]
    command += [str(number) for number in (line.down, line.up, line.trip)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Run one line; started by `slow_line`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    for name in ("down", "up", "trip"):
        parser.add_argument(name, type=float)
    options = parser.parse_args()
    line = Line("", options.down, options.up, options.trip)
    try:
        asyncio.run(serve(line, options.port))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
