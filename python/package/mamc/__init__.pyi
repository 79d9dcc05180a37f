from dataclasses import dataclass
from os import PathLike
from typing import Any, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__version__: str
__all__ = ["Error", "Note", "Param", "Problem", "Song", "compile"]

Value = float | int | bool | str | None
Rows = Sequence[Mapping[str, Value]] | Mapping[str, Iterable[Value]] | Any
Duration = float | str

@dataclass(frozen=True)
class Problem:
    code: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    help: str | None = ...

class Error(ValueError):
    problems: list[Problem]
    def __init__(self, message: str, problems: list[Problem] | None = ...) -> None: ...

@dataclass(frozen=True)
class Param:
    name: str
    default: float
    min: float
    max: float
    unit: str
    scale: float
    curve: str

@dataclass(frozen=True)
class Note:
    note: float
    start: float = ...
    length: float | None = ...
    vel: float = ...
    instrument: str | None = ...

def compile(
    text_or_path: str | PathLike[str],
    *,
    rate: int | None = ...,
    channels: int | None = ...,
    seed: int | None = ...,
    portable: bool = ...,
    sets: Mapping[str, Value] | None = ...,
    allow_outside: bool = ...,
    name: str = ...,
) -> Song: ...

class Song:
    problems: list[Problem]
    rate: int
    latency: int
    channels: int
    title: str | None
    portable: bool
    instruments: list[str]
    params: dict[str, Param]
    def render(
        self,
        duration: Duration,
        params: Mapping[str, Value] | None = ...,
        *,
        seed: int | None = ...,
        tempo: float | None = ...,
        notes: Iterable[Note | Sequence[Any] | float] | None = ...,
        out: NDArray[np.float32] | None = ...,
        planar: bool = ...,
    ) -> NDArray[np.float32]: ...
    def batch(
        self,
        rows: Rows,
        duration: Duration,
        *,
        out: NDArray[np.float32] | None = ...,
        threads: int | None = ...,
        planar: bool = ...,
    ) -> NDArray[np.float32]: ...
    def batches(
        self,
        rows: Rows,
        duration: Duration,
        size: int,
        *,
        threads: int | None = ...,
        planar: bool = ...,
        reuse: bool = ...,
    ) -> Iterator[NDArray[np.float32]]: ...
    def features(
        self,
        rows: Rows,
        duration: Duration,
        *,
        names: Sequence[str] = ...,
        threads: int | None = ...,
    ) -> dict[str, NDArray[Any]]: ...
    def write_shards(self, rows: Rows | str | PathLike[str], folder: str | PathLike[str], **options: Any) -> dict[str, Any]: ...
