"""What people import: as README shows it."""

from pathlib import Path

import cv2
import pytest

import edge_vision

SMALL = {
    "camera": {"kind": "demo", "size_px": [320, 240], "pace": "fast"},
    "model": {"size": "small"},
    "outputs": {"window": {"enabled": False}},
}


def test_detect_a_picture(pictures: Path) -> None:
    detector = edge_vision.open_detector(size="medium", min_score=0.5)
    found = detector.detect(cv2.imread(str(pictures / "cup.jpg")))
    assert isinstance(found, edge_vision.Detections)
    assert "cup" in [row["label"] for row in found.to_list(detector.labels)]


def test_run_calls_back_for_every_analysed_frame() -> None:
    scenes: list[edge_vision.Scene] = []
    summary = edge_vision.run(SMALL, on_scene=scenes.append, frames=8)
    assert isinstance(summary, edge_vision.Summary)
    assert [scene.seq for scene in scenes] == list(range(8))
    assert scenes[0].labels[1] == "person"


def test_run_takes_a_file_and_a_config(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "camera: {kind: demo, size_px: [64, 64], pace: fast}\nmodel: {size: small}\n"
        "outputs: {window: {enabled: false}}\n"
    )
    assert edge_vision.run(file, frames=2).analysed == 2
    assert edge_vision.run(edge_vision.load_config(file), frames=2).analysed == 2


def test_open_camera_gives_frames() -> None:
    camera = edge_vision.open_camera("demo", size_px=[160, 120], pace="fast")
    frame = camera.read(1.0)
    assert frame is not None
    assert (frame.main.width_px, frame.main.height_px) == (160, 120)
    frame.release()
    camera.close()


def test_mistakes_are_told() -> None:
    with pytest.raises(edge_vision.ConfigError, match="did you mean large"):
        edge_vision.open_detector(size="larg")
    with pytest.raises(edge_vision.ConfigError, match="dmo"):
        edge_vision.open_camera("dmo")
    with pytest.raises(edge_vision.ConfigError, match="sise"):
        edge_vision.run({"model": {"sise": 1}})
