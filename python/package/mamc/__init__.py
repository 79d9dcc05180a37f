"""Songs and sounds compiled to machine code.

    >>> song = mamc.compile("bd = kick()\\nplay { bd |x...| }\\nout = bd\\n")
    >>> sound = song.render(1.0, {"bd.f0": "60Hz"})        # float32, frames × channels

A song is compiled once and rendered as often as one likes, each time with other values. What comes out is what `mamc render`
gives with the same values as `--set`, to the bit. Rendering lets other threads of Python run.
"""

from __future__ import annotations

from dataclasses import dataclass
import json as _json
import os as _os
from pathlib import Path as _Path
import tempfile as _tempfile
import warnings as _warnings

import numpy as _np

from . import _check, _html, _native

__version__ = _native.__version__
__all__ = ["Error", "Note", "Param", "Problem", "Song", "compile"]


@dataclass(frozen=True)
class Problem:
    """Something that is wrong or odd in a song."""

    code: str
    """Its name: `mamc explain CODE` says more."""
    severity: str
    """`error`, `warning` or `note`."""
    message: str
    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    help: str | None = None
    """What mends it."""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"
        return f"{text}\n  help: {self.help}" if self.help else text


class Error(ValueError):
    """A song with errors, or an argument that cannot be. `problems` are those of the song."""

    def __init__(self, message: str, problems: list[Problem] | None = None):
        super().__init__(message)
        self.problems = problems or []

    def __reduce__(self):
        return (Error, (self.args[0], self.problems))

    def _repr_html_(self) -> str:
        return _html.problems(self.problems) or _html.text(str(self))


@dataclass(frozen=True)
class Param:
    """Something that can be set before a render."""

    name: str
    default: float
    """Value at the start, in base units (Hz, s, plain numbers)."""
    min: float
    """Least value; -inf without a range."""
    max: float
    unit: str
    """`Hz`, `s`, or empty for plain numbers."""
    scale: float
    """What a number without a unit is multiplied by to be in base units: 0.001 for one that is read in milliseconds."""
    curve: str
    """How it goes from one value to the next: `linear`, `exp` or `step`."""


@dataclass(frozen=True)
class Note:
    """A note that is played instead of the score."""

    note: float
    """MIDI note number; 69 is 440 Hz."""
    start: float = 0.0
    """In seconds."""
    length: float | None = None
    """How long it is held, in seconds; to the end where None."""
    vel: float = 1.0
    instrument: str | None = None
    """Which instrument plays it; the only one where None."""


class _Errors:
    """Makes our errors of the native module's."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is ValueError:
            raise Error(str(error)) from None
        if kind is UnicodeEncodeError:
            raise Error(f"{_check.shown(error.object)} is not text: a half of a character stands alone in it") from None


_errors = _Errors()


def compile(
    text_or_path,
    *,
    rate: int | None = None,
    channels: int | None = None,
    seed: int | None = None,
    portable: bool = False,
    sets: dict | None = None,
    allow_outside: bool = False,
    name: str = "song.mam",
) -> Song:
    """Compiles a song: a text with a newline in it, or else the path of a file, or the name of an instrument.

    `rate` and `channels` are the song's own where they are None, else 48000 and 2. `portable` gives the same bits on every
    machine. `sets` are values for all renders, `name` is what a text is called in messages.

    Raises `Error` with the song's problems.
    """
    with _errors:
        options = dict(
            rate=None if rate is None else _check.whole("rate", rate, 0, (1 << 32) - 1),
            channels=None if channels is None else _check.whole("channels", channels, 1, 255),
            seed=None if seed is None else _check.seed("seed", seed),
            portable=_check.flag("portable", portable),
            sets=[f"{key}={value}" for key, value in _check.values("sets", sets).items()],
            allow_outside=_check.flag("allow_outside", allow_outside),
        )
        name = _check.text("name", name)
        if isinstance(text_or_path, str) and "\n" in text_or_path:
            return Song(text_or_path, None, name, options)
        return Song(None, _check.path("text_or_path", text_or_path), name, options)


class Song:
    """A compiled song. Make one with `compile`. It can be pickled, and is compiled again where it arrives."""

    def __init__(self, text, path, name, options):
        with _errors:
            native, problems = _native.compile(text, path, name, **options)
        fields = ("code", "severity", "message", "file", "line", "column", "help")
        found = [Problem(**{key: p[key] for key in fields}) for p in _json.loads(problems)["problems"]]
        if native is None:
            raise Error("\n".join(map(str, found)), found)
        self._native = native
        self._made_of = (text, path, name, options)
        self.problems: list[Problem] = found
        self.rate: int = native.rate
        self.latency: int = native.latency
        self.channels: int = native.channels
        self.title: str | None = native.title
        self.portable: bool = native.portable
        self.instruments: list[str] = native.instruments
        self.params: dict[str, Param] = {row[0]: Param(*row) for row in native.params()}

    def render(
        self, duration, params=None, *, seed=None, tempo=None, notes=None, out=None, planar=False
    ) -> _np.ndarray:
        """Renders once: float32, frames × channels, or channels × frames with `planar`.

        `duration` is in seconds, or a text such as "2 bars". `params` are values at the start, numbers or texts with units.
        `notes` are played instead of the score. `out` is an array to render into.
        """
        with _errors:
            row = _check.values("params", params)
            if seed is not None:
                row["seed"] = _check.seed("seed", seed)
            if tempo is not None:
                row["tempo"] = tempo
            frames, out = self._room((), duration, out, planar)
            if notes is not None:
                notes = _notes(notes)
            _warn(self._native.render_into([_plain(row)], frames, out, 1, planar, notes))
        return out

    def _room(self, rows, duration, out, planar):
        """Frames of a duration, and an array for so many rows of them."""
        frames = self._native.frames(_check.length("duration", duration))
        shape = (self.channels, frames) if _check.flag("planar", planar) else (frames, self.channels)
        return frames, _array(out, (*rows, *shape))

    def batch(self, rows, duration, *, out=None, threads=None, planar=False) -> _np.ndarray:
        """Renders once for each row: float32, rows × frames × channels.

        `rows` is a list of dictionaries, a dictionary of columns, or a data frame; columns are parameters, `seed`, `tempo`,
        `note`, `vel` and `gate`. `threads` is one for each core by default.
        """
        rows = _rows(rows)
        with _errors:
            frames, out = self._room((len(rows),), duration, out, planar)
            _warn(self._native.render_into(rows, frames, out, _threads(threads), planar, None))
        return out

    def batches(self, rows, duration, size, *, threads=None, planar=False, reuse=False):
        """Yields arrays of `size` rows, the last of the rest. With `reuse` each is valid until the next one, and memory is
        touched once: much faster where rows are long."""
        with _errors:
            size = _check.count("size", size)
        return self._batches(_rows(rows), duration, size, threads, planar, reuse)

    def _batches(self, rows, duration, size, threads, planar, reuse):
        kept = None
        for first in range(0, len(rows), size):
            part = rows[first : first + size]
            out = kept[: len(part)] if kept is not None else None
            sound = self.batch(part, duration, out=out, threads=threads, planar=planar)
            if reuse and kept is None:
                kept = sound
            yield sound

    def features(self, rows, duration, *, names=(), threads=None) -> dict:
        """What can be measured of each row, as arrays by the names of the columns.

        `names` are some of `peak`, `rms`, `lufs`, `onset`, `length`, `centroid`, `bands` (nine columns) and `hash`, the
        SHA-256 of a row's samples; all where there are none. What is not asked for is not computed.
        """
        rows = _rows(rows)
        with _errors:
            frames = self._native.frames(_check.length("duration", duration))
            asked = _check.names("names", names)
            columns, hashes = self._native.features(rows, frames, _threads(threads), asked)
        found = {name: _np.array(values, dtype=_np.float64) for name, values in columns}
        if hashes is not None:
            found["hash"] = _np.array(hashes)
        return found

    def write_shards(self, rows, folder, **options) -> dict:
        """Writes shards as `mamc batch` does, of the same bytes, and returns the manifest.

        `rows` is the path of a .csv, .jsonl or .toml file, or rows as in `batch`. Options are those of the command: `duration`
        ("1s"), `format` ("f32"), `features` (a list of names for the format "features"), `rows_range` (A, B), `shard_rows`,
        `threads`, `seed_column`, `clamp`, `no_silence`, `resume`, `verify`.
        """
        with _errors:
            for key in options:
                if key not in _check.OPTIONS:
                    raise Error(f"there is no option `{key}`: they are {', '.join(_check.OPTIONS)}")
            options = {key: _check.OPTIONS[key](key, value) for key, value in options.items() if value is not None}
            between = options.pop("rows_range", None)
            if between is not None:
                options["rows"] = "{}..{}".format(*between)
            options.setdefault("duration", "1s")
            source = _os.fspath(rows) if isinstance(rows, (str, _os.PathLike)) else _rows(rows)
            path = self._native.write_shards(source, _check.path("folder", folder), **options)
        return _json.loads(_Path(path).read_text())

    def __reduce__(self):
        text, path, name, options = self._made_of
        files = {}
        if path is not None and _os.path.exists(path):
            base = _Path(path).resolve().parent
            for file in map(_Path, self._native.read_from):
                try:
                    files[file.resolve().relative_to(base).as_posix()] = file.read_bytes()
                except ValueError:
                    raise Error(f"a song that uses `{file}`, outside its folder, cannot be pickled") from None
        return (_unpickled, (text, path, name, options, files))

    def __repr__(self) -> str:
        name = self.title or self._made_of[1] or self._made_of[2]
        return f"<mamc.Song {name!r}: {len(self.params)} parameters, {self.rate} Hz, {self.channels} channels>"

    def _repr_html_(self) -> str:
        sound = self.render(_html.SECONDS)
        return _html.song(repr(self), sound, self.rate) + _html.problems(self.problems)


def _unpickled(text, path, name, options, files):
    if not files:
        return Song(text, path, name, options)
    # The song reads its files again where its score draws from seeds, so the folder lives as long as it does.
    folder = _tempfile.TemporaryDirectory(prefix="mamc-")
    for file, content in files.items():
        target = _Path(folder.name, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    song = Song(None, str(_Path(folder.name, _Path(path).name)), name, options)
    song._folder = folder
    return song


def _array(out, shape):
    """An array to render into: ours, or the one that was given, if it will do."""
    if out is None:
        return _native.Native.array(list(shape))
    if not isinstance(out, _np.ndarray) or out.dtype != _np.float32:
        raise Error("`out` is an array of float32")
    if out.shape != shape:
        raise Error(f"`out` has the shape {out.shape}, and {shape} is rendered")
    if not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
        raise Error("`out` is contiguous, in C's order, aligned, and can be written")
    return out


def _threads(threads) -> int:
    """How many threads render: one for each core where none are asked for."""
    return min(_native.cores(), _check.MOST_THREADS) if threads is None else _check.threads("threads", threads)


def _listed(values):
    """A list of what can be gone through, or None; a text is not a list of its letters."""
    try:
        return None if isinstance(values, (str, bytes)) else list(values)
    except TypeError:
        return None


def _notes(notes) -> list:
    """Notes as the native module takes them."""
    notes = _listed(notes)
    if notes is None:
        raise Error("`notes` is a list of notes")
    return [_check.note(index, _note(index, note)) for index, note in enumerate(notes)]


def _note(index, note) -> Note:
    if isinstance(note, Note):
        return note
    fields = tuple(note) if isinstance(note, (tuple, list)) else (note,)
    if not 1 <= len(fields) <= 5:
        raise Error(f"`notes[{index}]` is a note, start, length, velocity and instrument, of which all but the first may be left out")
    return Note(*fields)


def _rows(rows) -> list:
    """Rows as a list of dictionaries of plain values."""
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        rows = rows.to_dict("records")
    elif isinstance(rows, dict):
        columns = {name: _column(name, values) for name, values in rows.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise Error(f"the columns differ in length: {lengths}")
        rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    rows = _listed(rows)
    if rows is None:
        raise Error("`rows` is a list of dictionaries, a dictionary of columns or a data frame")
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise Error(f"row {index} is not a dictionary")
        rows[index] = _plain(row)
    return rows


def _column(name, values) -> list:
    listed = _listed(values)
    if listed is None:
        raise Error(f"the column {_check.shown(name)} is a list of values, not {_check.shown(values)}")
    return listed


def _plain(row) -> dict:
    """A row without NumPy's own kinds of numbers."""
    if any(isinstance(value, _np.generic) for value in row.values()):
        return {key: value.item() if isinstance(value, _np.generic) else value for key, value in row.items()}
    return row


def _warn(faults):
    for row, why in faults:
        _warnings.warn(f"row {row}: {why}", RuntimeWarning, stacklevel=4)
