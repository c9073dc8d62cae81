"""Plates of Europe and Turkey: current ones and, as ``.._old``, those of the format before."""

from __future__ import annotations

from lprfast.formats.layout import LATIN, PlateLayout, codes, numbers, without

_CONSONANTS = without("AEIOUQ")
_GREEK = "ABEZHIKMNOPTYX"
_CYRILLIC = "ABEKMHOPCTYX"


def _eu(name: str, *patterns: str, letters: str = LATIN, weight: float = 0.4, band: str = "left",
        ink: str = "dark", pitch: float = 0.73, code: str | None = None,
        twins: tuple[str, ...] = ()) -> PlateLayout:  # fmt: skip
    return PlateLayout(
        name, patterns, letters, aspect=4.64, height=0.7, ink=ink, band=band, weight=weight, twins=twins,
        pitch=pitch, code=name[:2].upper() if code is None else code,
    )  # fmt: skip


def _old(name: str, *patterns: str, letters: str = LATIN, weight: float = 0.2, ink: str = "dark",
         pitch: float = 0.0) -> PlateLayout:  # fmt: skip
    """A plate without the blue band."""
    return _eu(name, *patterns, letters=letters, weight=weight, band="", ink=ink, pitch=pitch)


def _two(name: str, *patterns: str, letters: str = LATIN, aspect: float = 1.45, weight: float = 0.3,
         ink: str = "dark", pitch: float = 0.73, twins: tuple[str, ...] = ()) -> PlateLayout:  # fmt: skip
    return PlateLayout(
        name, patterns, letters, aspect=aspect, height=0.38, ink=ink, weight=weight, pitch=pitch, twins=twins
    )


# Romania: three letters, never a Q, and the first no I or O; B (Bucharest) alone has three digits too.
_RO_COUNTIES = (
    "AB AR AG BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS NT OT PH SB SJ SM "
    "SV TL TM TR VL VN VS"
)
_RO = codes(_RO_COUNTIES)
# Once more: a narrow first I is easily lost.
_RO_I = "{IF|IL|IS}"
_RO_FIRST = f"[{without('IOQ')}]"
_ROMANIA = (
    _eu("ro", f"[B] DD {_RO_FIRST}LL", f"[B] DDD {_RO_FIRST}LL", f"{_RO} DD {_RO_FIRST}LL",
        f"{_RO_I} DD {_RO_FIRST}LL", f"[B] DDD{_RO_FIRST}LL", f"{_RO} DD{_RO_FIRST}LL",
        f"{_RO} DD {_RO_FIRST}LL", letters=without("Q"), weight=6.0),
    _eu("ro_temporary", f"{_RO} [0]DDDDD", f"{_RO} DDDDDD", "[B] DDDDDD", "[B] [0]DDDDD",
        f"{_RO} DDDDD", f"{_RO_I} DDDDDD", weight=0.6),
    _old("ro_old", f"[123456789]-{codes(_RO_COUNTIES + ' B')}-DDDD", f"DD-{codes(_RO_COUNTIES + ' B')}-DDDD",
         weight=0.15),
    _two("ro_two", f"[B] DD/{_RO_FIRST}LL", f"[B] DDD/{_RO_FIRST}LL", f"{_RO} DD/{_RO_FIRST}LL",
         letters=without("Q"), weight=0.25),
)  # fmt: skip

# United Kingdom: 1 is a bar like I, 0 is an O. No I and Q in current plates, Z only in the last three.
_GB_AREA = f"[ABCDEFGHKLMNOPRSVWXY][{without('IQZ')}]"
_GB_AGE = numbers(range(2, 30), range(51, 80))
_GB_YEAR = f"[{without('IOQUZ')}]"
_GB_IRELAND = codes(
    "AZ BZ CZ DZ EZ FZ GZ HZ IA IB IG IJ IL IW JI JZ KZ LZ MZ NZ OI OZ PZ RZ SZ TZ UI UZ VZ WZ XI YZ"
)
_GB_TWINS = ("1I", "0O")


def _gb(name: str, *patterns: str, letters: str, weight: float, band: str = "") -> PlateLayout:
    return PlateLayout(
        name, patterns, letters, aspect=4.68, height=0.7, weight=weight, twins=_GB_TWINS, pitch=0.77,
        band=band, code="GB" if band else "",
    )  # fmt: skip


_BRITAIN = (
    _gb("gb", f"{_GB_AREA}{_GB_AGE} LLL", letters=without("IQ"), weight=4.2),
    _gb("gb_band", f"{_GB_AREA}{_GB_AGE} LLL", letters=without("IQ"), weight=1.4, band="left"),
    _gb("gb_prefix", f"{_GB_YEAR}DDD LLL", f"{_GB_YEAR}DD LLL", f"{_GB_YEAR}D LLL", "[Q]DDD LLL",
        letters=without("IQZ"), weight=0.3),
    _gb("gb_suffix", f"LLL DDD{_GB_YEAR}", f"LLL DD{_GB_YEAR}", f"LLL D{_GB_YEAR}", letters=without("IQZ"),
        weight=0.2),
    _gb("gb_ireland", f"L{_GB_IRELAND} DDDD", f"L{_GB_IRELAND} DDD", letters=without("Q"), weight=0.15),
    _two("gb_two", f"{_GB_AREA}{_GB_AGE}/LLL", f"{_GB_YEAR}DDD/LLL", letters=without("IQ"), weight=0.4,
         pitch=0.77, twins=_GB_TWINS),
)  # fmt: skip

_SK = codes(
    "BA BB BJ BL BN BR BS BY CA DK DS DT GA GL HC HE IL KA KE KK KM KN KS LC LE LM LV MA MI ML MT MY NM NO "
    "NR NZ PB PD PE PK PN PO PP PT PU RA RK RS RV SA SB SC SE SI SK SL SN SO SP SV TN TO TR TS TT TV VK VT "
    "ZA ZC ZH ZM ZV"
)
_SK_LETTERS = without("QW")
_CZ = "D[ABCEHJKLMPSTUZ]"
_PL = "[BCDEFGKLNOPRSTWZ]"
_PL_LAST = f"[{without('BDIOQZ')}]"

# Austria: the letters of the district, then digits and letters.
_AT_ONE = "[BEGIKLPSW]"
_AT_TWO = codes(
    "AM BA BL BM BN BR BZ DL DO EF EU FB FE FF FK FR GB GD GF GM GR GS GU HA HB HE HF HL HO IL IM JE JO JU "
    "KB KF KG KI KL KO KR KS KU LA LB LE LF LI LL LN LZ MA MD ME MI MT MU MZ ND NK OP OW PE PL RA RE RI RO "
    "SB SD SE SL SO SP SR SV SW SZ TA TU UU VB VI VK VL VO WB WE WL WN WO WT WU WY WZ ZE ZT"
)
_CH = codes("AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH")
_CH_FIRST = "[123456789]"
_SI = codes("CE GO KK KP KR LJ MB MS NM PO SG")

_CENTRAL = (
    _eu("sk", f"{_SK}*DDDLL", f"{_SK}-DDDLL", f"{_SK}* DDDLL", "LL-DDDLL", letters=_SK_LETTERS, weight=1.6),
    _eu("sk_2023", "LL DDDLL", letters=_SK_LETTERS),
    _eu("sk_old", f"{_SK}*DDDLL", f"{_SK}-DDDLL", f"{_SK}*DDDLL", letters=_SK_LETTERS, weight=0.8,
        band="left arms"),
    _eu("cz", f"{_CZ}D*DDDD", f"{_CZ}D DDDD", f"{_CZ}L*DDDD", f"{_CZ}D*DDDD", letters=without("GOQW"),
        weight=1.4),
    _old("cz_old", "LLL*DD-DD", "LL*DD-DD", "LLL DD-DD", letters=without("QW"), weight=0.5),
    _eu("de", "L*LL DDDD", "LL*LL DDD", "LLL*LL DDD", "L*L DDDD", "LL*L DDD", "LLL*L DDDD", "L*LL DD",
        "LL*LL DD", "LL*LL DDDD", "L*LL DDD", "LLL*L DDD", "LL*LL DDD[EH]", "L*LL DDD[EH]",
        letters=without("Q"), weight=2.0, code="D", pitch=0.72),
    _old("de_old", "L-LL DDD", "LL-LL DDD", "LL-L DDD", "LLL-LL DD", "L-LL DDDD", "LLL-L DDD",
         letters=without("Q"), weight=0.3),
    _eu("pl", f"{_PL}L DDDDD", f"{_PL}L*DDDD{_PL_LAST}", f"{_PL}L DDD{_PL_LAST}{_PL_LAST}",
        f"{_PL}LL {_PL_LAST}DDD", f"{_PL}LL DD{_PL_LAST}{_PL_LAST}", f"{_PL}LL*DDDDD", f"{_PL}LL DDDD",
        f"{_PL}LL D{_PL_LAST}DD", f"{_PL}LL*DDD{_PL_LAST}", f"{_PL}L*DDDDD", letters=without("Q"),
        weight=1.3),
    _old("pl_old", "LLL DDDD", "LLL DDDL", letters=without("Q"), ink="light", weight=0.25),
    _eu("hu_2022", "LL LL-DDD", "LL LL*DDD", weight=0.4, code="H"),
    _eu("hu", "LLL-DDD", "LLL*DDD", letters=without("Q"), weight=0.7, code="H"),
    _old("hu_old", "LLL-DDD", letters=without("Q"), weight=0.15),
    _eu("at", f"{_AT_ONE}*DDDDL", f"{_AT_TWO}*DDDLL", f"{_AT_ONE}*DDDDLL", f"{_AT_TWO}*DDDL", "[W]*DDDDDL",
        f"{_AT_TWO}*DDDLLL", letters=without("IOQ"), weight=0.8, code="A"),
    _old("at_old", "L DDD.DDD", "L DDDDDD", "[W] DDD.DDD", "L DDDDD", letters="BGKLNOSTVW", ink="light",
         weight=0.2),
    _eu("si", f"{_SI}*LL-DDD", f"{_SI}*DD-LLL", f"{_SI}*L D-DDD", code="SLO"),
    PlateLayout("ch", (f"{_CH}*{_CH_FIRST}DDDDD", f"{_CH}*{_CH_FIRST}DDDD", f"{_CH}.{_CH_FIRST}DDDDD",
                       f"{_CH} {_CH_FIRST}DD DDD", f"{_CH}*{_CH_FIRST}DDD", f"{_CH}.{_CH_FIRST}DD"),
                aspect=4.5, height=0.68, weight=0.5),
)  # fmt: skip

_FR_DEPARTMENT = numbers(range(1, 20), range(21, 96)).replace("}", "|2A|2B}")
_IT_PROVINCES = codes(
    "AG AL AN AO AP AR AT AV BA BG BL BN BO BR BS BZ CA CB CE CH CL CN CO CR CS CT CZ EN FE FG FI FO FR GE "
    "GO GR IM IS LE LI LT LU MC ME MI MN MO MS MT NA NO NU OR PA PC PD PE PG PI PN PR PS PT PV PZ RA RC RE "
    "RG RI RO SA SI SO SP SR SS SV TA TE TN TO TP TR TS TV UD VA VC VE VI VR VT VZ"
)
_ES_PROVINCES = codes(
    "A AB AL AV B BA BI BU C CA CC CE CO CR CS CU GC GE GI GR GU H HU IB J L LE LO LU M MA ML MU NA O OR OU "
    "P PM PO S SA SE SG SO SS T TE TF TO V VA VI Z ZA"
)
_NL_LETTERS = "BDFGHJKLNPRSTVXZ"
_IE_COUNTIES = codes("C CE CN CW D DL G KE KK KY L LD LH LK LM LS MH MN MO OY RN SO TN TS WD WH WW WX")

_WEST = (
    _eu("fr", "LL-DDD-LL", letters=without("IOU"), weight=1.2, band="left right", code="F"),
    _old("fr_old", f"DDDD LL {_FR_DEPARTMENT}", f"DDD LLL {_FR_DEPARTMENT}", f"DDD LL {_FR_DEPARTMENT}",
         letters=without("IOU"), weight=0.5),
    _eu("it", "LL DDDLL", "LLDDDLL", "LL*DDDLL", letters=without("IOQU"), weight=1.1, band="left right",
        code="I"),
    _old("it_old", f"{_IT_PROVINCES} DDDDDD", f"{_IT_PROVINCES} LDDDDD", f"{_IT_PROVINCES} DLDDDD",
         letters="ABCDEFGHKLMNPRSTUVWXYZ", weight=0.2),
    _eu("es", "DDDD LLL", letters=_CONSONANTS, weight=1.0, code="E"),
    _old("es_old", f"{_ES_PROVINCES}-DDDD-LL", f"{_ES_PROVINCES}-DDDD-L", letters=without("QR"), weight=0.4),
    _eu("pt", "LL-DD-LL", "DD-LL-DD", letters=without("KWY"), weight=0.5, code="P"),
    _old("pt_old", "LL-DD-DD", "DD-DD-LL", "DD-LL-DD", letters=without("KWY"), weight=0.25),
    _eu("nl", "DD-LL-LL", "LL-LL-DD", "DD-LLL-D", "D-LLL-DD", "L-DDD-LL", "LL-DDD-L", "LLL-DD-L",
        letters=_NL_LETTERS, weight=0.9),
    _old("nl_old", "LL-DD-DD", "DD-DD-LL", "DD-LL-DD", letters=_NL_LETTERS, ink="light", weight=0.2),
    _eu("be", "[12]-LLL-DDD", weight=0.5, code="B"),
    _old("be_old", "LLL-DDD", "DDD-LLL", "LLL.DDD", weight=0.25),
    _eu("lu", "LL DDDD", "DDDDD", letters=without("IO"), weight=0.3, code="L"),
    _eu("ie", f"DD[12]-{_IE_COUNTIES}-DDDDD", f"DD[12]-{_IE_COUNTIES}-DDDD", f"DD[12]-{_IE_COUNTIES}-DDD",
        weight=0.3, code="IRL"),
    _eu("ie_old", f"DD-{_IE_COUNTIES}-DDDDD", f"DD-{_IE_COUNTIES}-DDDD", weight=0.2, code="IRL"),
)  # fmt: skip

_NORTH = (
    _eu("se", "LLL DDD", f"LLL DD[{without('IOQV')}]", letters=without("IQV"), code="S"),
    _old("se_old", "LLL DDD", letters=without("IQV"), weight=0.2),
    _eu("no", "LL DDDDD", letters=without("GIMOQ"), code="N"),
    _old("no_old", "LL DDDDD", "LL DDDD", letters=without("GIMOQ"), weight=0.15),
    _eu("dk", "LL DD DDD", letters=without("IOQW")),
    _old("dk_old", "LL DD DDD", "LL DDDDD", letters=without("IOQW"), weight=0.15),
    _eu("fi", "LLL-DDD", "LLL-DD", code="FIN"),
    _eu("ee", "DDD LLL", weight=0.3, code="EST"),
    _old("ee_old", "DDD LLL", weight=0.1),
    _eu("lv", "LL-DDDD", "LL-DDD", weight=0.3),
    _eu("lt", "LLL DDD", "LLL*DDD", letters=without("QWX"), weight=0.3),
    _old("lt_old", "LLL DDD", "LLL*DDD", letters=without("QWX"), weight=0.1),
)  # fmt: skip

_HR = codes("BJ BM DA DE DJ DU GS IM KA KC KR KT MA NA NG OG OS PU RI SB SI SK SL ST VK VT VU ZD ZG")
_RS = codes(
    "AC AL AR BB BC BG BO BP BT BU BV CO GM IC IN JA KA KC KI KL KM KO KS KV LB LE LO LU NI NP NS NV PA PB "
    "PE PI PN PO PP PR PZ RA RU SA SC SD SI SM SO SP SU SV TO TS TT UB UE UR VA VB VL VO VP VR VS ZA ZR"
)
_UA = codes("AA AB AC AE AH AI AK AM AO AP AT AX BA BB BC BE BH BI BK BM BO BT BX CA CB CE CH HH II KA KB KC")
_BG = codes("A B BH BP BT CA CB CC CH CM CO CT E EB EH H K KH M OB P PA PB PK PP T TX X Y")
_TR = numbers(range(1, 82))

_SOUTH_EAST = (
    _eu("bg", f"{_BG} DDDD LL", letters=_CYRILLIC, weight=0.7),
    _old("bg_old", f"{_BG} DDDD L", f"{_BG} DDDD LL", letters=_CYRILLIC, weight=0.15),
    _eu("gr", "LLL-DDDD", "LLL DDDD", letters=_GREEK, weight=0.5),
    _old("gr_old", "LLL-DDDD", "LL-DDDD", letters=_GREEK, weight=0.15),
    _eu("hr", f"{_HR}*DDD-LL", f"{_HR}*DDDD-LL", f"{_HR}*DDDD-L", f"{_HR}*DDD-L", letters=without("QWXY"),
        weight=0.4),
    _old("hr_old", f"{_HR}*DDD-LL", f"{_HR}*DDDD-LL", f"{_HR} DDD-L", letters=without("QWXY"), weight=0.2),
    _eu("rs", f"{_RS}*DDD-LL", f"{_RS}*DDDD-LL", letters=without("QWXY"), weight=0.4, code="SRB"),
    _eu("ba", "LDD-L-DDD", letters="AEJKMOT", weight=0.3, code="BIH"),
    _eu("md", "LLL DDD", "[C] LL DDD", letters=without("Q"), weight=0.3),
    _eu("ua", f"{_UA} DDDD LL", letters="ABEIKMHOPCTX", weight=0.6),
    _old("ua_old", "DDDDD LL", "DDD-DD LL", letters="ABEIKMHOPCTX", weight=0.15),
    _eu("tr", f"{_TR} L DDDD", f"{_TR} LL DDD", f"{_TR} LLL DD", f"{_TR} LLL DDD", f"{_TR} LL DDDD",
        f"{_TR} L DDDDD", letters=without("QWX"), weight=1.1),
    _two("tr_two", f"{_TR} L/DDDD", f"{_TR}/LL DDD", f"{_TR} LL/DDD", f"{_TR} LLL/DDD",
         letters=without("QWX"),
         weight=0.25),
)  # fmt: skip

_TWO_LINE = (
    _two("eu_two", "LL/DDDLL", "LLL/DDDD", "DDDD/LLL", "LL*LL/DDDD", "LL/DDDDD", "LL/DD.DDD", weight=0.5),
    _two("de_two", "L/LL DDD", "LL/LL DD", "LL*/LL DDD", "L*/L DDDD", "LLL/L DDD", letters=without("Q"),
         weight=0.4),
    _two("it_two", "LL DDD/LL", "LL/DDDDD", letters=without("IOQU"), aspect=1.5, weight=0.3),
    _two("fr_two", "LL DDD/LL", "LL-DDD/LL", letters=without("IOU"), aspect=1.4, weight=0.2),
    _two("pl_two", f"{_PL}L/DDDD{_PL_LAST}", f"{_PL}LL/DDDD", f"{_PL}L/DDDDD", letters=without("Q"),
         weight=0.2),
)  # fmt: skip

LAYOUTS: tuple[PlateLayout, ...] = _ROMANIA + _BRITAIN + _CENTRAL + _WEST + _NORTH + _SOUTH_EAST + _TWO_LINE
