"""A USB webcam as its computer sees it: descriptors and control requests.

USB 2.0, chapter 9, and "USB Device Class Definition for Video Devices" 1.0 (UVC): one control
interface, one streaming interface with a bulk endpoint, 640x480 as MJPG and as YUYV.
"""

import struct

WIDTH_PX, HEIGHT_PX = 640, 480
FRAME_BYTES = WIDTH_PX * HEIGHT_PX * 2
PAYLOAD_BYTES = 16384
INTERVALS_100NS = (333_333, 666_666, 1_000_000)
MJPG, YUYV = 1, 2
BULK_IN = 0x81
_YUY2_GUID = bytes.fromhex("5955593200001000800000aa00389b71")
_GET_CUR, _SET_CUR, _GET_MIN, _GET_MAX, _GET_RES, _GET_LEN, _GET_INFO, _GET_DEF = (
    0x81, 0x01, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
)  # fmt: skip
_COMMITMENT = struct.Struct("<HBBIHHHHHII")  # dwMaxVideoFrameSize and dwMaxPayloadTransferSize last


def _descriptor(*values: int | bytes) -> bytes:
    """One descriptor, its length before it."""
    body = b"".join(value if isinstance(value, bytes) else bytes([value]) for value in values)
    return bytes([len(body) + 1]) + body


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _frame(subtype: int) -> bytes:
    intervals = b"".join(_u32(interval) for interval in INTERVALS_100NS)
    rates = _u32(FRAME_BYTES * 8 * 10) + _u32(FRAME_BYTES * 8 * 30)
    return _descriptor(
        0x24, subtype, 1, 0, _u16(WIDTH_PX), _u16(HEIGHT_PX), rates, _u32(FRAME_BYTES),
        _u32(INTERVALS_100NS[0]), len(INTERVALS_100NS), intervals,
    )  # fmt: skip


def _configuration() -> bytes:
    """The configuration descriptor with all that belongs to it."""
    camera = _descriptor(0x24, 2, 1, _u16(0x201), 0, 0, _u16(0), _u16(0), _u16(0), 3, b"\0\0\0")
    processing = _descriptor(0x24, 5, 2, 1, _u16(0), 2, _u16(1), 0)  # its one control: brightness
    terminals = camera + processing + _descriptor(0x24, 3, 3, _u16(0x101), 0, 2, 0)
    head_bytes = 13
    control = _descriptor(
        0x24, 1, _u16(0x100), _u16(head_bytes + len(terminals)), _u32(48_000_000), 1, 1
    )
    colour = _descriptor(0x24, 13, 1, 1, 4)
    formats = _descriptor(0x24, 6, MJPG, 1, 1, 1, 0, 0, 0, 0) + _frame(7) + colour
    formats += _descriptor(0x24, 4, YUYV, 1, _YUY2_GUID, 16, 1, 0, 0, 0, 0) + _frame(5) + colour
    head_bytes = 15
    streaming = _descriptor(
        0x24, 1, 2, _u16(head_bytes + len(formats)), BULK_IN, 0, 3, 0, 0, 0, 1, 0, 0
    )
    everything = _descriptor(11, 0, 2, 0x0E, 3, 0, 2)  # both interfaces are one function
    everything += _descriptor(4, 0, 0, 0, 0x0E, 1, 0, 2) + control + terminals
    everything += _descriptor(4, 1, 0, 1, 0x0E, 2, 0, 0) + streaming + formats
    everything += _descriptor(5, BULK_IN, 2, _u16(512), 0)
    return _descriptor(2, _u16(9 + len(everything)), 2, 1, 0, 0x80, 250) + everything


class Function:
    """The webcam's own state: answers control requests; `format` and `interval_s` were agreed."""

    def __init__(self, serial: str) -> None:
        texts = ("EdgeTest", "Virtual UVC Camera", serial)
        self._strings = {0: b"\x04\x03\x09\x04"}
        self._strings |= {i: _descriptor(3, s.encode("utf-16-le")) for i, s in enumerate(texts, 1)}
        self._device = _descriptor(
            1, _u16(0x200), 0xEF, 2, 1, 64, _u16(0x1D6B), _u16(0x0102), _u16(0x100), 1, 2, 3, 1
        )
        self._configuration = _configuration()
        self._probe = self._commit = self._agree(MJPG, INTERVALS_100NS[0])
        self._brightness = 50

    @property
    def format(self) -> int:
        """MJPG or YUYV."""
        return self._commit[2]

    @property
    def interval_s(self) -> float:
        """Seconds from picture to picture."""
        return int.from_bytes(self._commit[4:8], "little") / 1e7

    def control(self, setup: bytes, data: bytes) -> bytes | None:
        """The answer to a control request (`setup`, 8 bytes), or None where it is refused."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0:
            answer = self._standard(request, value)
        elif kind & 0x60 == 0x20:
            answer = self._video(request, value >> 8, index & 0xFF, index >> 8, data)
        else:
            answer = None
        return None if answer is None else answer[:length]

    def _standard(self, request: int, value: int) -> bytes | None:
        if request == 6:  # GET_DESCRIPTOR
            kind, number = value >> 8, value & 0xFF
            if kind == 3:
                return self._strings.get(number)
            return {1: self._device, 2: self._configuration}.get(kind)
        answers = {0: b"\0\0", 1: b"", 3: b"", 9: b"", 10: b"\0", 11: b""}
        return answers.get(request)

    def _video(
        self, request: int, selector: int, interface: int, entity: int, data: bytes
    ) -> bytes | None:
        if interface == 1 and selector in (1, 2):
            return self._negotiate(request, selector == 1, data)
        if interface == 0 and entity == 2 and selector == 2:
            if request == _SET_CUR:
                self._brightness = int.from_bytes(data[:2], "little", signed=True)
                return b""
            values = {_GET_CUR: self._brightness, _GET_MIN: 0, _GET_MAX: 100, _GET_RES: 1}
            fixed = {_GET_INFO: b"\x03", _GET_LEN: _u16(2), _GET_DEF: _u16(50)}
            return fixed.get(request) or _u16(values.get(request, 0))
        return b"\x06" if interface == 0 and entity == 0 and selector == 2 else None

    def _negotiate(self, request: int, probing: bool, data: bytes) -> bytes | None:
        if request == _SET_CUR:
            agreed = self._agree(data[2], int.from_bytes(data[4:8], "little"))
            if probing:
                self._probe = agreed
            else:
                self._commit = agreed
            return b""
        if request in (_GET_CUR, _GET_MIN, _GET_MAX, _GET_DEF):
            return self._probe if probing else self._commit
        return {_GET_LEN: _u16(_COMMITMENT.size), _GET_INFO: b"\x03"}.get(request)

    def _agree(self, format: int, interval: int) -> bytes:
        """What the webcam grants of what it is asked for."""
        format = format if format in (MJPG, YUYV) else MJPG
        nearest = min(INTERVALS_100NS, key=lambda known: abs(known - (interval or known)))
        return _COMMITMENT.pack(0, format, 1, nearest, 0, 0, 0, 0, 0, FRAME_BYTES, PAYLOAD_BYTES)
