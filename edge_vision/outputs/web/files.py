"""Files of events, sent in parts: read by threads of their own, as a disk may keep one waiting.

aiohttp's FileResponse calls sendfile(2) in the event loop, which stands still with the disk.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from aiohttp import web

from edge_vision.outputs.web.problem import Problem

_THREADS = 2
_PART_BYTES = 256 << 10

T = TypeVar("T")


class Disk:
    """Threads that may wait for the disk; made when one is needed first."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "web disk")

    async def do(self, what: Callable[[], T]) -> T:
        """What it returns, or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, what)

    def later(self, what: Callable[[], object]) -> None:
        """Do it, and wait for nothing."""
        self._pool.submit(what)

    def close(self) -> None:
        """No more work; nobody waits for a thread that the disk keeps waiting."""
        self._pool.shutdown(wait=False)


class _Opened(NamedTuple):
    """A file; bytes: how much of it is to be sent.  tag: another one for other content."""

    file: BinaryIO
    bytes: int
    tag: str


async def send_file(
    request: web.Request,
    disk: Disk,
    path: Path,
    headers: dict[str, str],
    *,
    done: bool = True,
) -> web.StreamResponse:
    """A file, or the range of it that is asked for (RFC 9110, 14).

    done: False for a clip that is still being written: of it whole fragments are sent.
    Raises Problem 404 where there is no such file, or nothing to be played in it yet.
    """
    opened = await disk.do(lambda: _open(path, done=done))
    try:
        if not opened.bytes:
            raise Problem(404, "Nothing of it can be played yet; try again in some seconds.")
        return await _answer(request, disk, opened, headers)
    finally:
        disk.later(opened.file.close)


async def _answer(
    request: web.Request, disk: Disk, opened: _Opened, headers: dict[str, str]
) -> web.StreamResponse:
    tag = f'"{opened.tag}"'
    # A picture may be replaced by a better one: a browser that has it asks whether it still holds.
    headers = {"Cache-Control": "private, no-cache", "ETag": tag, **headers}
    if any(known.value in (opened.tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    size = opened.bytes
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", tag) != tag:
        wanted = ""  # it was of another version: all of this one
    found = _range(request, size) if wanted else (0, size)
    if found is None:
        raise Problem(
            416,
            f"Range: {wanted[:60]!r} is not in the file of {size} bytes; expected one range of "
            "bytes, such as bytes=0-99",
            headers={"Content-Range": f"bytes */{size}"},
        )
    begin, end = found
    headers["Accept-Ranges"] = "bytes"
    if wanted:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if wanted else 200, headers=headers)
    response.content_length = end - begin
    await response.prepare(request)
    if request.method == "GET":
        await _send(response, disk, opened.file, begin, end)
    return response


async def _send(
    response: web.StreamResponse, disk: Disk, file: BinaryIO, begin: int, end: int
) -> None:
    at = begin
    while at < end:
        count = min(_PART_BYTES, end - at)
        part = await disk.do(partial(os.pread, file.fileno(), count, at))
        if not part:
            raise ConnectionError("the file was cut off meanwhile")
        await response.write(part)
        at += len(part)
    await response.write_eof()


def _range(request: web.Request, size: int) -> tuple[int, int] | None:
    """Begin and end of the range asked for; None where there is nothing of it."""
    try:
        asked = request.http_range
    except ValueError:
        return None
    begin, end = asked.start or 0, size if asked.stop is None else min(asked.stop, size)
    if begin < 0:  # the last ones
        begin = max(0, size + begin)
    return (begin, end) if begin < end else None


def _open(path: Path, *, done: bool) -> _Opened:
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        raise Problem(404, "The file is gone: it was removed, or its disk is not there.") from None
    try:
        about = os.fstat(file.fileno())
        size = about.st_size if done else whole_bytes(file.fileno(), about.st_size)
    except BaseException:
        file.close()
        raise
    return _Opened(file, size, f"{about.st_mtime_ns:x}-{size:x}")


def whole_bytes(fd: int, size: int) -> int:
    """How much of an MP4 file that is being written can be played: up to its last whole fragment.

    size: of the file, bytes.  0 before the first fragment.
    """
    at = end = 0
    index = False
    while (head := os.pread(fd, 16, at)) and len(head) == 16:
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or at + length > size:
            break
        at += length
        index = index or kind == b"moov"
        if kind == b"mdat" and index:
            end = at
    return end
