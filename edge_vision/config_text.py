"""One value in the text of a YAML file, whose comments, order and quotes stay as they are.

The text is changed where a value stands and nowhere else: what a YAML writer would lay out anew,
such as the columns of comments or the spaces in a list, is its owner's.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

KeyNames = tuple[str, ...]
"""Names of sections, and last that of a key."""
Pair = tuple[yaml.Node, yaml.Node]

_BLOCKS = frozenset({("watch", "zones"), ("watch", "lines"), ("watch", "rules")})
"""Keys whose value has a line for each entry."""


class UnknownLayoutError(Exception):
    """The text cannot be changed at one place."""


def set_value(text: str, path: KeyNames, value: Any) -> str:
    """The text with the value at this path, put in where there is none.

    Raises UnknownLayoutError; what is returned may still be wrong: it is to be read back.
    """
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # what was put in before did not fit there
        raise UnknownLayoutError from None
    key: yaml.Node | None = None
    in_lines = bool(value) and path in _BLOCKS
    for depth, name in enumerate(path):
        pairs: Sequence[Pair] = node.value if isinstance(node, yaml.MappingNode) else ()
        pair = next((pair for pair in pairs if pair[0].value == name), None)
        if pair is None:
            if not in_lines:
                return _put_in(text, key, node, path[depth:], value)
            empty = type(value)()
            return set_value(_put_in(text, key, node, path[depth:], empty, last=True), path, value)
        in_lines = in_lines and not getattr(node, "flow_style", False)
        key, node = pair
    assert key is not None
    assert node is not None
    return (_with_lines if in_lines else _replaced)(text, key, node, value)


def _replaced(text: str, key: yaml.Node, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, _end(text, node)
    if start < key.end_mark.index:
        raise UnknownLayoutError  # an alias: the value stands elsewhere
    written = _written(value, getattr(node, "style", None))
    between, after = text[key.end_mark.index : start], text[end:]
    if "\n" in between:  # the value began on a line of its own: it goes up to its key
        first, _, rest = between.partition("\n")
        comment, more = first.partition(":")[2].rstrip(), rest.rpartition("\n")[0].rstrip()
        more = (_eol(text) if more else "") + more
        room = len(comment) - len(comment.lstrip())
        comment = " " * max(min(room, 2), room - len(written) - 1) + comment.lstrip()
        return text[: key.end_mark.index] + ": " + written + comment + more + after
    if not between.endswith(" "):
        between += " "
    gap = re.match(" +(?=#)", after)
    if gap is not None and "\n" not in text[start:end]:  # it stays in its column
        room = end - start + len(gap[0])
        written, after = written.ljust(room - 2) + "  ", after[len(gap[0]) :]
    return text[: key.end_mark.index] + between + written + after


def _with_lines(text: str, key: yaml.Node, node: yaml.Node, value: Any) -> str:
    """Each entry of a mapping or a list in a line of its own, below the key and its comments."""
    begin, end = node.start_mark.index, _end(text, node)
    if begin < key.end_mark.index:
        raise UnknownLayoutError
    eol, indent = _eol(text), " " * (key.start_mark.column + 2)
    if isinstance(value, dict):
        lines = {name: f"{_written(name)}: {_written(entry)}" for name, entry in value.items()}
    else:
        lines = {entry["name"]: f"- {_written(entry)}" for entry in value}
    said = _comments(text, node)
    written = "".join(f"{indent}{line}{said.get(name, '')}{eol}" for name, line in lines.items())
    if "\n" in text[key.end_mark.index : begin]:
        first = begin - node.start_mark.column
        return text[:first] + written + text[_next_line(text, end) :]
    after = _next_line(text, end)
    comment = text[end:after].strip()
    head = text[: key.end_mark.index] + ":"
    if comment:  # it stays in its column
        column = key.start_mark.column + end - key.start_mark.index + text[end:].index("#")
        used = key.end_mark.column + 1
        head += " " * (max(2, column - used) if node.end_mark.line == key.end_mark.line else 2)
    below = _below(text, after, key.start_mark.column)
    middle = text[after:below]
    if middle and not middle.endswith("\n"):
        middle += eol
    return head + comment + eol + middle + written + text[below:]


def _below(text: str, at: int, column: int) -> int:
    """The line after those that only go on with a comment further right than a column."""
    deeper = re.compile(f" {{{column + 1},}}#")
    while deeper.match(text, at):
        at = _next_line(text, at)
    return at


def _comments(text: str, node: yaml.Node) -> dict[str, str]:
    """Name -> the comment behind the entry, of entries in lines of their own."""
    found: dict[str, str] = {}
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        for entry in node.value:
            last = entry[1] if isinstance(entry, tuple) else entry
            comment = re.compile(r"[ \t]+#[^\r\n]*").match(text, _end(text, last))
            if comment is not None:
                found[_name_of(entry)] = comment[0]
    return found


def _name_of(entry: yaml.Node | Pair) -> str:
    if isinstance(entry, tuple):
        return str(entry[0].value)
    pairs: Sequence[Pair] = entry.value if isinstance(entry, yaml.MappingNode) else ()
    return next((str(value.value) for key, value in pairs if key.value == "name"), "")


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _end(text: str, node: yaml.Node) -> int:
    """Where a value ends: YAML's own mark of a block stands after the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start, end = node.start_mark.index, node.end_mark.index
    return start + len(text[start:end].rstrip())


def _put_in(
    text: str,
    key: yaml.Node | None,
    node: yaml.Node | None,
    names: KeyNames,
    value: Any,
    *,
    last: bool = False,
) -> str:
    """A key that is not there yet, into its section, whose own key is `key` (None: the file).

    last: at the section's end, not its beginning.
    """
    written = _written(value)
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        at = node.start_mark.index + 1
        inner = ": {".join(names) + f": {written}" + "}" * (len(names) - 1)
        return text[:at] + inner + (", " if node.value else "") + text[at:]
    eol = _eol(text)
    if key is None:
        gap = "" if text.endswith("\n") else eol
        return text + gap + _lines(names, written, "", eol)
    if isinstance(node, yaml.MappingNode):
        first = node.value[0][0].start_mark
        at, indent = first.index - first.column, " " * first.column
        if last:
            at = _below(text, _next_line(text, _end(text, node)), first.column)
    else:  # "overlay:" with nothing below it
        at, indent = _next_line(text, key.end_mark.index), " " * (key.start_mark.column + 2)
    if at == len(text) and not text.endswith("\n"):
        text, at = text + eol, at + len(eol)
    return text[:at] + _lines(names, written, indent, eol) + text[at:]


def _next_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _lines(names: Iterable[str], written: str, indent: str, eol: str) -> str:
    *sections, key = names
    lines = [indent + "  " * depth + name + ":" for depth, name in enumerate(sections)]
    lines.append(f"{indent}{'  ' * len(sections)}{key}: {written}")
    return "".join(line + eol for line in lines)


def _written(value: Any, style: str | None = None) -> str:
    """A value as YAML on one line; style: the quotes of the text it replaces, if it had any."""
    quotes = style if isinstance(value, str) and style in ("'", '"') else None
    for way in (quotes, '"' if isinstance(value, str) else None):
        # In a list: what is plain there is plain everywhere.
        listed = yaml.safe_dump(
            [value] if way is None else value,
            default_flow_style=True,
            default_style=way,
            allow_unicode=True,
            sort_keys=False,
            width=float("inf"),
        ).rstrip("\n")
        written = listed[1:-1] if way is None else listed
        if "\n" not in written:
            return written
    raise UnknownLayoutError  # a list with a text of several lines
