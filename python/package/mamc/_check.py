"""What arguments are. Each check gives a value as the native module takes it, or raises ValueError in the argument's name."""

import operator as _operator
import os as _os

import numpy as _np

MOST_THREADS = 256
_WORD = (1 << 64) - 1


def shown(value) -> str:
    """A value as a message can hold it."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:60] + "…"


def wrong(name, what, value):
    return ValueError(f"`{name}` is {what}, not {shown(value)}")


def number(name, value, what="a number") -> float:
    try:
        if not isinstance(value, (str, bytes, bytearray)):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise wrong(name, what, value)


def length(name, value):
    """Seconds, or a text for the native module to read."""
    return value if isinstance(value, str) else number(name, value, 'a number of seconds, or a text such as "2 bars"')


def whole(name, value, least, most) -> int:
    try:
        found = _operator.index(value)
    except TypeError:
        raise wrong(name, "a whole number", value) from None
    if not least <= found <= most:
        raise wrong(name, f"a whole number from {least} to {most}", value)
    return found


def seed(name, value) -> int:
    return whole(name, value, 0, _WORD)


def threads(name, value) -> int:
    return whole(name, value, 1, MOST_THREADS)


def count(name, value) -> int:
    return whole(name, value, 1, _WORD)


def flag(name, value) -> bool:
    if isinstance(value, (bool, _np.bool_)):
        return bool(value)
    raise wrong(name, "True or False", value)


def text(name, value) -> str:
    if isinstance(value, str):
        return value
    raise wrong(name, "a text", value)


def names(name, value) -> list:
    """One text, or several."""
    if isinstance(value, str):
        return [value]
    try:
        found = list(value)
    except TypeError:
        found = [None]
    if all(isinstance(one, str) for one in found):
        return found
    raise wrong(name, "a list of names", value)


def path(name, value) -> str:
    try:
        found = _os.fsdecode(value)
    except TypeError:
        raise wrong(name, "a path", value) from None
    if not found:
        raise ValueError(f"`{name}` is an empty path")
    return found


def values(name, value) -> dict:
    """A dictionary, or what makes one, with texts for names."""
    try:
        found = {} if value is None else dict(value)
    except (TypeError, ValueError):
        raise wrong(name, "a dictionary of values by their names", value) from None
    for key in found:
        if not isinstance(key, str):
            raise ValueError(f"`{name}`: a name is a text, not {shown(key)}")
    return found


def pair(name, value) -> tuple:
    """The first row and the one after the last."""
    try:
        first, end = value
        return whole(name, first, 0, _WORD), whole(name, end, 0, _WORD)
    except (TypeError, ValueError):
        raise wrong(name, "the number of the first row and that after the last, such as (0, 10000)", value) from None


def note(index, value) -> tuple:
    """The start, length, note, velocity and instrument of a note; `value` is one or has its fields."""
    at = f"notes[{index}]"
    length = value.length if value.length is None else number(f"{at}.length", value.length)
    instrument = value.instrument if value.instrument is None else text(f"{at}.instrument", value.instrument)
    start, pitch, vel = (number(f"{at}.{field}", getattr(value, field)) for field in ("start", "note", "vel"))
    return start, length, pitch, vel, instrument


OPTIONS = {
    "duration": length,
    "format": text,
    "features": names,
    "rows_range": pair,
    "shard_rows": count,
    "threads": threads,
    "seed_column": text,
    "clamp": flag,
    "no_silence": flag,
    "resume": flag,
    "verify": flag,
}
"""What the options of `write_shards` are, by their names."""
