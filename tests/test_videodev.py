"""What is told of V4L2 devices without opening one."""

import os
from pathlib import Path

from edge_vision.videodev import nodes_of, plugged


def test_plugging_in_and_out_and_new_rights_are_seen(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video", "videoX", "media0"):
        (tmp_path / name).touch()
    assert [node.name for node in nodes_of(tmp_path)] == ["video2", "video10"]
    before = plugged(tmp_path)
    assert before == plugged(tmp_path)
    assert len(before) == 2
    node = tmp_path / "video2"
    node.read_bytes()
    assert plugged(tmp_path) == before  # to look at it is no news
    os.chmod(node, 0o660)
    rights = plugged(tmp_path)
    assert rights != before
    node.unlink()
    assert plugged(tmp_path) < rights
    assert plugged(tmp_path / "nowhere") == frozenset()
