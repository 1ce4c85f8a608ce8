"""Draws a cargo ship on the sea, 32x32 pixels, and writes it as a binary PPM (P6) file.

    python draw_picture.py ship.ppm

All shapes are polygons and ellipses in pixel coordinates (x to the right, y down, 0..32), painted
one over the other at 16 samples a pixel each way and averaged. No random numbers: the same
file every time. Needs numpy only.
"""

import sys

import numpy as np

SIDE = 32  # pixels
FINE = 16  # samples a pixel, each way

centre = (np.arange(SIDE * FINE) + 0.5) / FINE
X, Y = np.meshgrid(centre, centre)
canvas = np.zeros((SIDE * FINE, SIDE * FINE, 3))


def paint(mask, top, bottom=None):
    """Fills `mask` with the colour `top` (R, G, B in 0..255), fading down to `bottom` if given."""
    if not mask.any():
        return
    top = np.array(top, float)
    bottom = top if bottom is None else np.array(bottom, float)
    rows = Y[mask]
    share = (rows - rows.min()) / max(rows.max() - rows.min(), 1e-9)
    canvas[mask] = top + share[:, None] * (bottom - top)


def polygon(*corners):
    """Samples inside a polygon, even-odd rule."""
    inside = np.zeros(X.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
        if y0 != y1:
            crosses = (Y < y0) != (Y < y1)
            inside ^= crosses & (X < x0 + (Y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def box(left, top, right, bottom):
    """Samples inside a rectangle."""
    return (X >= left) & (X < right) & (Y >= top) & (Y < bottom)


def ellipse(x, y, across, down):
    """Samples inside an ellipse; `across` and `down` are its half axes."""
    return ((X - x) / across) ** 2 + ((Y - y) / down) ** 2 < 1


def draw():
    """The picture as uint8 [32, 32, 3] (R, G, B)."""
    # sky, a few clouds, sea
    paint(Y < 19, (120, 168, 214), (206, 222, 234))
    clouds = ((5, 5.5, 5, 1.0), (8, 4.7, 3, 0.9), (25, 8.2, 5, 0.8), (28, 7.4, 3, 0.8))
    for x, y, across, down in clouds:
        paint(ellipse(x, y, across, down), (226, 234, 241))
    paint(Y >= 19, (74, 118, 150), (26, 62, 98))
    waves = ((2, 21, 4), (12, 28, 6), (24, 29.5, 5), (3, 27, 4), (27, 26.8, 4), (18, 30.6, 4),
             (7, 30.2, 4), (29, 22, 3))
    for x, y, length in waves:
        paint(ellipse(x, y, length / 2, 0.28), (120, 158, 184))

    # hull: dark above, red at the water, a pale line along the deck
    side = polygon((2.0, 17.2), (30.6, 16.2), (28.2, 24.0), (4.0, 24.0))
    bottom = polygon((3.5, 22.3), (28.8, 22.3), (28.2, 24.2), (4.0, 24.2))
    rail = polygon((2.0, 17.2), (30.6, 16.2), (30.4, 16.9), (2.1, 17.9))
    paint(side, (38, 44, 58), (26, 30, 42))
    paint(bottom, (142, 42, 36), (112, 32, 30))
    paint(rail, (214, 216, 214))

    # house with the bridge and its windows, funnel, masts with their derricks
    house = polygon((4.4, 17.2), (4.4, 12.2), (10.4, 12.2), (10.8, 17.0))
    paint(house, (240, 240, 236), (214, 216, 216))
    paint(box(5.0, 9.4, 10.0, 12.2), (246, 246, 242), (226, 228, 228))
    paint(box(5.4, 10.2, 9.7, 11.1), (52, 66, 84))
    for x in (5.2, 6.9, 8.6):
        paint(box(x, 13.6, x + 0.9, 14.5), (70, 84, 100))
    funnel = polygon((5.4, 9.4), (5.7, 6.0), (8.1, 6.0), (8.2, 9.4))
    paint(funnel, (178, 58, 44), (150, 44, 36))
    paint(box(5.6, 6.0, 8.1, 6.9), (34, 36, 42))
    paint(box(9.0, 5.4, 9.4, 9.4), (92, 96, 102))
    for x in (17.6, 24.4):
        paint(box(x, 7.4, x + 0.55, 16.8), (112, 112, 108))
        derrick = polygon((x + 0.2, 14.2), (x + 0.5, 14.8), (x - 4.3, 9.0), (x - 4.5, 8.6))
        paint(derrick, (140, 138, 128))

    # containers on the deck
    containers = ((12.2, 14.6, (168, 74, 48)), (15.0, 14.4, (62, 104, 136)),
                  (18.6, 14.3, (196, 172, 112)), (21.4, 14.2, (92, 124, 92)),
                  (25.4, 14.2, (160, 68, 50)))
    for x, y, colour in containers:
        paint(box(x, y, x + 2.6, y + 2.4), colour)

    # foam at the water line and the wake
    foam = polygon((2.4, 24.5), (3.6, 23.7), (28.2, 23.7), (30.2, 24.4), (28.4, 24.8), (4.0, 24.9))
    paint(foam, (206, 220, 228))
    paint(ellipse(2.2, 24.9, 2.4, 0.4), (180, 202, 216))
    paint(ellipse(15, 26.0, 10, 0.35), (58, 92, 122))

    fine = canvas.reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3))
    return np.rint(fine).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python draw_picture.py OUT.ppm")
    with open(sys.argv[1], "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (SIDE, SIDE) + draw().tobytes())
