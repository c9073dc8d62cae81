"""What training never draws: kept for the demo tracks and the synthetic validation set. Stated here only."""

from __future__ import annotations

from lprfast.formats import LAYOUTS, PlateLayout

HELD_OUT_LAYOUTS = frozenset(
    {"sk_2023", "fi", "lv", "si", "ca", "uy", "my", "nz_old", "co_public", "cn_green_large", "it_two"}
)

# Font families by the start of the file's name, lower case without separators.
HELD_OUT_FAMILIES = ("freesans", "dejavusansmono", "rg2014d", "wqyzenhei")

# Kinds of crops with nothing to read; see ``negatives``.
HELD_OUT_NEGATIVES = frozenset(
    {"bar_code", "matrix_code", "bricks", "fence", "foliage", "music", "street_map", "tread", "zebra"}
    | {"chequers", "zipper", "piano", "ruler", "keyboard", "keypad", "table", "display", "other_script"}
    | {"handwriting"}
)

TRAINING_STROKE_FONTS = range(0, 400)
HELD_OUT_STROKE_FONTS = range(1000, 1080)


def layouts(held_out: bool, chinese: bool) -> tuple[PlateLayout, ...]:
    """The layouts of one side of the split; ``chinese`` says whether Chinese characters can be drawn."""
    return tuple(
        layout
        for layout in LAYOUTS
        if (layout.name in HELD_OUT_LAYOUTS) == held_out and (chinese or not layout.needs_chinese)
    )


def two_line_layouts(chinese: bool) -> tuple[PlateLayout, ...]:
    """The layouts with two lines, of both sides of the split."""
    both = (*layouts(held_out=False, chinese=chinese), *layouts(held_out=True, chinese=chinese))
    return tuple(layout for layout in both if layout.rows == 2)


def is_held_out_family(file_name: str) -> bool:
    """Whether a font file belongs to the held-out families."""
    plain = file_name.lower().replace("-", "").replace("_", "").replace(" ", "")
    return plain.startswith(HELD_OUT_FAMILIES)
