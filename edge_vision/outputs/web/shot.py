"""One picture as JPEG, and as a part of a stream."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vision.frame import Stamps
from edge_vision.outputs.base import Picture
from edge_vision.results import Track, label_of

BOUNDARY = "frame"
_TOLD = ("arrived", "registered", "drawn")


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """What a picture is of; seq -1: it says why there is no camera.  See Picture."""

    seq: int
    scene_seq: int
    stamps: Stamps
    tracks: tuple[Track, ...]
    labels: Mapping[int, str]

    @classmethod
    def of(cls, picture: Picture) -> "About":
        """What outlives `offer`."""
        return cls(picture.seq, picture.scene_seq, picture.stamps, picture.tracks, picture.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One JPEG for all who want the same; encoded_ns: when it was there."""

    about: About
    jpeg: bytes
    encoded_ns: int
    _parts: dict[bool, bytes] = field(default_factory=dict)

    def part(self, *, objects: bool) -> bytes:
        """With headers before it and the next boundary behind it; made once.

        Browsers show a part only when the next boundary has come.
        objects: say which ones there are, and where.
        """
        part = self._parts.get(objects)
        if part is None:
            head = "".join(f"{name}: {value}\r\n" for name, value in self._headers(objects).items())
            tail = f"\r\n--{BOUNDARY}\r\n"
            part = b"".join((head.encode("ascii"), b"\r\n", self.jpeg, tail.encode("ascii")))
            self._parts[objects] = part
        return part

    def _headers(self, objects: bool) -> dict[str, object]:
        about, stamps = self.about, self.about.stamps
        times = {name: getattr(stamps, name) for name in _TOLD} | {"encoded": self.encoded_ns}
        since = {name: round((at - stamps.exposed) / 1e6, 3) for name, at in times.items() if at}
        headers: dict[str, object] = {
            "Content-Type": "image/jpeg",
            "Content-Length": len(self.jpeg),
            "X-Seq": about.seq,
            "X-Scene-Seq": about.scene_seq,
            "X-Exposed-Ns": stamps.exposed,
            "X-Stamps": json.dumps(since if stamps.exposed else {}),
        }
        if objects:
            found = [_told(track, about.labels) for track in about.tracks]
            headers["X-Objects"] = json.dumps(found, separators=(",", ":"))
        return headers


def _told(track: Track, labels: Mapping[int, str]) -> dict[str, object]:
    """Of `Track.to_dict`, what a page draws."""
    return {
        "id": track.id,
        "label": label_of(labels, track.class_id),
        "score": round(track.score, 4),
        "state": track.state,
        "box": [round(value, 5) for value in track.box.tolist()],
        "age_s": round((track.last_seen_ns - track.first_seen_ns) / 1e9, 3),
    }
