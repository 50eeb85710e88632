"""What the API says, as types: the server's answers are made by them, and /openapi.json of them."""

from typing import Any, Literal, NotRequired

# The standard library's own says less to pydantic before Python 3.12.
from typing_extensions import TypedDict

from edge_vision.events import Kind


class Quantiles(TypedDict):
    """Percentiles of a duration, in ms, over the whole run; 0 where there was none."""

    p50: float
    p95: float
    p99: float


class CameraShape(TypedDict):
    """up: frames come; reason: why none comes; since_s: for how long it has been so."""

    up: bool
    reason: str
    since_s: float
    name: str
    width_px: int
    height_px: int
    fps: float


class ModelShape(TypedDict):
    """engine: runtime, delegate and threads; input_hw_px: height and width."""

    name: str
    description: str
    engine: str
    size: str
    input_hw_px: tuple[int, int]


class BoardShape(TypedDict):
    """alarms: what the firmware complains of; held_back: why less work is done than configured."""

    name: str
    temperature_c: float | None
    alarms: list[str]
    held_back: str
    idle: bool


class Rates(TypedDict):
    """Frames a second now."""

    captured_per_s: float
    analysed_per_s: float
    shown_per_s: float


class Counts(TypedDict):
    """Frames since the start."""

    captured: int
    analysed: int
    shown: int


class State(TypedDict):
    """The run.  now_ns: this computer's monotonic clock, as in every time that ends in _ns.

    health: why it is not healthy, or empty.  stages_ms: what each stage took, since the one before.
    """

    version: str
    node: str
    uptime_s: float
    now_ns: int
    healthy: bool
    health: str
    camera: CameraShape
    model: ModelShape
    board: BoardShape
    rates: Rates
    counts: Counts
    drops: dict[str, int]
    latency_ms: Quantiles
    stages_ms: dict[str, Quantiles]
    viewers: int
    max_viewers: int
    listeners: int
    memory_mb: float
    faults: list[str]


class SeenObject(TypedDict):
    """One object.  id: 0 where nobody follows it.  box: x0, y0, x1, y1 in shares of the picture.

    It may reach over the picture's border.  velocity: change of the box, per second.  age_s: from
    its first to its newest detection.
    """

    id: int
    label: str
    class_id: int
    score: float
    state: str
    box: list[float]
    velocity: list[float]
    age_s: float


class SceneShape(TypedDict):
    """What was found in one frame.  seq: its number, -1 before the first one.

    latency_ms: from exposure to result.  stamps_ms: when it reached each stage, since exposure.
    """

    seq: int
    exposed_ns: int
    media_ns: int
    model: str
    latency_ms: float
    stamps_ms: dict[str, float]
    objects: list[SeenObject]


class RecentShape(TypedDict):
    """Most objects at once of each class, in steps of step_s; age_s: how long ago each began."""

    step_s: float
    age_s: list[float]
    classes: dict[str, list[int]]


class ConfigShape(TypedDict):
    """values: section, key, value of what can be changed now.  colours: of each class, #rrggbb.

    choices: "section.key" and the values it may have, where it is one of a few.
    """

    values: dict[str, dict[str, Any]]
    colours: dict[str, str]
    choices: dict[str, list[str]]


class ChangedShape(TypedDict):
    """changed: "section.key" of what is different now.  saved_to, backup: files, or empty."""

    changed: list[str]
    saved_to: str
    backup: str
    values: dict[str, dict[str, Any]]


class ModelSize(TypedDict):
    """map: mean average precision measured on COCO val2017, 0..1, where it was."""

    size: str
    input_hw_px: list[int]
    map: float | None


class KnownModel(TypedDict):
    """A model that can be chosen in the configuration file."""

    name: str
    family: str
    alpha: float
    classes: list[str]
    sizes: list[ModelSize]
    active: bool


class ModelsShape(TypedDict):
    """Every model known."""

    models: list[KnownModel]


class PassedShape(TypedDict):
    """since_s: Unix time since when it is counted.  lines: line, direction, class: crossings.

    zones: zone, class: objects that entered.  now: zone ("": the picture), class: objects there.
    """

    since_s: float
    lines: dict[str, dict[str, dict[str, int]]]
    zones: dict[str, dict[str, int]]
    now: dict[str, dict[str, int]]


class RecordedShape(TypedDict):
    """An event.  start_s, end_s: Unix time; end_s null while it goes on.

    place: zone or line of the rule, "": the picture.  zones: those the object was in.  box: x0, y0,
    x1, y1 in shares of the picture.  track_id: 0 where it is about several objects.  count: most
    objects at once.  thumbnail, snapshot, clip: addresses, or null.  clip_done: it is complete.
    clip_offset_s: where in the clip the event begins.
    """

    id: str
    node: str
    kind: Kind
    rule: str
    place: str
    direction: Literal["", "in", "out"]
    track_id: int
    label: str
    score: float
    box: list[float]
    count: int
    zones: list[str]
    start_s: float
    end_s: float | None
    thumbnail: str | None
    snapshot: str | None
    clip: str | None
    clip_done: bool
    clip_offset_s: float


class TotalsShape(TypedDict):
    """Of the whole log; bytes: of pictures and clips."""

    events: int
    bytes: int


class HistoryShape(TypedDict):
    """The newest first.  next: what to give as `before` for older ones, null if there are none."""

    events: list[RecordedShape]
    next: str | None
    totals: TotalsShape


class HealthShape(TypedDict):
    """Frames and results advance."""

    healthy: bool


class SessionShape(TypedDict):
    """Whether a login is needed, and was made."""

    login_needed: bool
    logged_in: bool


class ProblemShape(TypedDict):
    """A refusal, RFC 9457.  errors: one sentence for each mistake, with a PATCH."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[str]]
