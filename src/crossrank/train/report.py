"""The report of a run: curves as PNG, and one self-contained HTML page with all that is known."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from crossrank.extras import require
from crossrank.io.lines import replaced

Log = Sequence[dict[str, float]]
_CURVES: Final = (("loss", "loss"), ("dev", ""), ("learning_rate", "learning rate"))
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
img { max-width: 100%; background: white; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def write_report(folder: Path, card: dict[str, Any], log: Log) -> None:
    """Writes `loss.png`, `dev.png` (where measured), `learning_rate.png` and `report.html`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[tuple[str, str]] = []
    for key, title in _CURVES:
        points = [(entry["step"], entry[key]) for entry in log if key in entry]
        if points:
            name = title or card["measure"]
            data = curve(points, name)
            (folder / f"{key}.png").write_bytes(data)
            pictures.append((name, base64.b64encode(data).decode()))
    with replaced(folder / "report.html") as out:
        out.write(page(card, pictures))


def curve(points: Sequence[tuple[float, float]], title: str) -> bytes:
    """A PNG of one curve over the updates."""
    require("matplotlib", extra="train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(*zip(*points, strict=True), marker="." if len(points) < 60 else None, linewidth=1.4)
    axes.set_xlabel("updates")
    axes.set_title(title, loc="left")
    axes.grid(alpha=0.3)
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def page(card: dict[str, Any], pictures: Sequence[tuple[str, str]]) -> str:
    """The report as one HTML file that loads nothing."""
    best = card["best"]
    head = {
        "model": card["model"],
        "start": card["start"],
        "objective": card["objective"],
        f"best {card['measure']}": f"{best['value']:.4f} after {best['step']} updates"
        if best
        else "not measured",
        "updates": card["steps"],
        "time": f"{card['seconds']:.0f} s",
        "seed": card["seed"],
    }
    images = "\n".join(
        f'<img alt="{escape(name)} over the updates" src="data:image/png;base64,{data}">'
        for name, data in pictures
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Training report: {escape(card["kind"])}</title><style>{_STYLE}</style>
<h1>Training report: {escape(card["kind"])}</h1>
{_table(head)}
<h2>Curves</h2>
{images}
<h2>Data</h2>
{_table(card["data"])}
<h2>Settings</h2>
{_table(card["settings"])}
<h2>Made with</h2>
{_table(card["versions"])}
</html>
"""


def _table(values: dict[str, Any]) -> str:
    rows = "\n".join(
        f"<tr><th>{escape(str(name))}</th><td>{_cell(value)}</td></tr>"
        for name, value in values.items()
    )
    return f"<table>\n{rows}\n</table>"


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{escape(str(k))}: {_cell(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "<br>".join(_cell(each) for each in value) or "none"
    return escape("none" if value in ("", None) else str(value))
