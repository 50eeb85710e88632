"""What a board lives through: a full card, a power cut."""

from pathlib import Path

import av
from virtual_board.machine import Machine
from virtual_board.service import BASE, PICTURE, SEEN, Service, labels

DEMO = "camera: {kind: demo, size_px: [320, 240], fps: 10}"
SMALL = "/var/lib/edge-vision/small"
FILM = "/var/lib/edge-vision/film/film.mp4"
FILM_CONFIG = f"""
{DEMO}
model: {{input_hw_px: [128, 128], threads: 1, deadline_s: 300}}
outputs: {{video: {{path: {FILM}}}}}
"""


def _frames(file: Path) -> int:
    with av.open(str(file)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_full_disk_ends_the_video_and_nothing_else(machine: Machine, service: Service) -> None:
    owner = machine.check("id -u edge-vision").strip()
    machine.check(
        f"mkdir -p {SMALL} && mount -t tmpfs -o size=100k,mode=700,uid={owner} tmpfs {SMALL}"
    )
    try:
        both = f"outputs: {{video: {{path: {SMALL}/film.mp4}}, jsonl: {{path: {SEEN}}}}}\n"
        service.start(f"{DEMO}\n{BASE.split('outputs:')[0]}{both}")
        said = service.wait_for_journal("no space left", 240)
        assert len(said.splitlines()) == 1, said
        service.wait_for_sights()
        machine.check("systemctl stop edge-vision")
        machine.check(f"cp {SMALL}/film.mp4 /share/full.mp4")
        assert _frames(machine.share / "full.mp4") > 0
    finally:
        machine.check(f"systemctl stop edge-vision; umount {SMALL}")


def test_after_a_power_cut_all_is_there_and_it_starts_by_itself(
    machine: Machine, service: Service
) -> None:
    """The film is of an instance of its own, which does not start by itself and write it anew."""
    service.configure(PICTURE)
    service.configure(FILM_CONFIG, "/etc/edge-vision/film.yaml")
    config = machine.check("sync; sha256sum /etc/edge-vision/*")
    machine.check("systemctl start edge-vision@film", 240)
    machine.wait_for(f"find {FILM} -size +50k | grep -q .", timeout_s=240)
    # Many seconds of film later: it is carried to the disk every two, as fast as the disk takes it.
    machine.wait_for(f"find {FILM} -size +250k | grep -q .", timeout_s=240)
    machine.cut_power()
    machine.boot()
    machine.wait_for("systemctl is-active edge-vision", timeout_s=240)
    assert machine.check("sha256sum /etc/edge-vision/*") == config
    assert all("cat" in seen for seen in labels(service.wait_for_sights()))
    machine.check(f"cp {FILM} /share/cut.mp4")
    assert (machine.share / "cut.mp4").stat().st_size > 50 << 10
    assert _frames(machine.share / "cut.mp4") > 3
    machine.check("rm /etc/edge-vision/film.yaml")
