"""Plates of the United States, Canada and Mexico.

US plates that look alike everywhere but for the state (vanity, small stacked letters, commercial, taxi ...)
are one row each for the whole country; passenger plates are a row per state.
"""

from __future__ import annotations

from lprfast.formats.layout import LATIN, PlateLayout, without

_CONSONANTS = without("AEIOUQ")
_SURE = without("IOQ")
# The weights below are relative to one another; times this, to those of the other continents.
_SHARE = 2.2


def _us(name: str, *patterns: str, letters: str = LATIN, weight: float = 0.15, ink: str = "dark",
        above: str = "", below: str = "", band: str = "", pitch: float = 0.56,
        twins: tuple[str, ...] = ()) -> PlateLayout:  # fmt: skip
    """A plate of 12 by 6 inches; texts above and below are given with ``|`` between them."""
    return PlateLayout(
        name, patterns, letters, aspect=2.0, height=0.47, ink=ink, band=band, header=True, footer=True,
        weight=_SHARE * weight, pitch=pitch, twins=twins, above=_texts(above), below=_texts(below),
    )  # fmt: skip


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|")) if text else ()


# Florida draws 0 as an O; many states' old dies do.
_ROUND_ZERO = ("0O",)

_STATES = (
    _us("us_al", "DLDDLDD", "DDLDDLD", "DDLDDDL", "DL&DDDD", above="Alabama | Heart of Dixie | ALABAMA",
        below="Sweet Home | God Bless America | Stars Fell On"),
    _us("us_ak", "LLL DDD", "LLL&DDD", above="ALASKA | Alaska",
        below="The Last Frontier | Celebrating Statehood",
        weight=0.1),
    _us("us_az", "LLL DDDD", "LLLDDDD", "DDD LLL", "LLL.DDD", "DDD.LLL", "L.DDDDD", letters=without("OQ"),
        above="ARIZONA", below="GRAND CANYON STATE", weight=0.2),
    _us("us_ar", "DDD LLL", "LLL DDL", "LLL&DDD", above="Arkansas | ARKANSAS", below="The Natural State"),
    _us("us_ca", "DLLLDDD", "DLLL DDD", "DLLLDDD", above="California | CALIFORNIA",
        below="dmv.ca.gov | Sesquicentennial | The Golden State | 150 YEARS", weight=0.56,
        letters=without("IOQ"),
        twins=_ROUND_ZERO),
    _us("us_co", "DDD-LLL", "LLL-DDD", "LLL-LDD", "DDD*LLL", above="COLORADO | Colorado", below="Colorado"),
    _us("us_ct", "DDD-LLL", "DDD.LLL", "LL.DDDDD", "LL DDDDD", above="Connecticut | CONNECTICUT",
        below="Constitution State", twins=_ROUND_ZERO),
    _us("us_dc", "LL-DDDD", "LL&DDDD", "LL DDDD", above="WASHINGTON, DC | WASHINGTON D.C.",
        below="TAXATION WITHOUT REPRESENTATION | CELEBRATE & DISCOVER | www.washingtondc.gov", weight=0.16),
    _us("us_de", "DDDDDD", "DDDDD", "[C]DDDDD", "[P][C] DDDDD", above="DELAWARE | Delaware",
        below="The First State", weight=0.1, ink="light"),
    _us("us_fl", "LLL LDD", "LLL&LDD", "LDD&DLL", "LDD DLL", "DDD&LLL", "LLL&DDL", "DDDD&LL",
        above="FLORIDA | MYFLORIDA.COM | Florida",
        below="Sunshine State | IN GOD WE TRUST | ORANGE | BROWARD",
        weight=0.4, twins=_ROUND_ZERO),
    _us("us_ga", "LLL DDDD", "LLL&DDDD", "DDDD LLL", "DDD LLL", "DDD.LLL",
        above="Georgia | www.GEORGIA.gov | GEORGIA",
        below="FULTON | COBB | GWINNETT | IN GOD WE TRUST | CLARKE | Peach State | HALL", weight=0.24),
    _us("us_hi", "LLL DDD", "[BEHJMNRSTVZ]LL DDD", above="HAWAII", below="ALOHA STATE"),
    _us("us_id", "DL DDDDD", "DL DDDD", "DL DDD", "DL  DDDD", "[K] DDDDDD", above="Scenic IDAHO | IDAHO",
        below="FAMOUS POTATOES", letters="ABCFGJLMPTW"),
    _us("us_il", "DDD DDDD", "LDD DDDD", "LL DDDDD", "LDD&DDDD", "DDD&DDDD", "L DDD DDD",
        above="Illinois | ILLINOIS", below="Land of Lincoln", weight=0.32),
    _us("us_in", "DDDLLL", "DDDLL", "DDDL", "DDD LLL", "&DDDLLL", "DDL DDDD",
        above="INDIANA | 49 - Marion | 02 - Allen | 45 - Lake | In God We Trust",
        below="INDIANA | Bicentennial 1816-2016 | www.in.gov | IN GOD WE TRUST", weight=0.24),
    _us("us_ia", "DDD LLL", "LLL DDD", "DDD&LLL", "DDDD LL", above="IOWA | Iowa",
        below="POLK | LINN | SCOTT | STORY | DUBUQUE | JOHNSON"),
    _us("us_ks", "DDD LLL", "LLL DDD", "DDD&LLL", "DDDD LLL", above="KANSAS | Kansas",
        below="JO | SG | SN | To the Stars"),
    _us("us_ky", "DDD LLL", "DDD-LLL", "LLL DDD", "LDL DDD", above="Kentucky | KENTUCKY",
        below="JEFFERSON | FAYETTE | Unbridled Spirit | BOONE | Bluegrass State"),
    _us("us_la", "LLL DDD", "DDD LLL", "LLL&DDD", above="Louisiana | LOUISIANA",
        below="Sportsman's Paradise | Bayou State"),
    _us("us_me", "DDDD LL", "DDDDLL", "DDD LLL", "&DDDD LL", above="MAINE", below="Vacationland"),
    _us("us_md", "LLL*DDD", "DLL*LDD", "DLL DDDD", "DLLDDDD", "LLL DDD", above="Maryland | MARYLAND",
        below="www.maryland.gov | War of 1812 | Treasure the Chesapeake | Maryland Proud", weight=0.24),
    _us("us_ma", "DDD LLD", "DDL LDD", "DLL LDD", "DLLL DD", "DDDD LL", "DDD LLL", "LDD DLL",
        above="Massachusetts | MASSACHUSETTS", below="The Spirit of America", weight=0.24),
    _us("us_mi", "LLL DDDD", "DLLL DD", "LLL DDD", "DLL LDD", "LDDDDD",
        above="MICHIGAN | Michigan | michigan.gov",
        below="Great Lakes Splendor | Pure Michigan | Great Lakes | World's Motor Capital", band="strip",
        weight=0.24),
    _us("us_mn", "DDD LLL", "LLL DDD", "DDD-LLL", "LLL-DDD", "DDD&LLL",
        above="Explore Minnesota | EXPLORE MINNESOTA | Minnesota", below="10,000 lakes"),
    _us("us_ms", "LLL DDD", "LLL&DDD", "LLL DDDD", "DDD LLL", above="MISSISSIPPI | Mississippi",
        below="HINDS | HARRISON | MADISON | RANKIN | IN GOD WE TRUST | The Hospitality State"),
    _us("us_mo", "LLD LDL", "LLD&LDL", "DDD LLL", "DDD&LLL", "LLL DDD", "LLL&DDD",
        above="Missouri | MISSOURI",
        below="SHOW-ME STATE | Show Me State | Bicentennial"),
    _us("us_mt", "D-DDDDL", "DD-DDDDL", "D-DDDDDL", "D&DDDDL", "DDD LLL", above="MONTANA | Montana",
        below="Big Sky Country | Treasure State | The Last Best Place", weight=0.1),
    _us("us_ne", "LLL DDD", "DD-LDDD", "D-LDDDD", "DD-LDD", above="NEBRASKA | Nebraska",
        below="www.nebraska.gov | Cornhusker State | The Good Life", weight=0.11),
    _us("us_nv", "DDD.LLL", "DDD LLL", "DDL.DDD", "LLL DDD", above="NEVADA", weight=0.18,
        below="THE SILVER STATE | Home Means Nevada", band="strip"),
    _us("us_nh", "DDD DDDD", "DDD&DDDD", "DDD DDD", above="LIVE FREE OR DIE | Live Free or Die",
        below="NEW HAMPSHIRE | New Hampshire"),
    _us("us_nj", "LLL.DDL", "LLL DDL", "LDD LLL", "LDD.LLL", "LLL&DDL", "LDD&LLL",
        above="New Jersey | NEW JERSEY",
        below="Garden State", weight=0.24),
    _us("us_nm", "DDD LLL", "DDD*LLL", "LLL DDD", "LLL LDD", above="New Mexico USA | NEW MEXICO | Centennial",
        below="Land of Enchantment", weight=0.11),
    _us("us_ny", "LLL DDDD", "LLL&DDDD", "LLL-DDDD", "LLL DDD", "LLL&DDD", "DLL DDD",
        above="NEW YORK | New York",
        below="THE EMPIRE STATE | EXCELSIOR | Empire State", band="strip", weight=0.4),
    _us("us_nc", "LLL-DDDD", "LLL DDDD", above="First in Flight | First in Freedom | NORTH CAROLINA",
        below="NORTH CAROLINA | North Carolina | In God We Trust"),
    _us("us_nd", "LLL DDD", "DDD LLL", above="Discover the Spirit | North Dakota | LEGENDARY",
        below="NORTH DAKOTA | PEACE GARDEN STATE", weight=0.1),
    _us("us_oh", "LLL DDDD", "LLLDDDD", "LL DD LL", "LLL*DDDD", above="OHIO | Ohio",
        below="FRANKLIN | CUYAHOGA | HAMILTON | Birthplace of Aviation | SUMMIT | Ohio Pride", weight=0.24),
    _us("us_ok", "DDD LLL", "LLL DDD", "DDD&LLL", "LLLDDD", above="OKLAHOMA | Explore Oklahoma",
        below="NATIVE AMERICA | OK! | TravelOK.com | Imagine That"),
    _us("us_or", "DDD LLL", "DDD&LLL", "LLL&DDD", "LLL DDD", above="Oregon | OREGON",
        below="Pacific Wonderland | Oregon"),
    _us("us_pa", "LLL DDDD", "LLL.DDDD", "LLL-DDDD", "LLL*DDDD", "LLL&DDDD", above="PENNSYLVANIA",
        band="strip",
        below="visitPA.com | www.state.pa.us | KEYSTONE STATE", weight=0.32),
    _us("us_ri", "LL DDD", "LL-DDD", "DDD DDD", "DDDDDD", "LLL DDD", above="Rhode Island | RHODE ISLAND",
        below="Ocean State | Beautiful Rhode Island", weight=0.1),
    _us("us_sc", "LLL DDD", "LLL&DDD", "DDD LLL", "LLL.DDD", above="South Carolina | SOUTH CAROLINA",
        below="Smiling Faces. Beautiful Places. | Travel2SC.com | While I breathe, I hope"),
    _us("us_sd", "DLL DDD", "DDL DDD", "DL DDDD", "DD LDDD", above="South Dakota | SOUTH DAKOTA",
        below="Great Faces. Great Places.", weight=0.1),
    _us("us_tn", "DDD-LLL", "DDD LLL", "LDD-DDL", "LDD DDL", "LLL DDDD",
        above="Tennessee | The Volunteer State",
        below="KNOX | SHELBY | DAVIDSON | BLOUNT | TNVACATION.COM | WILSON", weight=0.2),
    _us("us_tx", "LLL DDDD", "LLL.DDDD", "LLL*DDDD", "LLD LDDD", "LLD*LDDD", "DDD&LLL", "LDD LLL", "LLL DDL",
        letters=_CONSONANTS, above="TEXAS", below="The Lone Star State | TEXAS", weight=0.48),
    _us("us_ut", "LDD DLL", "LDD&DLL", "DDD LLL", "DDD&LLL", "LLL&DDD", above="UTAH | Utah | UTAH!",
        below="Life Elevated | GREATEST SNOW ON EARTH | CENTENNIAL 1896-1996 | Arches"),
    _us("us_vt", "LLL DDD", above="Vermont | VERMONT", below="Green Mountain State", ink="light", weight=0.1),
    _us("us_va", "LLL-DDDD", "LLL DDDD", "LLL-DDD", above="VIRGINIA | Virginia",
        below="Virginia is for Lovers | 400th Anniversary | 1607 2007", weight=0.28),
    _us("us_wa", "DDD LLL", "DDD.LLL", "DDD-LLL", "LLLDDDD", "LLL&DDDD", "DDD&LLL",
        above="WASHINGTON | Washington",
        below="EVERGREEN STATE | Evergreen State", weight=0.2),
    _us("us_wv", "DLL DDD", "DL DDDD", "L DDDDD", "[O] DDDDD", above="West Virginia | WEST VIRGINIA",
        band="strip",
        below="Wild, Wonderful"),
    _us("us_wi", "DDD-LLL", "LLL-DDD", "LLL-DDDD", "DDD LLL", above="WISCONSIN | Wisconsin",
        below="America's Dairyland", weight=0.18),
    _us("us_wy", "D&DDDLL", "DD&DDDLL", "DD&DDLL", "D&DDDD", "D-DDDDD", "DD-DDDD", "D DDDDLL", "D.DDD",
        "DD&DDDD",
        above="WYOMING | Wyoming", below="WYOMING | Forever West", weight=0.13),
)  # fmt: skip

_US_KINDS = (
    _us("us_vanity", "LLLLLL", "LLLLLLL", "LLLLL", "LLLL", "LLLDLLL", "LLLLDD", "LLLL LL", "LL LLLL", "LLLDL",
        "LLL LLLL", "LDLLLL", "DLLLLL", "LLLDDD", "LLDLLL", "XXXXXX", "XXXXXXX", "XXXXX", "[I]LLLLL",
        "[I]LLLLLL",
        "[I] LLLL", "LL[I]LLL", weight=1.85),
    _us("us_prefix", "!DDDD", "!LLDDD", "!DDDDD", "!XXXX", "!LLDD", "!DDD LL", "!DDDL", "!XXXXX",
        weight=1.09),
    _us("us_last_stacked", "DDDD!", "LLDDD!", "DDDDD!", "LDDDD!", "D&DDD!", "XXXX!", weight=0.6),
    _us("us_picture", "*XXXX", "&XXXXX", "&DDDL", "&LLDDD", "XXXX&", "&XXXX", "&DDDDD", "&LLL", "&DDD LL",
        "&LLLLL", "&LLLLLL", "LDD&DLL", "&LLLDDD", "DDD&DDD", "LLL&DDD", weight=1.9),
    _us("us_picture_stacked", "&!DDDD", "&!DDD", "&DDDD!", "&XXXX!", "&!XXXX", "&!DDDDD", weight=0.9),
    _us("us_handicapped", "&DDDD!", "&DDDDD", "&LLDDD", "DDDD&", "DDDDD&", "DDD&LL", "DDD[D][V]",
        "[D][V] DDDDL",
        "DDDDD[D][V]", "DDDDD[D]&", "LLDDD&", weight=0.34,
        above="HANDICAPPED | Disabled Person | Florida | OHIO"),
    _us("us_commercial", "DLDDDDD", "DDDDDLD", "LDD DDD", "DDDDD-LL", "DDDDD LL", "[T]DD-DDDL", "LL-DDDDD",
        "DDD DDDL", "XX DDDDD", weight=0.42,
        below="COMMERCIAL | Commercial | COMM'L | BUSINESS | FLEET | APPORTIONED"),
    _us("us_truck", "DDDDDL", "L DDDDDD", "DDL LDD", "LDDDDDD", "DDD DDDL", "DDDDDD [B]", "[T] DDDDDD",
        "LLD DDDD",
        weight=0.34, below="TRUCK | TRAILER | FARM | PICKUP | TRUCK-TRACTOR", letters=_SURE),
    _us("us_taxi", "DLDD", "[T]DDDDDD[C]", "DDDD[T][X]", "[L]DDDDD", "[O][T]DDDD", "[H]DDDDD", "[H]-DDDD",
        weight=0.21, below="TAXI | LIVERY | FOR HIRE | T&LC", above="TAXI | New York | NEW YORK | Illinois"),
    _us("us_dealer", "[D]DDDD", "[D][L][R] DDDD", "DDDD [D]", "[D][L] DDDD", "DDD-DDD[D]",
        "[D]-DDDDL", "! DDD", weight=0.21,
        below="DEALER | Dealer | DLR | TRANSPORTER | MANUFACTURER"),
    _us("us_county", "DD-DDDD", "D-DDDDD", "DDL DDDD", "DD LDDD", "DLDDDD", "DDLDDDD", "D*DDDD", weight=0.34),
    _us("us_short", "DDDD", "LL DD", "L DDDD", "DDDDD", "LLL DD", "DD LL", "XXX", "XX XX", "DDDDDD", "LLL",
        "LL",
        weight=0.5),
    _us("us_official", "DDDDDD", "DDD DDD", "[S][O]-DDDD", "DDDDD", "[E]DDDDDD", "[X]DDDDD", weight=0.21,
        above="U.S. GOVERNMENT | STATE OWNED | EXEMPT | MUNICIPAL",
        below="OFFICIAL USE ONLY | EXEMPT | MUNICIPAL | STATE"),
    _us("us_dark", "LLL DDD", "LLL*DDD", "DDD LLL", "LLL DDDD", "LLLLLL", "LLLDDD", "DLLLDDD", ink="light",
        weight=0.5),
    _us("us_two", "LL/DDDD", "DDD/LLL", "LLL/DDD", "DD/LDDD", weight=0.21),
)  # fmt: skip

_CANADA = (
    _us("ca_on", "LLLL DDD", "LLLL&DDD", "LLL DDD", "LLL&DDD", above="ONTARIO",
        below="YOURS TO DISCOVER | A Place to Grow", letters=without("GIOQU")),
    _us("ca_qc", "LDD LLL", "DDD LLL", "LLL DDD", "LDD&LLL", above="Québec", below="Je me souviens",
        letters=_SURE),
    _us("ca_bc", "LLD DDL", "DDD LLL", "LLL DDD", "DDD&LLL", above="Beautiful | BRITISH COLUMBIA",
        below="British Columbia", letters=without("IOQUYZ"), weight=0.14),
    _us("ca_ab", "LLL-DDDD", "LLL DDDD", "LLL-DDD", above="Alberta | ALBERTA", below="Wild Rose Country",
        letters=_CONSONANTS, weight=0.13),
    _us("ca_mb", "LLL DDD", "LLL&DDD", above="MANITOBA | Friendly MANITOBA",
        below="Friendly Manitoba | 100,000 lakes",
        letters=_SURE, weight=0.08),
    _us("ca_sk", "DDD LLL", "DDD*LLL", above="Saskatchewan", below="Land of Living Skies", weight=0.08,
        letters=_SURE),
    _us("ca_ns", "LLL DDD", "LLL.DDD", "LL DDDD", above="NOVA SCOTIA | Nova Scotia",
        below="Canada's Ocean Playground",
        letters=_SURE, weight=0.08),
    _us("ca", "LLLL DDD", "LLLL*DDD", "LLL DDDD", "LL DDD L", "LDD LLL", "DDD LLL", "LLL DDL", weight=0.8),
)  # fmt: skip

_MEXICO_STATES = (
    "JALISCO | NUEVO LEON | PUEBLA | SONORA | DISTRITO FEDERAL | EDO. DE MEXICO | VERACRUZ | YUCATAN"
)
_MEXICO = (
    _us("mx", "LLL-DD-DD", "LLL-DDD-L", "LLL-DDDD", "LLL DDD L", letters=without("IOQ"), weight=0.4,
        above="MEXICO",
        below=_MEXICO_STATES),
    _us("mx_city", "LDD-LLL", "DDD-LLL", "LDD LLL", letters=without("IOQ"), weight=0.2,
        above="CDMX | DISTRITO FEDERAL | CIUDAD DE MEXICO", below="MEXICO | Capital de la Transformacion"),
    _us("mx_truck", "LL-DDDDD", "LL-DDDD-L", "LL-DD-DDD", letters=without("IOQ"), weight=0.15,
        above=_MEXICO_STATES,
        below="MEXICO | TRANSPORTE PRIVADO CAMION"),
)  # fmt: skip

LAYOUTS: tuple[PlateLayout, ...] = _STATES + _US_KINDS + _CANADA + _MEXICO
