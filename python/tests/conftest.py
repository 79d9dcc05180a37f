"""What all tests need: the `mamc` command of the same sources, and songs."""

import os
from pathlib import Path
import subprocess

import numpy as np
import pytest

import mamc

DRUM = "bd = kick()\nplay { bd \"x x? x x?\" }\nout = bd + 0.05 * noise()\n"


@pytest.fixture(scope="session")
def command():
    """The path of `mamc`; `.ci/python` builds it and sets MAMC."""
    path = os.environ.get("MAMC")
    if path is None:
        pytest.skip("MAMC is not set to the mamc command")
    return path


@pytest.fixture(scope="session")
def song():
    return mamc.compile(DRUM)


@pytest.fixture
def render(command, tmp_path):
    """What `mamc render` makes of a text."""

    def render(text, duration, *flags):
        (tmp_path / "song.mam").write_text(text)
        out = tmp_path / "song.wav"
        subprocess.run([command, "render", tmp_path / "song.mam", "-q", "-d", duration, "-o", out, *flags], check=True)
        data = out.read_bytes()
        at = data.index(b"data") + 8
        return np.frombuffer(data[at:], dtype="<f4").reshape(-1, 2)

    return render


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path
