"""What notebooks show of a song: its waveform, and its problems."""

from html import escape

import numpy as np

SECONDS = 4.0
_WIDE, _HIGH = 600, 80


def text(words: str) -> str:
    return f"<pre>{escape(words)}</pre>"


def problems(found) -> str:
    rows = "".join(
        f"<tr><td>{escape(p.severity)}</td><td>{escape(p.file)}:{p.line}:{p.column}</td>"
        f"<td>{escape(p.message)}<br><small>{escape(p.help or '')}</small></td></tr>"
        for p in found
    )
    return f"<table>{rows}</table>" if rows else ""


def song(words: str, sound: np.ndarray, rate: int) -> str:
    """The least and the greatest sample of each column of the picture."""
    pieces = np.array_split(sound.mean(axis=1), _WIDE)
    middle = _HIGH / 2
    peak = max(float(np.abs(sound).max(initial=0.0)), 1e-9)
    y = lambda x: middle - middle * float(x) / peak
    lines = (f"M{i} {y(p.max()):.1f}V{y(p.min()):.1f}" for i, p in enumerate(pieces) if len(p))
    path = "".join(lines)
    label = f"{len(sound) / rate:.1f} s, peak {peak:.2f}"
    return (
        f"<div><code>{escape(words)}</code><br>"
        f'<svg width="{_WIDE}" height="{_HIGH}" role="img" aria-label="waveform: {label}">'
        f'<path d="{path}" stroke="currentColor" fill="none"/></svg><br><small>{label}</small></div>'
    )
