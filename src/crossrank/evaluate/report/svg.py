"""Plots as inline SVG: bars, points and lines, readable on a light and on a dark page.

Colours come from the classes of `STYLE`, which every plot brings along, so that one stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_LIGHT: Final = ("#1f6fb4", "#c2571a", "#2a8f57", "#8a4fbf", "#b3373f", "#7a6a1c")
_DARK: Final = ("#6db3f2", "#f2a065", "#6fd39b", "#c39bf0", "#f08a90", "#d6c45c")
SERIES: Final = len(_LIGHT)


def _colours(colours: Sequence[str]) -> str:
    return "".join(
        f"svg .f{i}{{fill:{colour}}}svg .s{i}{{stroke:{colour}}}"
        for i, colour in enumerate(colours)
    )


STYLE: Final = (
    "svg text{font:13px system-ui,sans-serif;fill:#222}svg .page{fill:#fff}"
    "svg .grid{stroke:#8884}svg .axis{stroke:#888}"
    f"{_colours(_LIGHT)}"
    "@media (prefers-color-scheme:dark){svg text{fill:#ddd}svg .page{fill:#16181c}"
    f"{_colours(_DARK)}}}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a plot, with what is shown when the pointer rests on it."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, named; logarithmic where things are compared by factors."""

    name: str
    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high end."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values to write beside the axis."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            each = (1, 2, 5) if self.high / self.low < 1e3 else (1,)
            values = [k * 10.0**power for power in powers for k in each]
            return [v for v in values if self.low <= v * (1 + 1e-9) and v <= self.high * (1 + 1e-9)]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis_over(name: str, values: Sequence[float], *, logarithmic: bool = False) -> Axis:
    """An axis with some room around the values."""
    low, high = min(values), max(values)
    if logarithmic:
        return Axis(name, low / 1.3, high * 1.3, True)
    room = 0.08 * (high - low) or abs(high) * 0.1 or 1.0
    return Axis(name, low - room, high + room)


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot area in pixels, with its axes."""

    x: Axis
    y: Axis
    title: str
    width: int = 720
    height: int = 340
    left: int = 72
    right: int = 24
    top: int = 36
    bottom: int = 52

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a value."""
        across = self.width - self.left - self.right
        up = self.height - self.top - self.bottom
        return (
            self.left + across * self.x.share(x),
            self.height - self.bottom - up * self.y.share(y),
        )

    def drawn(self, parts: Sequence[str], *, x_ticks: bool = True, y_ticks: bool = True) -> str:
        """The whole `svg` element around what is inside the axes."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" role="img">'
                f"<title>{escape(self.title)}</title><style>{STYLE}</style>",
                f'<rect class="page" width="{self.width}" height="{self.height}"/>',
                text(self.left, 20, self.title),
                *self._grid(x_ticks, y_ticks),
                *parts,
                "</svg>\n",
            ]
        )

    def _grid(self, x_ticks: bool, y_ticks: bool) -> list[str]:
        bottom, end = self.height - self.bottom, self.width - self.right
        parts = []
        for value in self.y.ticks() if y_ticks else ():
            _, y = self.place(self.x.low, value)
            parts.append(_line("grid", self.left, y, end, y))
            parts.append(text(self.left - 8, y + 4, _number(value), "end"))
        for value in self.x.ticks() if x_ticks else ():
            x, _ = self.place(value, self.y.low)
            parts.append(_line("grid", x, self.top, x, bottom))
            parts.append(text(x, bottom + 18, _number(value), "middle"))
        middle = (self.top + bottom) / 2
        name = f'<g transform="translate(14 {middle:.1f}) rotate(-90)">'
        return [
            *parts,
            text((self.left + end) / 2, self.height - 10, self.x.name, "middle"),
            f"{name}{text(0, 0, self.y.name, 'middle')}</g>",
        ]


def scatter(points: Sequence[Point], x: Axis, y: Axis, title: str) -> str:
    """Points with their labels beside them, on the side that has more room."""
    frame = Frame(x, y, title)
    parts = []
    taken: list[tuple[float, float]] = []
    for i, point in enumerate(points):
        px, py = frame.place(point.x, point.y)
        label_y = _free(px, py + 4, taken)
        parts.append(f'<circle class="f{i % SERIES}" cx="{px:.1f}" cy="{py:.1f}" r="5"/>')
        on_left = px > frame.width / 2
        parts.append(text(px + (-9 if on_left else 9), label_y, point.label,
                          "end" if on_left else "start"))  # fmt: skip
    return frame.drawn(parts)


def lines(series: dict[str, Sequence[Point]], x: Axis, y: Axis, title: str) -> str:
    """A line for each name, with a legend."""
    frame = Frame(x, y, title, right=190)
    parts = []
    for i, (name, points) in enumerate(series.items()):
        colour = i % SERIES
        places = [frame.place(point.x, point.y) for point in points]
        track = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(f'<polyline class="s{colour}" points="{track}" fill="none" stroke-width="2"/>')
        parts += [
            f'<circle class="f{colour}" cx="{px:.1f}" cy="{py:.1f}" r="3">'
            f"<title>{escape(point.label)}</title></circle>"
            for (px, py), point in zip(places, points, strict=True)
        ]
        row = frame.top + 16 + 22 * i
        parts.append(f'<circle class="f{colour}" cx="{frame.width - 176}" cy="{row - 4}" r="5"/>')
        parts.append(text(frame.width - 164, row, name))
    return frame.drawn(parts)


def signed_bars(values: Sequence[Point], y: Axis, title: str, x_name: str) -> str:
    """A bar for each value in the order given: up in one colour, down in another."""
    frame = Frame(Axis(x_name, 0, max(len(values), 1)), y, title)
    gap = 0.5 if len(values) < 150 else 0.0
    parts = []
    for i, value in enumerate(values):
        left, top = frame.place(i, max(value.y, 0))
        right, bottom = frame.place(i + 1, min(value.y, 0))
        colour = "f2" if value.y > 0 else "f1"
        parts.append(
            f'<rect class="{colour}" x="{left:.2f}" y="{top:.2f}" '
            f'width="{right - left - gap:.2f}" height="{bottom - top:.2f}">'
            f"<title>{escape(value.label)}</title></rect>"
        )
    _, zero = frame.place(0, 0)
    parts.append(_line("axis", frame.left, zero, frame.width - frame.right, zero))
    return frame.drawn(parts, x_ticks=False)


def ranked_bars(values: Sequence[tuple[str, float]], x_name: str, title: str) -> str:
    """Horizontal bars with their names, in the order given, from 0."""
    high = max((value for _, value in values), default=1.0) or 1.0
    height = 36 + 52 + 22 * len(values)
    left = 24 + 8 * max((len(name) for name, _ in values), default=0)
    x, y = Axis(x_name, 0, high * 1.05), Axis("", 0, max(len(values), 1))
    frame = Frame(x, y, title, height=height, left=min(left, 320))
    parts = []
    for i, (name, value) in enumerate(values):
        end, _ = frame.place(value, 0)
        top = frame.top + 22 * i + 3
        parts.append(
            f'<rect class="f0" x="{frame.left}" y="{top}" height="16" '
            f'width="{max(end - frame.left, 0.5):.1f}"><title>{value:.4g}</title></rect>'
        )
        parts.append(text(frame.left - 8, top + 12, name, "end"))
    return frame.drawn(parts, y_ticks=False)


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """A `text` element; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> float:
    # labels of points that lie close together go below each other
    while any(abs(x - px) < 140 and abs(y - py) < 14 for px, py in taken):
        y += 14
    taken.append((x, y))
    return y


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(k * power for k in (1, 2, 5, 10) if k * power >= raw * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{round(value, 10) + 0.0:g}".replace("-", "−")
