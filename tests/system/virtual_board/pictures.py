"""The test pictures in the form cameras deliver them."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from virtual_board.uvc import HEIGHT_PX, WIDTH_PX

FOLDER = Path(__file__).resolve().parents[2] / "pictures"


def fitted(name: str) -> NDArray[np.uint8]:
    """tests/pictures/NAME.jpg as uint8 (480, 640, 3) BGR, grey where it does not reach."""
    picture = cv2.imread(str(FOLDER / f"{name}.jpg"))
    height, width = picture.shape[:2]
    scale = min(WIDTH_PX / width, HEIGHT_PX / height)
    picture = cv2.resize(picture, (round(width * scale), round(height * scale)))
    board = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8)
    top, left = (HEIGHT_PX - picture.shape[0]) // 2, (WIDTH_PX - picture.shape[1]) // 2
    board[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return board


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """A JPEG file."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def yuyv(picture: NDArray[np.uint8]) -> bytes:
    """Two bytes a pixel: Y0 U Y1 V, colours of every second pixel (V4L2_PIX_FMT_YUYV)."""
    yuv = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV)
    packed = np.empty((*picture.shape[:2], 2), np.uint8)
    packed[..., 0] = yuv[..., 0]
    packed[:, 0::2, 1], packed[:, 1::2, 1] = yuv[:, 0::2, 1], yuv[:, 0::2, 2]
    return packed.tobytes()
