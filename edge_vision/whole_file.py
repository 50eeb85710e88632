"""Files replaced as a whole: readers, and a power cut, find the old one or the new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(file: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file beside `file`, to write to; at the end of the block it is on the disk in its place.

    After an exception the old one stays as it was.  mode: of the new one, less the umask.
    Raises OSError.
    """
    partial = file.with_name(file.name + ".partial")
    with suppress(FileNotFoundError):
        partial.unlink()  # left by a power cut; whoever may have made it, its mode is not ours
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
