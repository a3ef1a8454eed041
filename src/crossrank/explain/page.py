"""An explanation as one HTML file: nothing is fetched, readable on light and dark screens."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib import resources
from string import Template

import numpy as np

from crossrank.explain.attention import Attention, Token
from crossrank.explain.attribution import TOLERANCE, Attribution, strongest
from crossrank.explain.explanation import Explanation
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
        sections += [_heat(found.attention), _met(found.attention)]
        script = _script(found.attention)
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


def _heat(found: Attention) -> str:
    met = found.averaged()
    query, document = (_named(found, side) for side in (0, 1))
    most = max(float(met.max()), 1e-9)
    head = "".join(f"<th><div>{escape(t.piece)}</div></th>" for t in document)
    rows = []
    for token, weights in zip(query, met.tolist(), strict=True):
        cells = "".join(
            f'<td style="--a:{weight / most:.3f}" data-pair="{escape(token.piece)} / '
            f'{escape(other.piece)}" title="{escape(token.piece)} / {escape(other.piece)}: '
            f'{weight:.4f}"></td>'
            for other, weight in zip(document, weights, strict=True)
        )
        rows.append(f"<tr><th>{escape(token.piece)}</th>{cells}</tr>")
    layers, heads = found.weights.shape[:2]
    return (
        "<section><h2>Attention between query and document</h2>"
        '<p class="dim">Mean of what a query token (row) pays to a document token (column) and '
        "gets back. It shows where the model looked, which need not be why.</p>"
        f"<p>Layer {_select('layer', layers)} Head {_select('head', heads)}</p>"
        f'<div class="scroll"><table class="heat"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _named(found: Attention, side: int) -> list[Token]:
    return [found.tokens[i] for i in found.places(side)]


def _select(name: str, count: int) -> str:
    options = "".join(f'<option value="{i}">{i + 1}</option>' for i in range(count))
    return f'<select id="{name}"><option value="all">all, averaged</option>{options}</select>'


def _met(found: Attention) -> str:
    rows = "".join(
        f"<tr><td>{escape(found.tokens[each.query].piece)}</td>"
        f"<td>{escape(found.tokens[each.document].piece)}</td>"
        f'<td class="n">{each.weight:.4f}</td></tr>'
        for each in found.meetings(_BARS)
    )
    return (
        "<section><h2>Which tokens met</h2><table><tr><th>query</th><th>document</th>"
        f'<th class="n">attention</th></tr>{rows}</table></section>'
    )


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


def _script(found: Attention) -> str:
    """Every layer and head as bytes, each scaled by its own largest weight."""
    between = found.between()
    largest = between.max(axis=(2, 3), keepdims=True)
    scaled = np.rint(255 * between / np.maximum(largest, 1e-9)).astype(np.uint8)
    data = {
        "shape": list(between.shape),
        "scales": [round(float(each), 6) for each in largest.reshape(-1)],
        "bytes": base64.b64encode(scaled.tobytes()).decode(),
    }
    return (
        f'<script type="application/json" id="attention">{json.dumps(data)}</script>\n'
        f"<script>{_resource('heat.js')}</script>"
    )
