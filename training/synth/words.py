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
