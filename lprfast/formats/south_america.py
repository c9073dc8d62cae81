"""Plates of South America: old national ones and those of the Mercosur."""

from __future__ import annotations

from lprfast.formats.layout import LATIN, PlateLayout, without

_CONSONANTS = without("AEIOUQ")
_BR_CITIES = (
    "PR-CURITIBA", "PR-LONDRINA", "PR-MARINGA", "PR-CASCAVEL", "PR-PONTA GROSSA", "PR-PARANAGUA",
    "PR-FOZ DO IGUACU", "PR-GUARAPUAVA", "SP-SAO PAULO", "SP-CAMPINAS", "SP-SANTOS", "RJ-RIO DE JANEIRO",
    "RJ-NITEROI", "MG-BELO HORIZONTE", "MG-UBERLANDIA", "RS-PORTO ALEGRE", "RS-CAXIAS DO SUL",
    "SC-FLORIANOPOLIS", "SC-JOINVILLE", "SC-BLUMENAU", "SC-ITAJAI", "BA-SALVADOR", "PE-RECIFE",
    "CE-FORTALEZA", "GO-GOIANIA", "DF-BRASILIA", "ES-VITORIA", "MS-CAMPO GRANDE", "MT-CUIABA", "AM-MANAUS",
)  # fmt: skip
# Series were given out from A to about P, state by state, the A to Parana. The first character is the one
# that is lost, a narrow I or J above all, and an A in bad light is taken for a Chinese character.
_BR_FIRST = "[ABCDEFGHIJKLMNOP]"
_BR_OLD = (f"{_BR_FIRST}LL-DDDD", f"{_BR_FIRST}LL.DDDD", f"{_BR_FIRST}LL.DDDD", "LLL-DDDD", "LLL DDDD",
           "[A]LL-DDDD", "[A]LL.DDDD", "[IJ]LL.DDDD")  # fmt: skip
_BR_TWINS = ("0O", "1I")


def _brazil(name: str, ink: str, weight: float) -> PlateLayout:
    return PlateLayout(
        name, _BR_OLD, aspect=3.0, height=0.52, ink=ink, header=True, weight=weight, above=_BR_CITIES,
        twins=_BR_TWINS, pitch=0.8,
    )  # fmt: skip


def _mercosur(name: str, *patterns: str, above: tuple[str, ...], weight: float,
              letters: str = LATIN, band: str = "top") -> PlateLayout:  # fmt: skip
    return PlateLayout(
        name, patterns, letters, aspect=3.08, height=0.56, band=band, weight=weight, above=above, pitch=0.75
    )


def _two(name: str, *patterns: str, aspect: float = 1.3, ink: str = "dark", weight: float = 0.4,
         pitch: float = 0.7) -> PlateLayout:  # fmt: skip
    return PlateLayout(name, patterns, aspect=aspect, height=0.38, ink=ink, weight=weight, pitch=pitch)


_ARGENTINA = ("REPUBLICA ARGENTINA",)

LAYOUTS: tuple[PlateLayout, ...] = (
    _brazil("br_old", "dark", 3.5),
    _brazil("br_old_dark", "light", 5.0),
    _mercosur("br_mercosur", "LLLDLDD", "LLL DLDD", above=("BRASIL",), weight=2.4, band="top side"),
    _mercosur("br_mercosur_plain", "LLLDLDD", "LLL DLDD", above=("BRASIL", "BRASIL", "MERCOSUL BRASIL"),
              weight=0.8),
    _two("br_two", "LLL/DDDD", "LLL/DLDD", aspect=1.2, weight=0.5),
    PlateLayout("ar_old", ("LLL DDD", "LLL*DDD", "LLL.DDD", "LLL*DDD", "[IJ]LL DDD"), aspect=2.3, height=0.5,
                ink="panel", header=True, footer=True, weight=3.0, above=("ARGENTINA",),
                below=("AUTOMOTORES", "CONCESIONARIO", "MERCOSUR", "www.autos.com.ar"), pitch=0.62),
    _mercosur("ar_mercosur", "LL DDD LL", "[A][ABCDEFG] DDD LL", above=_ARGENTINA,
              weight=1.8),
    _two("ar_two", "DDD/LLL", "DDD*/LLL", ink="panel", weight=0.5),
    _two("ar_mercosur_two", "LDD/DLLL", weight=0.5),
    _mercosur("uy", "LLL DDDD", above=("URUGUAY",), weight=0.4),
    PlateLayout("uy_old", ("LLL DDDD", "LLL-DDDD"), aspect=3.0, height=0.55, footer=True, weight=0.2,
                below=("URUGUAY", "MONTEVIDEO", "CANELONES", "MALDONADO"), pitch=0.75),
    _mercosur("py", "LLLL DDD", above=("PARAGUAY",), weight=0.3),
    PlateLayout("py_old", ("LLL DDD",), aspect=2.6, height=0.55, header=True, weight=0.15,
                above=("PARAGUAY", "REPUBLICA DEL PARAGUAY"), pitch=0.7),
    PlateLayout("cl", ("LLLL.DD", "LL.LL.DD", "LLLL*DD", "LL*LL.DD"), "BCDFGHJKLPRSTVWXYZ", aspect=2.8,
                height=0.6, footer=True, weight=0.45, below=("CHILE",), pitch=0.7),
    PlateLayout("cl_old", ("LL.DD.DD", "LL*DDDD", "LL.DDDD"), aspect=2.8, height=0.6, footer=True,
                weight=0.25,
                below=("CHILE",), letters=without("IMNOQ"), pitch=0.7),
    PlateLayout("co", ("LLL DDD", "LLL*DDD"), aspect=2.1, height=0.5, footer=True, weight=0.5,
                below=("BOGOTA D.C.", "MEDELLIN", "CALI", "ENVIGADO", "BARRANQUILLA", "CHIA"), pitch=0.62),
    PlateLayout("co_public", ("LLL-DDD", "LLL.DDD"), aspect=2.0, height=0.48, footer=True, weight=0.3,
                below=("BOGOTA D.C.", "MEDELLIN", "CALI", "BUCARAMANGA", "CUCUTA", "SOACHA"), pitch=0.62),
    PlateLayout("pe", ("LDL-DDD", "LLL-DDD"), aspect=2.1, height=0.5, header=True, weight=0.4,
                above=("PERU",),
                letters=without("IO"), pitch=0.6),
    PlateLayout("pe_old", ("LL-DDDD", "LLL-DDD"), aspect=2.0, height=0.5, header=True, footer=True,
                weight=0.15,
                above=("PERU",), below=("LIMA", "CALLAO", "AREQUIPA"), pitch=0.58),
    PlateLayout("ec", ("LLL-DDDD", "LLL-DDD"), aspect=2.6, height=0.55, header=True, weight=0.25,
                above=("ECUADOR",), pitch=0.62),
    PlateLayout("bo", ("DDDD LLL", "DDD LLL", "DDDD-LLL"), aspect=2.6, height=0.55, header=True, weight=0.15,
                above=("BOLIVIA",), letters=_CONSONANTS, pitch=0.65),
    PlateLayout("ve", ("LLDDDLL", "LLL-DDL", "LLDDDL"), aspect=2.0, height=0.46, header=True, footer=True,
                weight=0.2, above=("REPUBLICA BOLIVARIANA DE VENEZUELA",),
                below=("DISTRITO CAPITAL", "MIRANDA", "ZULIA", "CARABOBO"), pitch=0.58),
)  # fmt: skip
