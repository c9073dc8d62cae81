"""HTML and SVG from Python values, so that no text gets onto a page unescaped."""

from __future__ import annotations

import base64
import html
import io
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lprfast.data.images import ImageError, load_image, shrink_to_width

PICTURE_SIDE = 320
"""Pictures on a page are shrunk to at most this many pixels a side."""

Box = tuple[int, int, int, int]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1b1b; max-width: 70rem; margin: 2rem auto }
body { padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } h3 { font-size: 1rem }
h2 { overflow-wrap: anywhere } caption { text-align: left; color: #555 }
table { border-collapse: collapse; margin: .6rem 0; display: block; overflow-x: auto }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: middle }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td .plate { font-size: 1rem } .warning { background: #ffe3e0; padding: .5rem .8rem; max-width: 50rem }
.plate { font-family: ui-monospace, monospace; font-weight: 600; letter-spacing: .06em }
.big { font-size: 2.2rem } .line { white-space: nowrap } .note { color: #555; max-width: 50rem }
mark { background: #ffd7a8; color: #7a2e00; padding: 0 .1em }
img { display: block; width: 190px; image-rendering: pixelated; background: #eee }
.bar { display: inline-block; height: .7em; background: #3b6fb6; margin-right: .5em }
.chars td { text-align: center } .chars .plate { font-size: 1.4rem } .open { background: #ffd7a8 }
.matrix td, .matrix th { padding: .1rem .35rem; text-align: center; font-size: 12px; border: 1px solid #eee }
.charts { display: flex; flex-wrap: wrap; gap: 2rem }
"""


class Markup(str):
    """Text that is markup already. Anything else is escaped."""

    __slots__ = ()


Child = str | float | None | Iterable[Any]


def escape(text: str) -> Markup:
    """Text for a page: markup characters escaped, what no page may hold (control characters) replaced."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return Markup(html.escape(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", whole)))


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """One element. ``class_`` stands for class, ``_`` within a name for ``-``; None leaves out.

    Children are texts, numbers or lists of them; all that is not ``Markup`` is escaped.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if not children and name in ("img", "meta", "line", "rect", "circle"):
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{_joined(children)}</{name}>")


def _joined(children: Iterable[Child]) -> str:
    return "".join(
        child
        if isinstance(child, Markup)
        else ""
        if child is None
        else escape(str(child))
        if isinstance(child, (str, float, int))
        else _joined(child)
        for child in children
    )


def table(
    headers: Sequence[Child], rows: Iterable[Sequence[Child]], *, numbers: Iterable[int] = ()
) -> Markup:
    """A table; columns in ``numbers`` are aligned to the right."""
    right = set(numbers)

    def cells(name: str, values: Sequence[Child]) -> list[Markup]:
        return [tag(name, value, class_="n" if i in right else None) for i, value in enumerate(values)]

    body = [tag("tr", cells("td", row)) for row in rows]
    return tag("table", tag("thead", tag("tr", cells("th", headers))), tag("tbody", body))


def bar(share: float, width: int = 80) -> Markup:
    """A bar of ``share``, 0-1, of ``width`` pixels."""
    return tag("span", "", class_="bar", style=f"width:{share * width:.0f}px")


def picture(path: str | os.PathLike[str], box: Box | None = None, width: int | None = None) -> Markup:
    """An image file as a data URI; a word in its place where it cannot be opened.

    Args:
        path: of the file. Only its pixels come onto the page, nothing else that the file may hold.
        box: left, top, right, bottom of the part to show, in pixels; None, or one that reaches out of the
            image, shows all.
        width: what is wider is shrunk to it as before reading, in pixels; None leaves it.
    """
    try:
        pixels = load_image(path)
    except ImageError as error:
        return tag("span", f"no picture: {error.reason}", class_="note")
    if box is not None and box[2] <= pixels.shape[1] and box[3] <= pixels.shape[0]:
        pixels = pixels[box[1] : box[3], box[0] : box[2]]
    if width is not None:
        pixels = shrink_to_width(pixels, width)
    image = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels))
    image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    content = io.BytesIO()
    image.save(content, format="PNG")
    data = base64.b64encode(content.getvalue()).decode("ascii")
    return tag("img", src=f"data:image/png;base64,{data}", alt="crop")


def page(title: str, *body: Child) -> str:
    """A whole document; the policy in its head forbids it to load anything."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width"),
        tag("title", title),
        tag("style", Markup(_STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('h1', title), body), lang='en')}\n"
