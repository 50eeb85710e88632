"""A USB webcam that shows a still picture, plugged into the emulated machine over a socket.

Protocol: usbredir 0.7 ("USB Network Redirection protocol description"), as QEMU's usb-redir device
speaks it, with 64-bit ids, connect_device_version, ep_info_max_packet_size and 32-bit bulk lengths.
"""

import select
import socket
import struct
import threading
import time
from pathlib import Path

from virtual_board import uvc

HELLO, CONNECT, DISCONNECT, RESET, INTERFACES, ENDPOINTS = 0, 1, 2, 3, 4, 5
SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION = 6, 7, 8
SET_ALTERNATE, GET_ALTERNATE, ALTERNATE = 9, 10, 11
CANCEL, CONTROL, BULK = 21, 100, 101
_CAPABILITIES = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 6)
_CANCELLED, _STALL = 1, 4
_CONTROL = struct.Struct("<BBBBHHH")
_BULK = struct.Struct("<BBHIH")
_CONNECT_WITHIN_S = 30.0


class UsbCamera:
    """Plug it in with `plug`, pull it out with `unplug`; `freeze` lets it hang like a bad cable.

    socket_path: the UNIX socket of QEMU's character device.  jpeg: a 640x480 JPEG file; yuyv: the
    same as 640*480*2 bytes of YUYV.
    """

    def __init__(self, socket_path: Path, jpeg: bytes, yuyv: bytes, serial: str = "SN0001") -> None:
        self._path = socket_path
        self._pictures = {uvc.MJPG: jpeg, uvc.YUYV: yuyv}
        self._serial = serial
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._frozen = threading.Event()

    def plug(self) -> None:
        """Connect; returns when the machine was told of the device."""
        self.unplug()
        self._frozen.clear()
        self._function = uvc.Function(self._serial)
        self._waiting: list[tuple[int, int]] = []
        self._picture, self._sent, self._toggle, self._next_s = b"", 0, 0, 0.0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_CONNECT_WITHIN_S)
        self._socket.connect(str(self._path))
        self._introduce()
        self._thread = threading.Thread(target=self._serve, name="usb camera", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Disconnect; nothing happens when it is not plugged in."""
        if self._socket is None or self._thread is None:
            return
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self._socket = self._thread = None

    def freeze(self) -> None:
        """Stay plugged in, and deliver nothing from now on."""
        self._frozen.set()

    def _introduce(self) -> None:
        """Hello, interfaces, endpoints (max_packet_size last), and the device itself."""
        self._send(
            HELLO, 0, b"edge-vision test".ljust(64, b"\0") + struct.pack("<I", _CAPABILITIES)
        )
        kind, length, _ = struct.unpack("<III", self._receive(12))
        if kind != HELLO:
            raise ConnectionError(f"QEMU said {kind} instead of hello")
        self._receive(length)
        unused = bytes(30)
        self._send(
            INTERFACES,
            0,
            struct.pack("<I", 2) + bytes([0, 1]) + unused
            + bytes([0x0E, 0x0E]) + unused + bytes([1, 2]) + unused + bytes(32),
        )  # fmt: skip
        types, interfaces, packets = [255] * 32, [0] * 32, [0] * 32
        types[0] = types[16] = 0  # control, out and in
        types[17], interfaces[17], packets[17] = 2, 1, 512  # bulk in 1
        packets[0] = packets[16] = 64
        sizes = struct.pack("<32H", *packets)
        self._send(ENDPOINTS, 0, bytes(types) + bytes(32) + bytes(interfaces) + sizes)
        high_speed = 2
        self._send(
            CONNECT, 0, struct.pack("<BBBBHHH", high_speed, 0xEF, 2, 1, 0x1D6B, 0x0102, 0x100)
        )

    def _serve(self) -> None:
        try:
            while True:
                wait_s = self._stream()
                if select.select([self._socket], [], [], wait_s)[0]:
                    kind, length, number = struct.unpack("<IIQ", self._receive(16))
                    self._answer(kind, number, self._receive(length))
        except (ConnectionError, OSError):
            return  # unplugged, or the machine is gone

    def _stream(self) -> float:
        """Fill the bulk transfers that wait with the picture that is due; seconds to wait then."""
        if not self._waiting or self._frozen.is_set():
            return 0.1
        now_s = time.monotonic()
        if self._sent >= len(self._picture) and now_s >= self._next_s:
            interval_s = self._function.interval_s
            self._next_s = max(self._next_s + interval_s, now_s - interval_s)
            self._picture, self._sent = self._pictures[self._function.format], 0
            self._toggle ^= 1
        while self._waiting and self._sent < len(self._picture):
            number, length = self._waiting.pop(0)
            part = self._picture[self._sent :][: min(length, uvc.PAYLOAD_BYTES) - 2]
            self._sent += len(part)
            last = 2 if self._sent >= len(self._picture) else 0
            self._bulk(number, bytes([2, 0x80 | self._toggle | last]) + part)
        return max(0.0, min(0.1, self._next_s - time.monotonic()))

    def _answer(self, kind: int, number: int, body: bytes) -> None:
        if kind == CONTROL:
            endpoint, request, kind_, _, value, index, length = _CONTROL.unpack(body[:10])
            setup = struct.pack("<BBHHH", kind_, request, value, index, length)
            answer = self._function.control(setup, body[10:])
            status = _STALL if answer is None else 0
            inward = bool(endpoint & 0x80)
            data = (answer or b"") if inward else b""
            length = len(data) if inward else length
            head = _CONTROL.pack(endpoint, request, kind_, status, value, index, length)
            self._send(CONTROL, number, head + data)
        elif kind == BULK:
            _, _, low, _, high = _BULK.unpack(body[:10])
            self._waiting.append((number, low | high << 16))
        elif kind in (SET_CONFIGURATION, GET_CONFIGURATION):
            self._send(CONFIGURATION, number, bytes([0, body[0] if body else 1]))
        elif kind in (SET_ALTERNATE, GET_ALTERNATE):
            alternate = body[1] if kind == SET_ALTERNATE else 0
            self._send(ALTERNATE, number, bytes([0, body[0], alternate]))
            self._forget_picture()
        elif kind == CANCEL:
            if any(waiting == number for waiting, _ in self._waiting):
                self._waiting = [entry for entry in self._waiting if entry[0] != number]
                self._bulk(number, b"", _CANCELLED)
            if not self._waiting:
                self._picture, self._sent = b"", 0
        elif kind == RESET:
            self._forget_picture()

    def _forget_picture(self) -> None:
        self._waiting.clear()
        self._picture, self._sent = b"", 0

    def _bulk(self, number: int, data: bytes, status: int = 0) -> None:
        size = len(data)
        self._send(
            BULK, number, _BULK.pack(uvc.BULK_IN, status, size & 0xFFFF, 0, size >> 16) + data
        )

    def _send(self, kind: int, number: int, body: bytes) -> None:
        assert self._socket is not None
        # The hello alone has a 32-bit id: what both can do is not agreed yet.
        head = struct.pack("<III" if kind == HELLO else "<IIQ", kind, len(body), number)
        self._socket.sendall(head + body)

    def _receive(self, length: int) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < length:
            more = self._socket.recv(length - len(data))
            if not more:
                raise ConnectionError("QEMU closed the connection")
            data += more
        return data
