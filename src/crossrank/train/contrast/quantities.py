"""Numbers with units, prices and dates in the notations people write them in."""

from __future__ import annotations

import datetime as dt
from random import Random

# unit -> language -> ways to write it: (suffix with its space, factor on the base value).
_WAYS: dict[str, dict[str, tuple[tuple[str, float], ...]]] = {
    "l": {
        "de": ((" l", 1), (" Liter", 1), ("l", 1), (" L", 1), ("L", 1), (" m³", 0.001)),
        "en": ((" l", 1), (" litres", 1), ("L", 1), (" liters", 1), (" L", 1), (" m³", 0.001)),
    },
    "ml": {
        "de": ((" ml", 1), ("ml", 1), (" Milliliter", 1), (" l", 0.001), (" cl", 0.1)),
        "en": ((" ml", 1), ("ml", 1), (" millilitres", 1), (" l", 0.001), (" cl", 0.1)),
    },
    "kg": {
        "de": ((" kg", 1), ("kg", 1), (" Kilogramm", 1), (" Kilo", 1), (" g", 1000)),
        "en": ((" kg", 1), ("kg", 1), (" kilograms", 1), (" kilos", 1), (" g", 1000)),
    },
    "g": {
        "de": ((" g", 1), (" Gramm", 1), ("g", 1), (" kg", 0.001)),
        "en": ((" g", 1), (" grams", 1), ("g", 1), (" kg", 0.001)),
    },
    "cm": {
        "de": ((" cm", 1), ("cm", 1), (" Zentimeter", 1), (" mm", 10), (" m", 0.01)),
        "en": ((" cm", 1), ("cm", 1), (" centimetres", 1), (" mm", 10), (" m", 0.01)),
    },
    "mm": {
        "de": ((" mm", 1), ("mm", 1), (" Millimeter", 1), (" cm", 0.1)),
        "en": ((" mm", 1), ("mm", 1), (" millimetres", 1), (" cm", 0.1)),
    },
    "m": {
        "de": ((" m", 1), (" Meter", 1), ("m", 1), (" cm", 100)),
        "en": ((" m", 1), (" metres", 1), ("m", 1), (" cm", 100)),
    },
    "km": {
        "de": ((" km", 1), (" Kilometer", 1), ("km", 1)),
        "en": ((" km", 1), (" kilometres", 1), ("km", 1)),
    },
    "m2": {
        "de": ((" m²", 1), (" Quadratmeter", 1), ("m²", 1), (" qm", 1)),
        "en": ((" m²", 1), (" square metres", 1), (" sqm", 1)),
    },
    "w": {
        "de": ((" W", 1), (" Watt", 1), ("W", 1), (" kW", 0.001)),
        "en": ((" W", 1), (" watts", 1), ("W", 1), (" kW", 0.001)),
    },
    "kw": {
        "de": ((" kW", 1), (" Kilowatt", 1), ("kW", 1), (" W", 1000)),
        "en": ((" kW", 1), (" kilowatts", 1), ("kW", 1), (" W", 1000)),
    },
    "wh": {
        "de": ((" Wh", 1), (" Wattstunden", 1), ("Wh", 1), (" kWh", 0.001)),
        "en": ((" Wh", 1), (" watt-hours", 1), ("Wh", 1), (" kWh", 0.001)),
    },
    "mah": {
        "de": ((" mAh", 1), ("mAh", 1), (" Milliamperestunden", 1), (" Ah", 0.001)),
        "en": ((" mAh", 1), ("mAh", 1), (" milliamp hours", 1), (" Ah", 0.001)),
    },
    "v": {
        "de": ((" V", 1), (" Volt", 1), ("V", 1)),
        "en": ((" V", 1), (" volts", 1), ("V", 1)),
    },
    "nm": {
        "de": ((" Nm", 1), (" Newtonmeter", 1), ("Nm", 1)),
        "en": ((" Nm", 1), (" newton metres", 1), ("Nm", 1)),
    },
    "db": {
        "de": ((" dB", 1), (" Dezibel", 1), (" dB(A)", 1)),
        "en": ((" dB", 1), (" decibels", 1), (" dB(A)", 1)),
    },
    "gb": {
        "de": ((" GB", 1), ("GB", 1), (" Gigabyte", 1), (" MB", 1000)),
        "en": ((" GB", 1), ("GB", 1), (" gigabytes", 1), (" MB", 1000)),
    },
    "mbit": {
        "de": ((" Mbit/s", 1), (" MBit pro Sekunde", 1), (" Gbit/s", 0.001)),
        "en": ((" Mbit/s", 1), (" megabits per second", 1), (" Gbit/s", 0.001)),
    },
    "mp": {
        "de": ((" Megapixel", 1), (" MP", 1), ("MP", 1)),
        "en": ((" megapixels", 1), (" MP", 1), ("MP", 1)),
    },
    "ppm": {
        "de": ((" Seiten pro Minute", 1), (" Seiten/min", 1), (" S./min", 1)),
        "en": ((" pages per minute", 1), (" ppm", 1), (" pages/min", 1)),
    },
    "min": {
        "de": ((" Minuten", 1), (" min", 1), (" Min.", 1), (" Stunden", 1 / 60)),
        "en": ((" minutes", 1), (" min", 1), (" hours", 1 / 60)),
    },
    "h": {
        "de": ((" Stunden", 1), (" h", 1), (" Std.", 1)),
        "en": ((" hours", 1), (" h", 1), (" hrs", 1)),
    },
    "days": {
        "de": ((" Tage", 1), (" Tage", 1), (" Wochen", 1 / 7)),
        "en": ((" days", 1), (" days", 1), (" weeks", 1 / 7)),
    },
    "months": {
        "de": ((" Monate", 1), (" Monate", 1), (" Jahre", 1 / 12)),
        "en": ((" months", 1), (" months", 1), (" years", 1 / 12)),
    },
    "years": {
        "de": ((" Jahre", 1), (" Jahre", 1), (" Monate", 12)),
        "en": ((" years", 1), (" years", 1), (" months", 12)),
    },
    "mg": {
        "de": ((" mg", 1), ("mg", 1), (" Milligramm", 1), (" g", 0.001)),
        "en": ((" mg", 1), ("mg", 1), (" milligrams", 1), (" g", 0.001)),
    },
    "bar": {
        "de": ((" bar", 1), (" Bar", 1), (" mbar", 1000)),
        "en": ((" bar", 1), (" bar", 1), (" mbar", 1000)),
    },
    "kmh": {
        "de": ((" km/h", 1), (" Kilometer pro Stunde", 1), (" Stundenkilometer", 1)),
        "en": ((" km/h", 1), (" kilometres per hour", 1), (" kph", 1)),
    },
    "percent": {
        "de": ((" %", 1), (" Prozent", 1), ("%", 1)),
        "en": (("%", 1), (" percent", 1), (" per cent", 1)),
    },
    "persons": {
        "de": ((" Personen", 1), (" Personen", 1), (" Pers.", 1)),
        "en": ((" people", 1), (" persons", 1), (" people", 1)),
    },
    "pieces": {
        "de": ((" Stück", 1), (" Stk.", 1), (" St.", 1)),
        "en": ((" pieces", 1), (" pcs", 1), (" pieces", 1)),
    },
    "fold": {
        "de": (("-fach", 1), ("x", 1), ("fach", 1)),
        "en": (("x", 1), (" times", 1), ("×", 1)),
    },
    "inch": {
        "de": ((" Zoll", 1), ("″", 1), ('"', 1)),
        "en": ((" inches", 1), ("-inch", 1), ('"', 1)),
    },
    "eur": {
        "de": ((" €", 1), (" Euro", 1), ("€", 1), (" EUR", 1)),
        "en": ((" €", 1), (" euros", 1), (" euro", 1), (" EUR", 1)),
    },
    "plain": {"de": (("", 1),), "en": (("", 1),)},
    "c": {
        "de": ((" °C", 1), ("°C", 1), (" Grad", 1), (" Grad Celsius", 1)),
        "en": ((" °C", 1), ("°C", 1), (" degrees", 1), (" degrees Celsius", 1)),
    },
}
# Units that change when there is one of them.
_ONE = {
    " Jahre": " Jahr",
    " Monate": " Monat",
    " Wochen": " Woche",
    " Tage": " Tag",
    " Stunden": " Stunde",
    " Minuten": " Minute",
    " Personen": " Person",
    " years": " year",
    " months": " month",
    " weeks": " week",
    " days": " day",
    " hours": " hour",
    " minutes": " minute",
    " people": " person",
    " persons": " person",
    " metres": " metre",
    " kilograms": " kilogram",
    " litres": " litre",
    " grams": " gram",
    " millilitres": " millilitre",
    " liters": " liter",
    " kilos": " kilo",
    " hrs": " hr",
    " kilowatts": " kilowatt",
    " pcs": " pc",
    " pieces": " piece",
    " gigabytes": " gigabyte",
}
UNITS = frozenset(_WAYS)
Value = str | bool | float | tuple[float, float]


def number(value: float, language: str, rng: Random) -> str:
    """The number as written in `language`: 1.500,50 in German, 1,500.50 in English."""
    whole, _, cents = f"{value:.3f}".rstrip("0").rstrip(".").partition(".")
    grouped = rng.random() < 0.6
    digits = f"{int(whole):,}" if grouped and len(whole.lstrip("-")) > 3 else whole
    if language == "de":
        return digits.replace(",", ".") + (f",{cents}" if cents else "")
    return digits + (f".{cents}" if cents else "")


def amount(value: float, unit: str, language: str, rng: Random) -> str:
    """The value with its unit, in one of the notations of the unit that write it exactly."""
    ways = [way for way in _WAYS[unit][language] if _readable(value * way[1], way[1])]
    suffix, factor = ways[int(rng.random() * len(ways))]
    if unit == "eur":
        return _price(value, suffix, language, rng)
    if round(value * factor, 6) == 1:
        suffix = _ONE.get(suffix, suffix)
    return number(value * factor, language, rng) + suffix


def between(value: tuple[float, float], unit: str, language: str, rng: Random) -> str:
    """A range such as `+2 °C bis +8 °C`, `2-8 °C`."""
    ways = [suffix for suffix, factor in _WAYS[unit][language] if factor == 1]
    suffix = ways[int(rng.random() * len(ways))]
    signed = rng.random() < 0.4 and unit == "c"
    low, high = (f"{v:+g}" if signed and v > 0 else f"{v:g}" for v in value)
    low, high = (text.replace(".", ",") if language == "de" else text for text in (low, high))
    style = rng.random()
    word = {"de": "bis", "en": "to"}[language]
    if style < 0.3 and value[0] >= 0 and not signed:
        return f"{low}–{high}{suffix}" if style < 0.15 else f"{low}-{high}{suffix}"
    return f"{low}{suffix} {word} {high}{suffix}" if style < 0.5 else f"{low} {word} {high}{suffix}"


def date(value: str, language: str, rng: Random) -> str:
    """An ISO date as people write it."""
    day = dt.date.fromisoformat(value)
    months = _MONTHS[language]
    style = rng.random()
    if language == "de":
        if style < 0.4:
            return f"{day:%d.%m.%Y}"
        if style < 0.55:
            return f"{day.day}.{day.month}.{day.year}"
        return f"{day.day}. {months[day.month - 1]} {day.year}"
    if style < 0.2:
        return value
    month = months[day.month - 1]
    return f"{day.day} {month} {day.year}" if style < 0.6 else f"{month} {day.day}, {day.year}"


def _readable(value: float, factor: float) -> bool:
    exact = abs(value * 100 - round(value * 100)) < 1e-6
    return factor == 1 or (exact and 0.05 <= value < 100_000)


def _price(value: float, suffix: str, language: str, rng: Random) -> str:
    cents = rng.random() < 0.3 or value != int(value)
    text = f"{value:,.2f}" if cents else f"{value:,.0f}"
    if rng.random() < 0.4:
        text = text.replace(",", "")
    if language == "de":
        text = text.replace(",", "_").replace(".", ",").replace("_", ".")
    before = language == "en" and suffix == " €"
    return f"€{text}" if before else text + suffix


_MONTHS = {
    "de": (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
