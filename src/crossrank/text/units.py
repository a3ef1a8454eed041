"""Units of measurement in German and English, and what each is in its base unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `base` is the sign of the unit it converts to exactly, `factor` how many of them."""

    base: str
    factor: Decimal
    word: str


# base | factor | term of the unit itself | signs (case matters) | words (any case)
_TABLE: Final = """
ml|1|ml|ml mL|milliliter millilitern milliliters millilitre millilitres
ml|10|cl|cl cL|zentiliter zentilitern centiliter centiliters centilitre centilitres
ml|100|dl|dl dL|deziliter
ml|1000|liter|l L ltr Ltr|liter litern liters litre litres
ml|100000|hl|hl|hektoliter
ml|1000000|m3|m³ m3 cbm|kubikmeter kubikmetern
ml|0.001|µl|µl μl|mikroliter
mm|1|mm|mm|millimeter millimetern millimeters millimetre millimetres
mm|10|cm|cm|zentimeter zentimetern centimeter centimeters centimetre centimetres
mm|1000|meter|m|meter metern meters metre metres
mm|1000000|km|km|kilometer kilometern kilometers kilometre kilometres
mm|25.4|zoll|"|zoll inch inches
mm|304.8|ft|ft|feet
mm|0.001|µm|µm μm|mikrometer
mm|0.000001|nm|nm|nanometer
qm|1|m2|m² m2 qm|quadratmeter quadratmetern
qm|10000|hektar|ha|hektar hectares
qm|1000000|km2|km² km2|quadratkilometer quadratkilometern
g|1|g|g gr|gramm gram grams
g|1000|kg|kg Kg KG|kilogramm kilogram kilograms kilo kilos
g|0.001|mg|mg|milligramm milligram milligrams
g|0.000001|µg|µg μg mcg|mikrogramm microgram micrograms
g|1000000|tonne|t|tonne tonnen tonnes
w|1|watt|W|watt watts
w|1000|kw|kW KW|kilowatt kilowatts
w|1000000|mw|MW|megawatt
w|0.001|milliwatt|mW|milliwatt
wh|1|wh|Wh|wattstunde wattstunden
wh|1000|kwh|kWh KWh kwh|kilowattstunde kilowattstunden
wh|1000000|mwh|MWh|megawattstunde megawattstunden
v|1|volt|V|volt volts
v|1000|kv|kV|kilovolt
v|0.001|mv|mV|millivolt
a|1|ampere|A|ampere amperes
a|0.001|ma|mA|milliampere
ah|1|ah|Ah|amperestunden
ah|0.001|mah|mAh|milliamperestunden
hz|1|hertz|Hz|hertz
hz|1000|khz|kHz|kilohertz
hz|1000000|mhz|MHz|megahertz
hz|1000000000|ghz|GHz|gigahertz
db|1|dezibel|dB dB(A)|dezibel decibel decibels
°c|1|grad|°C °c ° º ºC|grad degrees
°c|1|grad|°Celsius|celsius
°f|1|fahrenheit|°F|fahrenheit
pa|1|pascal|Pa|pascal
pa|100|hpa|hPa mbar|hektopascal millibar
pa|1000|kpa|kPa|kilopascal
pa|1000000|mpa|MPa|megapascal
pa|100000|bar|bar|
%|1|prozent|%|prozent percent v.h.
eur|1|euro|€ EUR Eur|euro euros
eur|0.01|cent|ct|cent cents
usd|1|dollar|$ USD|dollar dollars
byte|1|byte|B|byte bytes
byte|1000|kb|kB KB|kilobyte kilobytes
byte|1000000|mb|MB|megabyte megabytes
byte|1000000000|gb|GB|gigabyte gigabytes
byte|1000000000000|tb|TB|terabyte terabytes
byte|1048576|mib|MiB|mebibyte
byte|1073741824|gib|GiB|gibibyte
s|1|sekunde|s sec sek Sek.|sekunde sekunden second seconds
s|0.001|ms|ms|millisekunde millisekunden millisecond milliseconds
s|60|minute|min min.|minute minuten minutes
s|3600|stunde|h Std Std. hrs|stunde stunden hour hours
s|86400|tag||tag tage tagen day days
s|604800|woche||woche wochen week weeks
monat|1|monat||monat monate monaten month months
monat|12|jahr||jahr jahre jahren year years
lm|1|lumen|lm|lumen
lx|1|lux|lx|lux
km/h|1|kmh|km/h kmh|stundenkilometer
u/min|1|rpm|U/min rpm|umdrehungen
px|1|pixel|px|pixel pixeln pixels
mp|1|megapixel|MP|megapixel megapixels
dpi|1|dpi|dpi|
kcal|1|kcal|kcal|kilokalorien
ppm|1|ppm|ppm|
"""


def _read_table() -> tuple[dict[str, Unit], dict[str, Unit]]:
    signs: dict[str, Unit] = {}
    words: dict[str, Unit] = {}
    for line in _TABLE.split("\n")[1:-1]:
        base, factor, term, short, long = line.split("|")
        unit = Unit(base, Decimal(factor), term)
        signs.update(dict.fromkeys(short.split(), unit))
        words.update(dict.fromkeys(long.split(), unit))
    return signs, words


SIGNS, WORDS = _read_table()


def _trie(names: set[str]) -> str:
    """One pattern for many names, branching letter by letter (an alternation would be slow)."""
    if names == {""}:
        return ""
    heads: dict[str, set[str]] = {}
    for name in names - {""}:
        heads.setdefault(name[0], set()).add(name[1:])
    branches = "|".join(re.escape(head) + _trie(rest) for head, rest in sorted(heads.items()))
    return f"(?:{branches})" + ("?" if "" in names else "")


def _pattern() -> str:
    cased = {form for word in WORDS for form in (word, word.capitalize(), word.upper())}
    two = {
        f"{first}{gap}{second}"
        for first in ("Grad", "grad", "degrees", "degree", "Degrees")
        for second in ("Celsius", "celsius", "Fahrenheit", "fahrenheit")
        for gap in " \n\ue000"
    } | {"US-Dollar", "US-dollars"}
    return f"{_trie(cased | two | set(SIGNS))}(?!\\w)"


UNIT: Final = _pattern()
"""Pattern of a unit as written; it ends where a word ends."""


def find_unit(written: str) -> Unit:
    """The unit for a text that `UNIT` matched."""
    if written in SIGNS:
        return SIGNS[written]
    low = written.lower()
    if low in WORDS:
        return WORDS[low]
    return WORDS[
        low.split()[-1].removeprefix("us-").removesuffix("s") if "-" in low else low.split()[-1]
    ]
