"""An explanation as one HTML file: nothing is fetched, readable on light and dark screens."""

from __future__ import annotations

from html import escape
from importlib import resources
from string import Template

import numpy as np

from crossrank.explain.attribution import TOLERANCE, Attribution, strongest
from crossrank.explain.explanation import Explanation
from crossrank.explain.page_attention import attention_script, attention_sections
from crossrank.pipelines.hits import Place

_BARS = 12


def page(found: Explanation) -> str:
    """The HTML of an explanation."""
    sections = [
        _summary(found),
        _side("Document", found.of_document),
        _side("Query", found.of_query),
    ]
    script = ""
    if found.attention is not None and found.attention.between().size:
        sections += attention_sections(found.attention)
        script = attention_script(found.attention, _resource("heat.js"))
    if found.path:
        sections.append(_path(found.path))
    template = Template(_resource("page.html"))
    return template.substitute(
        title=escape(f"Why this score: {found.query}"),
        subtitle=escape(f"{found.model or 'a scorer'} on one query and one document"),
        sections="\n".join(sections),
        script=script,
    )


def _resource(name: str) -> str:
    return resources.files("crossrank.explain").joinpath(name).read_text(encoding="utf-8")


def _summary(found: Explanation) -> str:
    return (
        f'<section><p><span class="score">{found.score:.3f}</span> '
        f'<span class="dim">{escape(str(found.scale))}</span></p>'
        f"<p>{escape(found.query)}</p>"
        '<p class="legend"><span class="up" style="--a:.5">raises the score</span> '
        '<span class="down" style="--a:.5">lowers it</span> '
        "the stronger the colour, the more</p></section>"
    )


def _side(name: str, found: Attribution) -> str:
    kind = (
        f"values and baseline add up to the score within {TOLERANCE:g}"
        if found.method != "occlusion"
        else "occlusion: each word taken out alone, which need not add up"
    )
    total = float(found.values.sum())
    return (
        f"<section><h2>{name}</h2>{_marked(found)}"
        f'<p class="legend">{found.baseline:.3f} without any of it, {total:+.3f} from its words'
        f" = {found.baseline + total:.3f}; residual {found.residual:.1e} ({kind})</p>"
        f"{_bars(found)}</section>"
    )


def _marked(found: Attribution) -> str:
    """The text with every part coloured by its value."""
    most = max(float(np.abs(found.values).max(initial=0.0)), 1e-9)
    pieces, at = [], 0
    for part, value in zip(found.parts, found.values.tolist(), strict=True):
        style = "up" if value >= 0 else "down"
        shade = 0.75 * abs(value) / most
        pieces.append(escape(found.text[at : part.start]))
        pieces.append(
            f'<span class="{style}" style="--a:{shade:.3f}" title="{value:+.3f}">'
            f"{escape(found.text[part.start : part.end])}</span>"
            if shade >= 0.03
            else escape(found.text[part.start : part.end])
        )
        at = part.end
    return f'<p class="text">{"".join(pieces)}{escape(found.text[at:])}</p>'


def _bars(found: Attribution) -> str:
    order = strongest(found, _BARS)
    if not order:
        return ""
    most = max(abs(float(found.values[order[0]])), 1e-9)
    rows = []
    for i in order:
        part, value, error = found.parts[i], float(found.values[i]), float(found.errors[i])
        style = "up" if value >= 0 else "down"
        width = max(round(160 * abs(value) / most), 1)
        shown = f" <small>± {error:.2f}</small>" if error >= 0.005 else ""
        rows.append(
            f"<tr><td>{escape(found.text[part.start : part.end])}</td>"
            f'<td class="n">{value:+.3f}{shown}</td>'
            f'<td><i class="bar {style}" style="width:{width}px"></i></td></tr>'
        )
    half = (len(rows) + 1) // 2
    tables = (f"<table>{''.join(part)}</table>" for part in (rows[:half], rows[half:]))
    return f'<div class="two">{"".join(tables)}</div>'


def _path(path: tuple[Place, ...]) -> str:
    rows = "".join(
        f'<tr><td>{escape(each.stage)}</td><td class="n">{each.rank}</td>'
        f'<td class="n">{each.score:.4f}</td><td class="dim">{escape(str(each.scale))}</td></tr>'
        for each in path
    )
    return (
        '<section><h2>Path through the stages</h2><table><tr><th>stage</th><th class="n">rank</th>'
        f'<th class="n">score</th><th></th></tr>{rows}</table></section>'
    )
