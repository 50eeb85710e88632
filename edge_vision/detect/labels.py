"""Label files as they come with SSD models.

One name a line, line k for class k; the first line may be a background (`???`, `background`).
Or `<number> <name>` on every line: numbers from 0 are classes, numbers from 1 are COCO's ids, which
have gaps (80 names, ids up to 90).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from edge_vision.errors import ModelError

_BACKGROUND = re.compile(r"[\W_]*background[\W_]*|\?+|_+|unlabell?ed|n/a", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d{1,6})[\s:,]+(\S.*)")
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class LabelTable:
    """names: class id -> name, ids from 1.  why: what the lines were taken for.

    class_ids: the id of class 0, 1, ... of the network; empty where class k simply has id k + 1.
    classes: number of classes it stands for; None where gaps in its numbers leave that open.
    """

    names: dict[int, str]
    why: str
    class_ids: tuple[int, ...] = ()
    classes: int | None = None


def label_table(path: Path, counts: tuple[int, ...]) -> LabelTable:
    """The labels of a network.

    counts: the numbers of classes it may have, not counting a background; empty = unknown.

    Raises ModelError when the file is missing, no text, empty, or has too few or too many labels.
    """
    lines = _lines(path)
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    pairs = [(int(match[1]), match[2].strip()) for match in numbered if match is not None]
    if len(pairs) == len(lines):
        return _numbered(path, pairs, counts)
    first = bool(_BACKGROUND.fullmatch(lines[0]))
    names = lines[1:] if first else lines
    what = f"its first line, {lines[0]!r}, " + (
        "is the background, so line 2 is class 0" if first else "is class 0"
    )
    _check_count(path, len(names), counts, first)
    kept = {number: name for number, name in enumerate(names, 1) if not _BACKGROUND.fullmatch(name)}
    return LabelTable(kept, what, classes=len(names))


def unnamed(classes: int) -> LabelTable:
    """The table without a label file: `class 1`, `class 2`, ..."""
    names = {number: f"class {number}" for number in range(1, classes + 1)}
    return LabelTable(names, "no label file was given (model.labels)")


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ModelError(f"the label file {path} is over 1 MB long; expected one name a line")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ModelError(f"the label file {path} does not exist; see model.labels") from None
    except UnicodeDecodeError:
        raise ModelError(
            f"the label file {path} is not text in UTF-8; expected one name a line"
        ) from None
    except OSError as error:
        raise ModelError(f"the label file {path} cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise ModelError(f"the label file {path} is binary; expected one name a line")
    lines = [line.strip() for line in text.strip("\r\n").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if not any(lines):
        raise ModelError(f"the label file {path} is empty; expected one name a line")
    if "" in lines:
        raise ModelError(
            f"{path}:{lines.index('') + 1}: an empty line; every line stands for a class, "
            "write ??? for one without a name"
        )
    return lines


def _numbered(path: Path, pairs: list[tuple[int, str]], counts: tuple[int, ...]) -> LabelTable:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ModelError(f"{path}: two lines have the same number; expected each once")
    from_one = 0 not in names or _BACKGROUND.fullmatch(names[0]) is not None
    what = f"every line has a number, {int(from_one)} for class 0"
    names = {k + (not from_one): name for k, name in names.items() if k or not from_one}
    largest = max(names, default=0)
    if len(names) == largest:
        _check_count(path, largest, counts, from_one and len(pairs) > largest)
        return LabelTable(names, what, classes=largest)
    if not counts or largest <= max(counts):
        return LabelTable(names, what)
    # More ids than classes: the network has none for the gaps, as those trained on 80 classes.
    _check_count(path, len(names), counts, False)
    what = "every line has a number, line k names class k"
    return LabelTable(names, what, tuple(names), len(names))


def _check_count(path: Path, found: int, counts: tuple[int, ...], background: bool) -> None:
    if not counts or found in counts:
        return
    beside = " beside the background" if background else ""
    raise ModelError(
        f"the label file {path} has too {'few' if found < max(counts) else 'many'} labels: {found}"
        f"{beside}; the model has {' or '.join(map(str, counts))} classes, expected one line for "
        "each (??? where a class has no name)"
    )
