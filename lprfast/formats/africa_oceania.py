"""Plates of Africa, Australia and New Zealand."""

from __future__ import annotations

from lprfast.formats.layout import LATIN, PlateLayout, codes, without

_CONSONANTS = without("AEIOUQ")


def _au(name: str, *patterns: str, above: tuple[str, ...], below: tuple[str, ...] = (), weight: float = 0.14,
        letters: str = LATIN, ink: str = "dark") -> PlateLayout:  # fmt: skip
    """372 by 134 mm, one small text above or below."""
    return PlateLayout(
        name, patterns, letters, aspect=2.8, height=0.6, ink=ink, header=True, footer=bool(below),
        weight=weight, above=above, below=below, pitch=0.62,
    )  # fmt: skip


def _wide(name: str, *patterns: str, letters: str = LATIN, aspect: float = 4.4, weight: float = 0.3,
          pitch: float = 0.7) -> PlateLayout:  # fmt: skip
    return PlateLayout(name, patterns, letters, aspect=aspect, height=0.68, weight=weight, pitch=pitch)


_AUSTRALIA = (
    _au("au_nsw", "LL.DD.LL", "LL DD LL", "LLL DDL", "LLL.DDL", "LLL DDD", above=("NEW SOUTH WALES", "NSW"),
        below=("NEW SOUTH WALES", "The First State", "NSW - THE PREMIER STATE"), weight=0.22),
    _au("au_vic", "DLL.DLL", "DLL DLL", "LLL.DDD", "LLL DDD", above=("VICTORIA", "VIC"),
        below=("THE EDUCATION STATE", "ON THE MOVE", "THE PLACE TO BE", "STAY ALERT STAY ALIVE"), weight=0.2),
    _au("au_qld", "DDD.LLD", "DDD LLD", "DDD.LLL", "DDD LLL", "LLL DDD", above=("QUEENSLAND",),
        below=("SUNSHINE STATE", "QUEENSLAND - SUNSHINE STATE"), weight=0.18),
    _au("au_wa", "[1]LLL DDD", "[1]LLL.DDD", "DLL DDD", above=("WESTERN AUSTRALIA",)),
    _au("au_sa", "[S]DDD.LLL", "[S]DDD LLL", "LLL.DDD", above=("SOUTH AUSTRALIA", "SA")),
    _au("au_tas", "LDD LL", "LL DDDD", "L DD LL", above=("TASMANIA",), below=("Explore the possibilities",),
        weight=0.08),
    _au("au_act", "[Y]LL DDL", "[Y]LL.DDL", "[Y]LL DDD", above=("ACT", "CANBERRA - THE NATION'S CAPITAL"),
        weight=0.08),
    _au("au_nt", "[C]LDD.LL", "[C][ABCDE] DD LL", "DDD DDD", above=("NT", "NORTHERN TERRITORY"),
        below=("NT - OUTBACK AUSTRALIA",), weight=0.06),
)  # fmt: skip

_ZA_PROVINCES = codes("GP MP EC NC NW L FS")
_ZA_TOWNS = codes("CA CF CY CJ CEM CL CBS CAW CFM")

LAYOUTS: tuple[PlateLayout, ...] = (
    *_AUSTRALIA,
    _wide("nz", "LLL DDD", "LLLDDD", aspect=3.0),
    _wide("nz_old", "LLDDDD", "LL DDDD", letters=without("Q"), aspect=3.0, weight=0.15),
    _wide("za", f"LL DD LL {_ZA_PROVINCES}", f"LLL DDD {_ZA_PROVINCES}", f"LLL*DDD {_ZA_PROVINCES}",
          letters=_CONSONANTS, weight=0.45),
    _wide("za_town", f"{_ZA_TOWNS} DDDDDD", f"{_ZA_TOWNS} DDD-DDD", "[N][D] DDDDDD", "[N][D] DDDDD",
          "[N][P][N] DDDDD", "LL DD LL [Z][N]", letters=_CONSONANTS, weight=0.25),
    PlateLayout("za_two", (f"LL DD/LL {_ZA_PROVINCES}", f"LLL/DDD {_ZA_PROVINCES}"), _CONSONANTS, aspect=1.7,
                height=0.38, weight=0.2, pitch=0.7),
    _wide("ke", "[K]LL DDDL", "[K]LL DDDL", letters=without("IO"), weight=0.25),
    _wide("ke_old", "[K]LL DDD", letters=without("IO"), weight=0.1),
    PlateLayout("ng", ("LLL-DDDLL", "LLL DDD LL"), aspect=2.0, height=0.42, header=True, footer=True,
                weight=0.3,
                above=("LAGOS", "ABUJA", "KANO", "RIVERS", "OYO"),
                below=("FEDERAL REPUBLIC OF NIGERIA", "CENTRE OF EXCELLENCE"), pitch=0.6),
)  # fmt: skip
