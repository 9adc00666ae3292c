"""What must not stand in a note: numbers that identify, addresses, medical words, labels."""

import re

LONGEST_NOTE = 280

_DIGITS = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){7,8}(?!\d)")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)
# Beginnings of words; "arts" alone is fine: jeugdarts is somebody to talk with.
_MEDICAL_WORD = re.compile(
    r"\b(?:(?:adhd|add|pdd-?nos|ptss|ocd)\b"
    r"|(?:autis|asperger|depress|anorexi|boulimi|borderline|burn-?out|chemo|diabet|diagnos|dyslexi"
    r"|epilep|angststoornis|gedragsstoornis|stoornis|trauma|psychiat|psychos|suïcid|suicid"
    r"|zelfmoord|zelfbeschadig|automutil|verslav|zwanger|abortus|kanker|migraine|astma|reuma"
    r"|medicijn|medicat|medicament|ritalin|methylfenidaat|concerta|antidepress|paracetamol"
    r"|ibuprofen|therap|operatie|ziekenhuis)\w*)",
    re.IGNORECASE,
)
_LABEL_WORD = re.compile(
    r"\b(?:thuiszitter|risicoleerling|spijbelaar|schoolweigeraar|probleemgezin)\w*", re.IGNORECASE
)


def note_problems(note: str) -> tuple[str, ...]:
    """What is wrong with `note`, in Dutch for the page; nothing wrong is an empty tuple.

    >>> note_problems("Moeder gebeld, gesprek op donderdag met de mentor.")
    ()
    >>> note_problems("BSN 123456782")
    ('In de aantekening staat een burgerservicenummer. Haal het weg.',)
    """
    problems = []
    if len(note) > LONGEST_NOTE:
        problems.append(
            f"De aantekening is {len(note)} tekens lang; er is plaats voor {LONGEST_NOTE}."
        )
    if any(is_bsn(match.group()) for match in _DIGITS.finditer(note)):
        problems.append("In de aantekening staat een burgerservicenummer. Haal het weg.")
    if _EMAIL.search(note):
        problems.append("In de aantekening staat een e-mailadres. Haal het weg.")
    if medical := _MEDICAL_WORD.search(note):
        problems.append(
            f"In de aantekening staat een medisch woord: ‘{medical.group()}’. "
            "Leg hier geen medische gegevens vast."
        )
    if label := _LABEL_WORD.search(note):
        problems.append(
            f"Het woord ‘{label.group()}’ is een oordeel over een leerling of gezin. "
            "Beschrijf wat u ziet of wat u afspreekt."
        )
    return tuple(problems)


def is_bsn(text: str) -> bool:
    """Whether the digits in `text` pass the eleven-proof of the citizen service number.

    Numbers of eight digits get their leading zero back.

    >>> is_bsn("1234.56.782"), is_bsn("123456789"), is_bsn("000000000")
    (True, False, False)
    """
    digits = [int(character) for character in text if character.isdigit()]
    digits = [0] * (9 - len(digits)) + digits
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(weight * digit for weight, digit in zip(weights, digits, strict=True))
    return any(digits) and total % 11 == 0
