"""The part of a page that shows attention: a heat map by layer and head, and who met whom."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Final

import numpy as np

from crossrank.explain.attention import Attention, Token

SHOWN: Final = 12


def attention_sections(found: Attention) -> list[str]:
    """The sections, as HTML."""
    matches = [_matches(found)] if found.cosines else []
    return [*matches, _heat(found), _met(found)]


def attention_script(found: Attention, code: str) -> str:
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
        f"<script>{code}</script>"
    )


def _matches(found: Attention) -> str:
    """For every query token its best document token in each view."""
    views = {name: found.matches(name) for name in found.cosines}
    head = "".join(f'<th>{escape(name)}</th><th class="n">cosine</th>' for name in views)
    rows = []
    for number, place in enumerate(found.places(0).tolist()):
        cells = "".join(
            f"<td>{escape(found.tokens[each[number].document].piece)}</td>"
            f'<td class="n">{each[number].cosine:.3f}</td>'
            for each in views.values()
        )
        rows.append(f"<tr><td>{escape(found.tokens[place].piece)}</td>{cells}</tr>")
    return (
        "<section><h2>Best match of every query token</h2>"
        '<p class="dim">The head of this model adds the mean of these cosines to the score.</p>'
        f"<table><tr><th>query</th>{head}</tr>{''.join(rows)}</table></section>"
    )


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


def _met(found: Attention) -> str:
    rows = "".join(
        f"<tr><td>{escape(found.tokens[each.query].piece)}</td>"
        f"<td>{escape(found.tokens[each.document].piece)}</td>"
        f'<td class="n">{each.weight:.4f}</td></tr>'
        for each in found.meetings(SHOWN)
    )
    return (
        "<section><h2>Which tokens met</h2><table><tr><th>query</th><th>document</th>"
        f'<th class="n">attention</th></tr>{rows}</table></section>'
    )


def _named(found: Attention, side: int) -> list[Token]:
    return [found.tokens[i] for i in found.places(side)]


def _select(name: str, count: int) -> str:
    options = "".join(f'<option value="{i}">{i + 1}</option>' for i in range(count))
    return f'<select id="{name}"><option value="all">all, averaged</option>{options}</select>'
