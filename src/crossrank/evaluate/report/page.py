"""One self-contained HTML page: no script, no other file, light and dark by the reader's choice."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;
color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
p.note{color:#555}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:.3rem}
th,td{padding:.2rem .7rem;border-bottom:1px solid #8884;text-align:left}
th.number,td.number{text-align:right;white-space:nowrap}
td.best{font-weight:700}
svg{width:100%;max-width:60rem;height:auto;display:block;margin:1rem 0}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#16181c}p.note{color:#aaa}}
"""


def page(title: str, note: str, sections: Sequence[tuple[str, str]], language: str = "en") -> str:
    """The page; a section is a heading and finished HTML (tables, SVG)."""
    body = "\n".join(f"<h2>{escape(name)}</h2>\n{content}" for name, content in sections)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="note">{escape(note)}</p>\n{body}\n</body>\n</html>\n'
    )
