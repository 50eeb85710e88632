"""One who listens to events: written to directly, skipped while busy, cut off when dead."""

import asyncio
from typing import Any

from edge_vision.outputs.web import events
from edge_vision.outputs.web.events import Listener


class Wire(asyncio.WriteTransport):
    """A connection whose other end takes `open` bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.waiting = 0
        self.closing = self.aborted = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = self.closing = True


async def _listener(wire: Wire) -> Listener:
    return Listener(wire, asyncio.get_running_loop().create_future(), chunked=True)


def test_a_dead_listener_is_cut_off_after_ten_seconds() -> None:
    async def play() -> None:
        wire = Wire()
        listener = await _listener(wire)
        listener.write(b"a", b"A", 0.0)
        wire.waiting = 500
        listener.write(b"b", b"B", 1.0)
        wire.waiting = 400  # it still takes something
        listener.write(b"c", b"C", 9.0)
        listener.write(b"d", b"D", 18.9)
        assert (wire.written, wire.aborted, listener.gone.done()) == ([b"A"], False, False)
        listener.write(b"e", b"E", 19.1)
        assert wire.aborted
        assert listener.gone.done()
        assert wire.written == [b"A"]

    asyncio.run(play())


def test_one_that_has_taken_all_is_written_to_again() -> None:
    async def play() -> None:
        wire = Wire()
        listener = await _listener(wire)
        wire.waiting = 7
        listener.write(b"a", b"A", 0.0)
        wire.waiting = 0
        listener.write(b"b", b"B", 100.0)
        assert wire.written == [b"B"]
        wire.closing = True
        assert not listener.look(101.0)
        assert listener.gone.done()

    asyncio.run(play())


def test_silence_is_told_every_fifteen_seconds() -> None:
    async def play() -> None:
        wire = Wire()
        told = events.Events(lambda: (-1, b""))
        told._add(await _listener(wire), asyncio.get_running_loop())
        begin = told._told_s
        told.look(begin + 10)
        assert wire.written == []
        told.look(begin + 15)
        assert wire.written == [b"9\r\n: alive\n\n\r\n"]
        told.look(begin + 20)
        assert len(wire.written) == 1
        told.close()

    asyncio.run(play())
