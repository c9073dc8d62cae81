"""Texts that follow no pattern, and small texts that are no part of the number."""

from __future__ import annotations

import random

from lprfast.formats import DIGITS, LATIN


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", " ").split("|"))


HEADERS = _lines(
    """
    Alabama | Alaska | Arizona | Arkansas | California | Colorado | Connecticut | Delaware | Florida |
    Georgia | Hawaii | Idaho | Illinois | Indiana | Iowa | Kansas | Kentucky | Louisiana | Maine |
    Maryland | Massachusetts | Michigan | Minnesota | Mississippi | Missouri | Montana | Nebraska |
    Nevada | New Hampshire | New Jersey | New Mexico | New York | North Carolina | North Dakota | Ohio |
    Oklahoma | Oregon | Pennsylvania | Rhode Island | South Carolina | South Dakota | Tennessee | Texas
    | Utah | Vermont | Virginia | Washington | West Virginia | Wisconsin | Wyoming | Ontario | Quebec |
    ARGENTINA | REPUBLICA ARGENTINA | BRASIL | PR-CURITIBA | SP-SAO PAULO | RJ-RIO DE JANEIRO | MEXICO |
    CHILE | COLOMBIA | PERU | SC-JOINVILLE | VICTORIA | QUEENSLAND | NIGERIA | SC-BLUMENAU | PR-LONDRINA
    """
)
SLOGANS = _lines(
    """
    The Garden State | Land of Lakes | America's Dairyland | First in Flight | Live Free |
    Sunshine State | Peach State | Treasure State | Ocean State | The Natural State | Wild, Wonderful |
    Life Elevated | Scenic Idaho | Famous Potatoes | Vacationland | Show Me State | Native America |
    Grand Canyon State | Evergreen State | visit.gov | Aloha State | The Beehive State | WARREN COUNTY |
    CLAY | SHELBY | University Alumni | Wildlife Fund | Support Education | Constitution State |
    Yours to discover | Auto Center | MOTORS | Autohaus Nord | City Cars | www.cars.com | Garage Sud |
    Premium Auto | EST 1988 | JAN 09 | DEC 12 | MAR | 2011
    """
)
FOOTERS = SLOGANS + HEADERS
COUNTRY_CODES = _lines("D | F | I | E | PL | CZ | SK | RO | H | A | NL | B | P | S | N | FIN | BG | HR | GB")


def free_symbols(rng: random.Random) -> list[str]:
    """A line of 3-10 characters by no pattern, in one to three groups: digits, letters or both."""
    alphabet = rng.choices((DIGITS, LATIN, LATIN + DIGITS), (0.2, 0.3, 0.5))[0]
    count = rng.choices(range(3, 11), (2, 4, 7, 9, 9, 5, 2, 1))[0]
    symbols = [rng.choice(alphabet) for _ in range(count)]
    for _ in range(rng.choices((0, 1, 2), (4, 5, 2))[0]):
        symbols.insert(rng.randrange(1, len(symbols)), rng.choice("   -.*"))
    return symbols


VOCABULARY = _lines(
    """
    open | please | keep | clear | delivery | entrance | service | parts | tyres | fresh | daily | coffee |
    bakery | garden | hotel | museum | station | centre | market | school | police | rescue | safety |
    caution | wide | load | turns | follow | distance | customers | only | parking | reserved | visitors |
    monday | friday | welcome | thank | you | drive | carefully | children | board | how | driving | call |
    heating | plumbing | roofing | express | cargo | freight | cleaning | your | city | and | the | for | of
    """
)
_SYLLABLES = _lines(
    "va | le | ro | mi | ka | tor | an | so | lu | di | re | no | ta | qu | ex | ber | li | gen | ur"
)
_ENDINGS = ("com", "org", "net", "de", "fr", "com.br", "co.uk", "pl")


def brand(rng: random.Random, syllables: int | None = None) -> str:
    """An invented name, capitalized, as on the lid of a boot."""
    count = syllables or rng.randrange(2, 5)
    return "".join(rng.choice(_SYLLABLES) for _ in range(count)).capitalize()


def phrase(rng: random.Random, low: int = 2, high: int = 5) -> str:
    """``low`` to ``high`` words in lower case."""
    return " ".join(rng.choice(VOCABULARY) for _ in range(rng.randint(low, high)))


def phone_number(rng: random.Random) -> str:
    """A telephone number of ten digits or more: longer than any plate, with + ( ) or /."""
    digits = iter("".join(rng.choice(DIGITS) for _ in range(14)))
    shape = rng.choice(
        (
            "(###) ###-####",
            "+## ### ######",
            "0###/#######",
            "1-800-###-####",
            "+## (0)## #######",
            "Tel. 0## ########",
        )
    )
    return "".join(next(digits) if c == "#" else c for c in shape)


def web_address(rng: random.Random) -> str:
    """A web or mail address, in lower case."""
    name, ending = brand(rng).lower() + rng.choice(("", "-" + rng.choice(VOCABULARY))), rng.choice(_ENDINGS)
    return rng.choice(
        (f"www.{name}.{ending}", f"{name}.{ending}/{rng.choice(VOCABULARY)}", f"info@{name}.{ending}")
    )


def clock_time(rng: random.Random, seconds: bool = False) -> str:
    """A time of day with colons."""
    text = f"{rng.randrange(24)}:{rng.randrange(60):02d}"
    return text + f":{rng.randrange(60):02d}" if seconds else text


def date_stamp(rng: random.Random) -> str:
    """Date and time as a camera writes them into its picture."""
    year, month, day = rng.randrange(1998, 2035), rng.randrange(1, 13), rng.randrange(1, 29)
    date = rng.choice(
        (f"{day:02d}.{month:02d}.{year}", f"{year}-{month:02d}-{day:02d}", f"{month}/{day}/{year}")
    )
    return rng.choice(("", "CAM 1  ")) + f"{date}  {clock_time(rng, seconds=True)}"


def price(rng: random.Random) -> str:
    """An amount with its currency; the sign keeps it from being a plate."""
    amount = f"{rng.randrange(1, 200)}.{rng.randrange(100):02d}"
    return rng.choice((f"${amount}", f"{amount} EUR/kg", f"-{rng.randrange(10, 80)} %", f"${amount}/gal"))
