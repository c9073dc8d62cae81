"""Plates of Asia."""

from __future__ import annotations

from lprfast.formats.layout import LATIN, PlateLayout, codes, numbers, without

_SURE = without("IO")


def _wide(name: str, *patterns: str, letters: str = LATIN, aspect: float = 4.4, ink: str = "dark",
          weight: float = 0.4, pitch: float = 0.0) -> PlateLayout:  # fmt: skip
    return PlateLayout(
        name, patterns, letters, aspect=aspect, height=0.68, ink=ink, weight=weight, pitch=pitch
    )


def _two(name: str, *patterns: str, letters: str = LATIN, aspect: float = 1.4, ink: str = "dark",
         weight: float = 0.4, pitch: float = 0.7) -> PlateLayout:  # fmt: skip
    return PlateLayout(
        name, patterns, letters, aspect=aspect, height=0.38, ink=ink, weight=weight, pitch=pitch
    )


def _china(name: str, *patterns: str, aspect: float = 3.14, ink: str = "dark",
           weight: float = 0.4) -> PlateLayout:  # fmt: skip
    """440 by 140 mm, characters 45 by 90 mm."""
    return PlateLayout(name, patterns, _SURE, aspect=aspect, height=0.64, ink=ink, weight=weight, pitch=0.63)


def _china_two(name: str, *patterns: str, weight: float) -> PlateLayout:
    """440 by 220 mm: a wide upper row of 60 mm over one of 110 mm."""
    return PlateLayout(name, patterns, _SURE, aspect=2.0, height=0.5, upper=0.55, weight=weight, pitch=0.72)


# New-energy vehicles: D and its like run on batteries alone, F and its like do not; large ones end in it.
_CN_ENERGY = "[ABCDEFGHJK]"
# Once more: provinces of many strokes are taken for one another when they are small.
_CN_DENSE = "[冀豫赣湘鄂陕粤闽皖鲁浙渝黑蒙贵]"

_CHINA = (
    _china("cn_blue", f"{_CN_DENSE}L.XXXXX", f"{_CN_DENSE}L.DDDDD", f"{_CN_DENSE}L.LDDDD", "PL.XXXXX",
           "PL.DDDDD", "PL.LDDDD", "PL.DDDLD", "PL XXXXX", "PL.DDDDL", "PL.LLDDD", "PL.DLDDD", ink="light",
           weight=4.6),
    _china("cn_light", "PL.XXXXX", "PL.DDDDD", "PL.LDDDD", weight=1.0),
    _china("cn_green", f"PL.{_CN_ENERGY}XDDDD", aspect=3.43, weight=0.7),
    _china("cn_green_large", f"PL.DDDDD{_CN_ENERGY}", aspect=3.43, weight=0.2),
    _china("cn_suffix", "PL.DDDD[学]", "PL.XXXX[警]", "PL.DDDD[警]", "PL.XXXX[学警]", "PL.DDDD[领]",
           weight=0.7),
    _china("cn_suffix_dark", "[粤][Z].XXXX[港澳]", "[粤][Z].DDDD[港澳]", ink="light", weight=0.4),
    _china("cn_embassy", "DDDDDD[使]", "DDD.DDD[使]", ink="light", weight=0.15),
    _china("cn_special", "P[X].DDDD[应][急]", "P[X] DDDD[应][急]", "[民][航].XXXXX", "[民][航].LDDDD",
           weight=0.25),
    _china_two("cn_two", "P.L/XXXXX", "P L/DDDDD", "P  L/LDDDD", "P.L/DDDDD", "P L/XXXXX", weight=0.9),
    _china_two("cn_trailer", "P.L/DDDD[挂]", "P L/XXXX[挂]", "P.L/XXXX[学]", weight=0.35),
)  # fmt: skip

_VN = numbers(range(11, 100))
_VN_LETTERS = "ABCDEFGHKLMNPRSTUVXYZ"
_IN_DISTRICT = numbers(range(1, 100))
_IN = codes(
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TN TR "
    "TS UK UP WB"
)

_KZ_REGIONS = numbers(range(1, 21))

_OTHERS = (
    _wide("vn", f"{_VN}L-DDD.DD", f"{_VN}L-DDDD", f"{_VN}L-DDDDD", f"{_VN}L-DDD.DD", f"{_VN}L.DDD.DD",
          f"{_VN}L DDD.DD", f"{_VN}LL-DDD.DD", letters=_VN_LETTERS, aspect=4.6, weight=2.0, pitch=0.6),
    _two("vn_two", f"{_VN}L/DDD.DD", f"{_VN}L/DDDD", f"{_VN}LL/DDD.DD", f"{_VN}-L/DDDDD", letters=_VN_LETTERS,
         aspect=1.45, weight=0.7),
    _two("vn_motorcycle", f"{_VN}-LD/DDD.DD", f"{_VN}-LD/DDDD", f"{_VN}-LL/DDD.DD", letters=_VN_LETTERS,
         aspect=1.35, weight=0.5),
    _wide("in", f"{_IN} {_IN_DISTRICT} LL DDDD", f"{_IN} {_IN_DISTRICT} L DDDD",
          f"{_IN}{_IN_DISTRICT}LLDDDD", f"{_IN}-{_IN_DISTRICT}-LL-DDDD", f"{_IN}{_IN_DISTRICT}L DDDD",
          "[D][L] D[C] LL DDDD", letters=_SURE, weight=1.0),
    PlateLayout("in_band", (f"{_IN} {_IN_DISTRICT} LL DDDD", f"{_IN}{_IN_DISTRICT}LLDDDD",
                            f"{_IN} {_IN_DISTRICT} L DDDD"),
                _SURE, aspect=4.2, height=0.62, band="left", code="IND", weight=0.4),
    _wide("in_bharat", "DD [B][H] DDDD LL", "DD[B][H]DDDDLL", letters=_SURE, weight=0.15),
    _two("in_two", f"{_IN}{_IN_DISTRICT}/LLDDDD", f"{_IN} {_IN_DISTRICT}/LL DDDD",
         f"{_IN} {_IN_DISTRICT} L/DDDD", f"{_IN}-{_IN_DISTRICT}/L-DDDD",
         letters=_SURE, aspect=1.7, weight=0.6),
    _wide("my", "LLL DDDD", "LL DDDD", "LLL DDD", "L DDDD", "LLL DDDD L", letters=_SURE, ink="light",
          weight=0.5),
    _two("my_two", "LLL/DDDD", "LL/DDDD", "L/DDDD", ink="light", letters=_SURE, weight=0.35),
    _wide("sg", "[SEP]LL DDDD L", "[SEP]LL DDD L", letters=_SURE, ink="light", weight=0.4),
    PlateLayout("id", ("L DDDD LL", "L DDDD LLL", "LL DDDD LL", "L DDDD L"), aspect=3.1, height=0.55,
                ink="light", footer=True, weight=0.4, below=("09 25", "11 26", "04 24", "07 27"), pitch=0.62),
    PlateLayout("id_white", ("L DDDD LLL", "L DDDD LL", "LL DDDD LL"), aspect=3.1, height=0.55, footer=True,
                weight=0.2, below=("09 27", "11 28", "04 29", "07 27"), pitch=0.62),
    _wide("il", "DDD-DD-DDD", "DD-DDD-DD", "DDD.DD.DDD", weight=0.4),
    _wide("tw", "LLL-DDDD", letters=_SURE, aspect=2.4, weight=0.3, pitch=0.55),
    _wide("tw_old", "LL-DDDD", "DDDD-LL", "DL-DDDD", letters=_SURE, aspect=2.13, weight=0.2),
    _wide("hk", "LL DDDD", "LL DDD", letters=without("IOQ"), aspect=4.4, weight=0.3),
    _wide("kz", f"DDD LLL {_KZ_REGIONS}", f"DDD LL {_KZ_REGIONS}", weight=0.4),
    PlateLayout("ge", ("LL-DDD-LL",), aspect=4.6, height=0.68, band="left", code="GE", weight=0.3),
    _wide("ge_old", "LLL-DDD", "LLL DDD", weight=0.15),
    _wide("ae", "L DDDDD", "DD DDDDD", "L DDDD", aspect=4.7, weight=0.3),
    PlateLayout("ph", ("LLL DDDD", "LLL DDD"), aspect=2.7, height=0.55, footer=True, weight=0.4,
                below=("PILIPINAS", "REGION IV", "MATATAG NA REPUBLIKA", "NCR"), pitch=0.6),
)  # fmt: skip

LAYOUTS: tuple[PlateLayout, ...] = _CHINA + _OTHERS
