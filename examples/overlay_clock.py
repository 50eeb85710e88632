"""A renderer of your own, to copy and change: a dial with a second hand, a crosshair, a score.

    scripts/run --set overlay.renderer=examples.overlay_clock:draw

`module:function` names a function in a file in the folder you start in (or in an installed
package).  It is called for every shown picture and draws on it with OpenCV or numpy:

    canvas   the picture, uint8 (height, width, 3), blue green red; the overlay is on it already
    tracks   what is in it: each has .label, .box_px (x0 y0 x1 y1, whole pixels) and .track with
             .id, .score 0..1, .state, .velocity (of the box, in picture sizes per second),
             .first_seen_ns and .last_seen_ns (by the clock of media_ns)
    clock    .seq (frame number), .media_ns (position in the video, or time since a camera's first
             frame), .exposed_ns (when the picture was taken), .now_ns

The picture waits 50 ms for it and is then shown without it; only the first call may take longer.  A
function that is late or raises three times is switched off; the log says why.
"""

import math

import cv2

ORANGE, WHITE = (0, 140, 255), (255, 255, 255)


def draw(canvas, tracks, clock):
    height, width = canvas.shape[:2]
    centre, radius = (width - height // 8, height // 8), height // 12
    angle = 2 * math.pi * clock.media_ns / 60e9
    tip = (centre[0] + int(radius * math.sin(angle)), centre[1] - int(radius * math.cos(angle)))
    cv2.circle(canvas, centre, radius, WHITE, 3, cv2.LINE_AA)
    cv2.line(canvas, centre, tip, ORANGE, 3, cv2.LINE_AA)
    for shown in tracks:
        x0, y0, x1, y1 = shown.box_px
        cv2.drawMarker(canvas, ((x0 + x1) // 2, (y0 + y1) // 2), ORANGE, cv2.MARKER_CROSS, 40, 2)
    cv2.putText(canvas, f"score {len(tracks)}", (20, height - 24), 0, 1.2, ORANGE, 3, cv2.LINE_AA)
