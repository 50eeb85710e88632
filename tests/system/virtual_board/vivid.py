"""The kernel's own V4L2 test device, showing any picture: its output looped to its input.

Linux documentation, "The Virtual Video Test Driver (vivid)", "Video and Sliced VBI looping"; the
control that connects the two is that of Linux 6.11 and newer.
"""

from virtual_board import pictures
from virtual_board.machine import Machine

DRIVER = "/sys/bus/platform/drivers/vivid"
CAPTURE, OUTPUT = "/dev/video0", "/dev/video1"


class Vivid:
    """A camera at CAPTURE that shows what is streamed into OUTPUT."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def load(self) -> None:
        """Make the device appear, with its HDMI output looped to its HDMI input."""
        self._machine.check(
            "modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=0x3 "
            f"num_outputs=1 output_types=0x1 && udevadm settle && test -e {OUTPUT}"
        )
        self._machine.check(
            f"for node in {CAPTURE} {OUTPUT}; do "
            "v4l2-ctl -d $node --set-dv-bt-timings index=0 || exit; done; "
            f"v4l2-ctl -d {OUTPUT} --set-fmt-video-out=width=640,height=480,pixelformat=YUYV && "
            f"v4l2-ctl -d {CAPTURE} -c hdmi_000_0_is_connected_to=2 -c osd_text_mode=2"
        )

    def show(self, name: str) -> None:
        """Show tests/pictures/NAME.jpg from now on."""
        (self._machine.share / "vivid.yuyv").write_bytes(pictures.yuyv(pictures.fitted(name)))
        stream = f"v4l2-ctl -d {OUTPUT} --stream-out-mmap --stream-loop --stream-from"
        self._machine.check(
            "systemctl stop vivid-picture 2>/dev/null; cp /share/vivid.yuyv /run/vivid.yuyv && "
            f"systemd-run -q --unit=vivid-picture --collect {stream} /run/vivid.yuyv"
        )

    def unplug(self) -> None:
        """Take the device from its driver."""
        self._machine.check(f"systemctl stop vivid-picture; echo vivid.0 > {DRIVER}/unbind")

    def replug(self) -> None:
        """Give it back; it shows the test pattern then, perhaps under another number."""
        self._machine.check(f"echo vivid.0 > {DRIVER}/bind")

    def unload(self) -> None:
        """Remove it; whoever holds it open must let go first."""
        self._machine.run("systemctl stop vivid-picture")
        self._machine.wait_for("! lsmod | grep -q ^vivid || modprobe -r vivid")
