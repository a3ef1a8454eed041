"""The reliability plot as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from crossrank.tasks.reliability import Reliability

_SIZE: Final = 360
_LEFT: Final = 56
_TOP: Final = 34
_COLOURS: Final = ("#c2571a", "#1f77b4", "#2a8f57", "#8a5fbf")
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#222}"
    ".grid{stroke:#8886;stroke-width:1}.ideal{stroke:#888;stroke-dasharray:5 4}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}.page{fill:#16181c}}"
    ".page{fill:#fff}@media (prefers-color-scheme:dark){.page{fill:#16181c}}"
)


def reliability_svg(found: Mapping[str, Reliability], title: str) -> str:
    """Share of positives against probability, a line for each name; dots as large as their bin."""
    width, height = _LEFT + _SIZE + 190, _TOP + _SIZE + 52
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        _text(_LEFT, 20, escape(title)),
        *_axes(),
    ]
    for number, (name, each) in enumerate(found.items()):
        parts.extend(_line(name, each, _COLOURS[number % len(_COLOURS)], number))
    return "\n".join([*parts, "</svg>\n"])


def _axes() -> list[str]:
    parts = []
    for step in range(6):
        value = step / 5
        x, y = _place(value, value)
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SIZE}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _SIZE}"/>',
            _text(_LEFT - 8, y + 4, f"{value:.1f}", "end"),
            _text(x, _TOP + _SIZE + 18, f"{value:.1f}", "middle"),
        ]
    (x1, y1), (x2, y2) = _place(0, 0), _place(1, 1)
    middle = _LEFT + _SIZE / 2
    return [
        *parts,
        f'<line class="ideal" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>',
        _text(middle, _TOP + _SIZE + 40, "probability given", "middle"),
        f'<text transform="translate(16 {_TOP + _SIZE / 2}) rotate(-90)" '
        'text-anchor="middle">share of positives</text>',
    ]


def _line(name: str, found: Reliability, colour: str, number: int) -> list[str]:
    full = [each for each in found.bins if each.count]
    total = sum(each.count for each in full)
    places = [_place(each.mean, each.positive) for each in full]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 9 * (each.count / total) ** 0.5:.1f}" '
        f'fill="{colour}" fill-opacity=".55"><title>{each.count} pairs: {each.mean:.3f} given, '
        f"{each.positive:.3f} positive</title></circle>"
        for (x, y), each in zip(places, full, strict=True)
    ]
    top = _TOP + 14 + 40 * number
    return [
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *dots,
        f'<circle cx="{_LEFT + _SIZE + 22}" cy="{top - 4}" r="5" fill="{colour}"/>',
        _text(_LEFT + _SIZE + 34, top, escape(name)),
        _text(_LEFT + _SIZE + 34, top + 17, f"error {found.ece:.3f}"),
    ]


def _place(x: float, y: float) -> tuple[float, float]:
    return _LEFT + x * _SIZE, _TOP + (1 - y) * _SIZE


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
