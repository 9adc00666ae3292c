"""Lists from which names are composed at random; any likeness to a person is chance."""

import numpy as np

_GIVEN = """
Noah,Lucas,Sem,Finn,Levi,Luuk,Daan,Milan,Bram,Mees,Liam,James,Adam,Benjamin,Thijs,Jesse,Gijs
Ruben,Hugo,Siem,Mohammed,Olivier,Thomas,Julian,Stijn,Jens,Floris,Teun,Tijn,Lars,Sven,Joris
Yusuf,Ibrahim,Amir,Bilal,Omar,Hamza,Ayoub,Jayden,Damian,Quinten,Rayan,Ilyas,Mats,Ties,Pepijn
Casper,Emma,Julia,Mila,Tess,Sophie,Zoë,Sara,Nora,Yara,Eva,Liv,Saar,Evi,Lotte,Noor,Olivia
Anna,Milou,Lynn,Fleur,Elin,Maud,Lauren,Sofia,Isa,Fenna,Roos,Loïs,Feline,Jasmijn,Amira,Maryam
Aya,Fatima,Zeynep,Elif,Esila,Nina,Lina,Vera,Sanne,Femke,Iris,Merel,Puck,Juul,Bo,Robin,Sam
Noa,Charlie,Jip,Renée,André,Chloë,Daniël,Michaël,Rafaël,Anouk,Hanna,Eline,Marit,Ilse,Wies
Dewi,Ravi,Priya,Shreya
"""
_FAMILY = """
de Jong,Jansen,de Vries,van den Berg,van Dijk,Bakker,Janssen,Visser,Smit,Meijer,de Boer
Mulder,de Groot,Bos,Vos,Peters,Hendriks,van Leeuwen,Dekker,Brouwer,de Wit,Dijkstra,Smits
de Graaf,van der Meer,van der Linden,Kok,Jacobs,de Haan,Vermeulen,van den Heuvel
van der Veen,van den Broek,de Bruijn,van der Heijden,Schouten,van Beek,Willems,van Vliet
van de Ven,Hoekstra,Maas,Verhoeven,Koster,van Dam,Prins,Blom,Huisman,Peeters,de Jonge
Kuipers,van Veen,Postma,Kuiper,Veenstra,Kramer,van den Brink,Scholten,van Wijk,Timmermans
Groen,Gerritsen,Bosman,van Loon,van der Ploeg,Martens,Molenaar,Boersma,van de Pol,Evers
Hermans,van der Wal,de Lange,Sanders,Bosch,van den Bosch,Hofman,Wolters,Zijlstra,Yilmaz,Kaya
Demir,Çelik,Öztürk,El Amrani,Bouzid,El Idrissi,Ben Ali,Achahbar,Nguyen,Wong,Chen,Singh
Ramdin,Kowalski,Nowak,Tesfay,Hassan,Abdi,Rodrigues,da Silva,Pinas,Wijdenbosch,Martina,Tahir
Haddad,ten Brink,in 't Veld,op den Kamp,ter Horst,van 't Hof,uit den Bogaard,te Winkel
Müller,Brandão,Lemaître
"""
_PRIMARY_SCHOOLS = """
Regenboog,Wegwijzer,Vlinder,Klimop,Zonnebloem,Kameleon,Zevensprong,Springplank,Horizon,Ark
Kastanje,Watermolen,Vuurvlinder,Bongerd,Meent,Dijkwachter,Vliegenier,Wilgenhof,Toermalijn
Notendop,Veldmuis,Haven,Windroos,Kornoelje,Sterrenwacht,Zandloper,Eikenhorst,Polderpoort
Tuimelaar,Lantaarn,Heggenrank,Wissel,Waterlelie,Boomgaard,Ooievaar,Trekvogel
"""
_SECONDARY_SCHOOLS = """
Merwestein,Lindenholt,Zuiderlicht,Waterland,Oosterpoort,Grienden,Westerkim,Rivierenhof
Eemgaard,Noorderbaken,Vechtdal,Heuvelrug
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.strip().replace("\n", ",").split(","))


GIVEN_NAMES = _words(_GIVEN)
FAMILY_NAMES = tuple(f" {name}".rsplit(" ", 1) for name in _words(_FAMILY))
SCHOOL_WORDS = {"po": _words(_PRIMARY_SCHOOLS), "vo": _words(_SECONDARY_SCHOOLS)}


def draw_names(count: int, rng: np.random.Generator) -> tuple[list[str], list[str], list[str]]:
    """Given names, prefixes (tussenvoegsels; blank for most) and family names."""
    given = [GIVEN_NAMES[index] for index in rng.integers(0, len(GIVEN_NAMES), count)]
    family = [FAMILY_NAMES[index] for index in rng.integers(0, len(FAMILY_NAMES), count)]
    return given, [prefix.strip() for prefix, _ in family], [name for _, name in family]


def school_name(sector: str, order: int) -> str:
    """The name of the `order`-th invented school of a sector.

    >>> school_name("po", 0), school_name("vo", 13)
    ('De Regenboog', 'Lindenholt College 2')
    """
    words = SCHOOL_WORDS[sector]
    word = words[order % len(words)]
    again = f" {order // len(words) + 1}" if order >= len(words) else ""
    return f"De {word}{again}" if sector == "po" else f"{word} College{again}"
