"""Stands for kms++, which only picamera2's preview on a screen would use."""


class PixelFormat:
    """Any name is a format."""

    RGB888 = BGR888 = XRGB8888 = XBGR8888 = YUV420 = YVU420 = NV12 = None
