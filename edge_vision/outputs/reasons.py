"""Why a file could not be written, in words."""

import errno

_WORDS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file has reached the largest size allowed",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder",
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EIO: "the device reports a read or write error",
}


def reason_of(error: OSError) -> str:
    """The system's reason in a few words."""
    return _WORDS.get(error.errno or 0) or error.strerror or str(error)
