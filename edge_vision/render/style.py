"""How the overlay looks: a colour for each class, and sizes that fit the picture."""

from dataclasses import dataclass
from functools import lru_cache

from edge_vision.config_overlay import OverlayConfig

Colour = tuple[int, int, int]
"""Blue, green, red, each 0..255."""

# The first four by hand; each next one is the colour farthest (CIEDE2000) from all before it among
# the bright, saturated colours of OKLCH, so the first dozen lie at least 17 apart, all 60 at 10.
_PALETTE = bytes.fromhex("""
    2fe09b f53db5 ffb224 2a9df4 f54123 819808 52f0ff c4a4fe dce31d fe93a1
    cc7200 fc9b70 aa5ef6 fe1363 27a74b 6cfd46 7784da a98904 9fc769 16bae0
    fca6e7 d0b74a 2dd2c1 bf7bc5 1d857e 9e5d76 a06247 2f7e9e 80679f 618046
    bd19b1 4b59fe a0bef9 936d32 c43f40 baeeb9 fbc593 e7e29b 5faa89 ca8375
    2072d5 c5819a bb8f58 49aaaa 7b791c 00ce2c c92970 29885e c2460d 84a469
    f168fe 9bf2dc a19b57 f978b6 308b15 78c7fd 9d8dca ea9344 eb6f32 9539e3
""")
_COLOURS = len(_PALETTE) // 3

BLACK: Colour = (16, 16, 16)
WHITE: Colour = (255, 255, 255)


@lru_cache(maxsize=1024)
def class_colour(class_id: int) -> Colour:
    """The colour of a class: the same in every run, on every board, whatever the label table.

    Any integer will do.  Ids from 61 on share colours, shifted by half the palette, so that they do
    not share those of the most frequent COCO classes (ids 1 to 30).
    """
    turn, place = divmod(class_id - 1, _COLOURS)
    red, green, blue = _PALETTE[3 * ((place + turn * 30) % _COLOURS) :][:3]
    return blue, green, red


class Colours:
    """Colours as overlay.colour and overlay.colours ask for them."""

    def __init__(self, config: OverlayConfig) -> None:
        self._one = None if config.colour == "class" else _from_hex(config.colour)
        self._own = {label: _from_hex(text) for label, text in config.colours.items()}

    def of(self, class_id: int, label: str) -> Colour:
        """The label's own colour, or the one for all, or the class's."""
        return self._own.get(label) or self._one or class_colour(class_id)


def _from_hex(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return blue, green, red


def luminance(colour: Colour) -> float:
    """Relative luminance 0..1 as defined by WCAG 2.2 (w3.org/TR/WCAG22/#dfn-relative-luminance)."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    blue, green, red = colour
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio 1..21 of two colours (WCAG 2.2, #dfn-contrast-ratio)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever stands out more from the background."""
    return max(BLACK, WHITE, key=lambda ink: contrast(ink, background))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in pixels: box line, dark outline on each side of it, height of capital letters."""

    line_px: int
    outline_px: int
    cap_px: int


def sizes_for(width_px: int, height_px: int, thickness_px: int = 0) -> Sizes:
    """Sizes for a picture; `thickness_px` fixes the line, 0 fits it.

    The shorter side counts; growth is slower than the picture's, as a larger picture is usually
    seen on a larger screen and not only scaled down.
    """
    side = min(width_px, height_px)
    line = thickness_px or max(1, round(0.8 + side / 330))
    return Sizes(line, max(1, round(line / 4)), max(7, round(5.5 + side / 78)))
