"""Names for sets of layouts: the world, its parts, the European Union, and every country by its code."""

from __future__ import annotations

from lprfast.formats import africa_oceania, asia, europe, north_america, south_america
from lprfast.formats.layout import PlateLayout

WORLD = "world"

# Countries as in the layouts' names. Members without a layout of their own (cy, mt) are in no group.
_UNION = "at be bg cz de dk ee es eu fi fr gr hr hu ie it lt lu lv nl pl pt ro se si sk"

_PARTS: dict[str, tuple[PlateLayout, ...]] = {
    "europe": europe.LAYOUTS,
    "north_america": north_america.LAYOUTS,
    "south_america": south_america.LAYOUTS,
    "asia": asia.LAYOUTS,
    "africa_oceania": africa_oceania.LAYOUTS,
}


LAYOUTS: tuple[PlateLayout, ...] = tuple(layout for part in _PARTS.values() for layout in part)


def country(layout: PlateLayout) -> str:
    """The first part of a layout's name: ``ro`` of ``ro_two``."""
    return layout.name.split("_")[0]


def group_names() -> tuple[str, ...]:
    """The groups that are no country."""
    return (WORLD, *_PARTS, "eu")


def country_names() -> tuple[str, ...]:
    """Every country that has a layout, in alphabetical order."""
    return tuple(sorted({country(layout) for layout in LAYOUTS} - {"eu"}))


def layouts_named(name: str) -> tuple[PlateLayout, ...]:
    """The layouts of a group, of a country or a state (``us``, ``us_ca``), or one layout (``ro_two``).

    A name means the layout of that name and all whose names go on after it: ``ro`` also ``ro_old``. Empty
    when there is none.
    """
    if name == WORLD:
        return LAYOUTS
    if name in _PARTS:
        return _PARTS[name]
    if name == "eu":
        return tuple(layout for layout in LAYOUTS if country(layout) in _UNION.split())
    return tuple(layout for layout in LAYOUTS if layout.name == name or layout.name.startswith(f"{name}_"))
