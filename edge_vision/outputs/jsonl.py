"""One JSON object per analysed frame, one per line: to a file, or to standard output."""

import errno
import json
import os
import stat
import sys
from pathlib import Path
from typing import Literal

from edge_vision.config_outputs import JsonlConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.base import Picture
from edge_vision.outputs.queue import QueuedOutput
from edge_vision.outputs.reasons import reason_of
from edge_vision.results import Analysed

_QUEUE = 32
"""Scenes that may wait; each is a few hundred bytes."""


class ReaderGoneError(OutputError):
    """Whoever read the lines has closed the pipe (`| head -1`): a wish to stop, not a failure."""

    reader_gone = True
    exit_code = 0


class JsonlOutput(QueuedOutput[Analysed]):
    """Appends lines to a file, or writes them to standard output when the path is "-".

    Each line is written at once and whole; when a write fails, a file is cut back to its last
    complete line.
    """

    name = "jsonl"
    wants: Literal["scenes", "pictures"] = "scenes"

    def __init__(self, config: JsonlConfig, *, patient: bool = False) -> None:
        super().__init__(patient=patient, capacity=_QUEUE)
        self._path = config.path or "-"
        self._title = "standard output" if self._path == "-" else self._path
        self._fd = -1
        self._is_file = False
        self._complete_bytes = 0
        self.lines = 0

    def _open(self) -> None:
        try:
            if self._path == "-":
                if sys.stdout is not None:
                    sys.stdout.flush()
                # The descriptor itself: nothing is left in Python's buffer for the exit to flush.
                self._fd = os.dup(1)
            else:
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
                self._fd = os.open(Path(self._path).expanduser(), flags, 0o644)
            self._is_file = stat.S_ISREG(os.fstat(self._fd).st_mode)
            if self._is_file and self._path != "-":
                self._end_broken_line()
            if self._is_file:
                self._complete_bytes = os.lseek(self._fd, 0, os.SEEK_CUR)
        except OSError as error:
            raise OutputError(
                f"cannot write {self._title}: {reason_of(error)}; "
                "give outputs.jsonl.path a file in a folder that can be written, or -"
            ) from error

    def _end_broken_line(self) -> None:
        """A power cut may have left half a line; ours begin on a line of their own."""
        end = os.lseek(self._fd, 0, os.SEEK_END)
        if end > 0 and os.pread(self._fd, 1, end - 1) != b"\n":
            self._put(b"\n")

    def _pack(self, item: Analysed | Picture) -> Analysed:
        assert isinstance(item, Analysed)
        return item

    def _write(self, job: Analysed) -> None:
        try:
            self._put(line_of(job).encode())
        except OSError as error:
            raise self._gave_up(error) from error
        self.lines += 1
        if self._is_file:
            self._complete_bytes = os.lseek(self._fd, 0, os.SEEK_CUR)

    def _put(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def _gave_up(self, error: OSError) -> OutputError:
        if error.errno in (errno.EPIPE, errno.ECONNRESET):
            return ReaderGoneError(f"{self._title}: the reader is gone after {self.lines} lines")
        kept = ""
        if self._is_file:
            try:
                os.ftruncate(self._fd, self._complete_bytes)
                kept = "; the file ends with its last complete line"
            except OSError:
                kept = "; the file may end with half a line"
        return OutputError(f"{self._title}: {reason_of(error)} after {self.lines} lines{kept}")

    def _finish(self) -> None:
        fd, self._fd = self._fd, -1
        try:
            os.close(fd)
        except OSError as error:  # network file systems report a lost write here
            raise OutputError(f"{self._title}: {reason_of(error)} on closing") from error


def line_of(analysed: Analysed) -> str:
    """The line of one analysed frame, with its line end.

    Keys: seq; exposed_ns; latency_ms, from exposure to the result, 3 digits, null where the frame
    carries no such time; detections, as `Detections.to_list` gives them; tracks, as
    `Track.to_dict` does.
    """
    scene, stamps = analysed.scene, analysed.stamps
    done_ns = stamps.tracked or stamps.inferred
    latency_ms = round((done_ns - stamps.exposed) / 1e6, 3) if done_ns and stamps.exposed else None
    values = {
        "seq": scene.seq,
        "exposed_ns": scene.exposed_ns,
        "latency_ms": latency_ms,
        "detections": scene.detections.to_list(scene.labels),
        "tracks": [track.to_dict(scene.labels) for track in scene.tracks],
    }
    return json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n"
