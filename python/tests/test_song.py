"""The package as its users meet it."""

import multiprocessing
import os
import pickle
import subprocess
import threading

import numpy as np
import pytest

import mamc
from conftest import DRUM


def test_a_render_has_the_bits_of_the_command(song, render):
    assert np.array_equal(song.render(0.5), render(DRUM, "500ms"))
    sound = song.render("250ms", {"bd.f0": "60Hz", "bd.amp_decay": 200}, seed=7)
    assert np.array_equal(sound, render(DRUM, "250ms", "--set", "bd.f0=60Hz", "--set", "bd.amp_decay=200ms", "--seed", "7"))
    portable = mamc.compile(DRUM, portable=True, seed=3, sets={"f0": 90})
    assert np.array_equal(portable.render(0.2), render(DRUM, "200ms", "--portable", "--seed", "3", "--set", "f0=90"))


def test_what_there_is_to_set(song):
    f0 = song.params["bd.f0"]
    assert (f0.unit, f0.min < f0.default < f0.max) == ("Hz", True)
    assert song.params["bd.amp_decay"].unit == "s" and song.params["bd.amp_decay"].scale == 0.001
    assert (song.rate, song.channels, song.instruments) == (48000, 2, ["bd"])
    assert mamc.compile(DRUM, rate=44100, channels=1).render(1.0).shape == (44100, 1)


def test_rows_are_renders(song):
    rows = [{"bd.f0": f, "seed": s} for s, f in enumerate([50, 70, 90, 110])]
    sound = song.batch(rows, 0.1)
    assert sound.shape == (4, 4800, 2) and sound.dtype == np.float32
    for row, one in zip(rows, sound):
        assert np.array_equal(one, song.render(0.1, {"bd.f0": row["bd.f0"]}, seed=row["seed"]))
    assert np.array_equal(song.batch({"bd.f0": np.array([50, 70.0, 90, 110]), "seed": range(4)}, 0.1, threads=1), sound)
    assert np.array_equal(np.concatenate(list(song.batches(rows, 0.1, 3))), sound)
    reused = [part.copy() for part in song.batches(rows, 0.1, 3, reuse=True)]
    assert np.array_equal(np.concatenate(reused), sound)
    planar = song.batch(rows, 0.1, planar=True)
    assert np.array_equal(planar.transpose(0, 2, 1), sound)


def test_an_array_to_render_into_is_used_or_refused(song):
    out = np.full((4800, 2), 7, dtype=np.float32)
    assert song.render(0.1, out=out) is out and np.array_equal(out, song.render(0.1))
    read_only = np.zeros((4800, 2), dtype=np.float32)
    read_only.flags.writeable = False
    for wrong in [
        np.zeros((4800, 1), dtype=np.float32),
        np.zeros((4800, 2)),
        np.zeros((2, 4800), dtype=np.float32).T,
        np.zeros((9600, 2), dtype=np.float32)[::2],
        read_only,
        [0.0],
    ]:
        with pytest.raises(mamc.Error, match="`out`"):
            song.render(0.1, out=wrong)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"bd.fo": 1}, "did you mean `bd.f0`"),
        ({"bd.f0": float("nan")}, "not a value"),
        ({"bd.f0": 1e9}, "outside the range"),
        ({"bd.f0": "50ms"}, "is a time"),
        ({"bd.f0": [1]}, "not a number"),
        ({"bd.f0": 60, "f0": 60}, "are the same"),
    ],
)
def test_arguments_that_cannot_be_are_told(song, params, message):
    with pytest.raises(mamc.Error, match=message):
        song.render(0.1, params)


def test_other_arguments_that_cannot_be_are_told(song):
    for duration in [-1, float("nan"), float("inf"), "2 hours", ""]:
        with pytest.raises(mamc.Error):
            song.render(duration)
    with pytest.raises(mamc.Error, match="differ in length"):
        song.batch({"bd.f0": [60], "seed": [1, 2]}, 0.1)
    with pytest.raises(mamc.Error, match="row 1"):
        song.batch([{"bd.f0": 60}, {"bd.f0": "x"}], 0.1)
    with pytest.raises(mamc.Error, match="not a dictionary"):
        song.batch([1], 0.1)
    assert song.batch([], 0.1).shape == (0, 4800, 2)
    assert song.render(0).shape == (0, 2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda song: song.render(None), "`duration` is a number of seconds, or a text"),
        (lambda song: song.render(b"1"), "`duration` is a number"),
        (lambda song: song.render(10**400), "`duration` is a number"),
        (lambda song: song.render(np.array([0.1])), "`duration` is a number"),
        (lambda song: song.render(0.1, 1), "`params` is a dictionary"),
        (lambda song: song.render(0.1, "x"), "`params` is a dictionary"),
        (lambda song: song.render(0.1, {1: 60}), "`params`: a name is a text, not 1"),
        (lambda song: song.render(0.1, {"bd.f0": object()}), "is not a number"),
        (lambda song: song.render(0.1, {"bd.f0": "\ud800"}), "is not text"),
        (lambda song: song.render(0.1, {"\ud800": 1}), "is not the name of a column"),
        (lambda song: song.render(0.1, seed=-1), "`seed` is a whole number from 0 to 18446744073709551615, not -1"),
        (lambda song: song.render(0.1, seed=1.5), "`seed` is a whole number, not 1.5"),
        (lambda song: song.render(0.1, planar=1), "`planar` is True or False, not 1"),
        (lambda song: song.render(0.1, notes=1), "`notes` is a list"),
        (lambda song: song.render(0.1, notes="60"), "`notes` is a list"),
        (lambda song: song.render(0.1, notes=[60, ()]), "`notes.1.` is a note, start, length"),
        (lambda song: song.render(0.1, notes=[("c4",)]), "`notes.0..note` is a number, not 'c4'"),
        (lambda song: song.render(0.1, notes=[mamc.Note(60, instrument=5)]), "`notes.0..instrument` is a text, not 5"),
        (lambda song: song.render(0.1, notes=[mamc.Note(60, vel=-1)]), "-1 is not a velocity from 0 to 10"),
        (lambda song: song.render(0.1, notes=[mamc.Note(60, float("nan"))]), "is not a time in seconds"),
        (lambda song: song.render(0.1, notes=[mamc.Note(1e9)]), "is not a MIDI note"),
        (lambda song: song.batch(1, 0.1), "`rows` is a list of dictionaries"),
        (lambda song: song.batch("rows", 0.1), "`rows` is a list of dictionaries"),
        (lambda song: song.batch({"bd.f0": 5}, 0.1), "the column 'bd.f0' is a list of values, not 5"),
        (lambda song: song.batch({"bd.f0": "50"}, 0.1), "the column 'bd.f0' is a list of values"),
        (lambda song: song.batch([{"bd.f0": 60}, {1: 2}], 0.1), "row 1: 1 is not the name of a column"),
        (lambda song: song.batch([{"seed": 2**64}], 0.1), "row 0: 18446744073709551616 is not a seed"),
        (lambda song: song.batch([{"bd.f0": "9" * 10**5}], 0.1), "row 0: `9{200,300}…$"),
        (lambda song: song.batch([{}], 0.1, threads=0), "`threads` is a whole number from 1 to 256, not 0"),
        (lambda song: song.batches([{}], 0.1, 0), "`size` is a whole number from 1"),
        (lambda song: song.batches(1, 0.1, 1), "`rows` is a list of dictionaries"),
        (lambda song: song.features([{}], 0.1, names=1), "`names` is a list of names"),
        (lambda song: song.features([{}], 0.1, threads=1.5), "`threads` is a whole number, not 1.5"),
        (lambda song: song.write_shards([{}], ""), "`folder` is an empty path"),
        (lambda song: song.write_shards([{}], 1), "`folder` is a path, not 1"),
        (lambda song: song.write_shards(1, "x"), "`rows` is a list of dictionaries"),
        (lambda song: song.write_shards([{}], "x", rows_range=(1,)), "`rows_range` is the number of the first row"),
        (lambda song: song.write_shards([{}], "x", clamp=1), "`clamp` is True or False, not 1"),
        (lambda song: song.write_shards([{}], "x", format=1), "`format` is a text, not 1"),
        (lambda song: mamc.compile(1), "`text_or_path` is a path, not 1"),
        (lambda song: mamc.compile("\ud800\n"), "is not text"),
        (lambda song: mamc.compile(DRUM, rate=44100.0), "`rate` is a whole number, not 44100.0"),
        (lambda song: mamc.compile(DRUM, rate=10), "8000 to 768000"),
        (lambda song: mamc.compile(DRUM, channels=1000), "`channels` is a whole number from 1 to 255"),
        (lambda song: mamc.compile(DRUM, sets=[1]), "`sets` is a dictionary"),
        (lambda song: mamc.compile(DRUM, portable="yes"), "`portable` is True or False, not 'yes'"),
        (lambda song: mamc.compile(DRUM, name=None), "`name` is a text, not None"),
    ],
)
def test_an_argument_of_another_type_is_told_by_its_name(song, folder, monkeypatch, call, message):
    monkeypatch.chdir(folder)
    with pytest.raises(mamc.Error, match=message):
        call(song)
    assert not list(folder.iterdir())


def test_a_song_with_mistakes_raises_its_problems():
    with pytest.raises(mamc.Error) as raised:
        mamc.compile("bd = kick(f0: 50ms)\nout = bdd\n", name="x.mam")
    problems = raised.value.problems
    assert {p.code for p in problems} >= {"unknown-name"} and all(p.file == "x.mam" for p in problems)
    assert [p.line for p in problems] == sorted(p.line for p in problems) and "bdd" in str(raised.value)
    assert "<table>" in raised.value._repr_html_()
    with pytest.raises(mamc.Error, match="no such file"):
        mamc.compile("missing.mam")


def test_notes_are_played_instead_of_the_score(render):
    lead = "tempo 60\nlead = pluck()\nplay { lead \"c4\" }\nout = lead\n"
    song = mamc.compile(lead)
    scored = render(lead, "200ms")
    assert np.array_equal(song.render(0.2, notes=[mamc.Note(60)]), scored)
    assert np.array_equal(song.render(0.2, notes=[60]), scored)
    assert not np.array_equal(song.render(0.2, notes=[(72, 0.0, 0.1)]), scored)
    assert not song.render(0.2, notes=[]).any()
    with pytest.raises(mamc.Error, match="no such instrument"):
        song.render(0.2, notes=[mamc.Note(60, instrument="x")])


def test_features_are_those_of_the_sound(song):
    rows = [{"bd.gain": 0.5}, {"bd.gain": 1}]
    found = song.features(rows, 0.5)
    sound = song.batch(rows, 0.5)
    assert np.allclose(found["peak"], np.abs(sound).max(axis=(1, 2)))
    assert np.allclose(found["rms"], np.sqrt((sound.astype(np.float64) ** 2).mean(axis=(1, 2))))
    import hashlib

    assert list(found["hash"]) == [hashlib.sha256(one.tobytes()).hexdigest() for one in sound]


def test_only_the_features_that_are_asked_for_are_there(song):
    rows = [{"bd.f0": f} for f in (50, 80)]
    every = song.features(rows, 0.5)
    some = song.features(rows, 0.5, names=["hash", "bands", "peak"])
    assert list(some) == ["peak", *(name for name in every if name.startswith("band_")), "hash"]
    for name, column in some.items():
        assert (column == every[name]).all()
    with pytest.raises(mamc.Error, match="is not a feature: peak, rms"):
        song.features(rows, 0.5, names=["loudness"])


def test_shards_are_those_of_the_command(song, command, folder):
    (folder / "song.mam").write_text(DRUM)
    (folder / "rows.csv").write_text("bd.f0,seed\n60,1\n70,2\n80,3\n")
    subprocess.run(
        [command, "batch", "song.mam", "-q", "-p", "rows.csv", "-o", "a", "-d", "50ms", "--shard-rows", "2"],
        cwd=folder,
        check=True,
    )
    from_file = mamc.compile(folder / "song.mam")
    manifest = from_file.write_shards(folder / "rows.csv", folder / "b", duration="50ms", shard_rows=2)
    assert len(manifest["shards"]) == 2
    for file in sorted(os.listdir(folder / "a")):
        assert (folder / "a" / file).read_bytes() == (folder / "b" / file).read_bytes(), file
    listed = song.write_shards([{"bd.f0": f, "seed": s} for f, s in [(60, 1), (70, 2), (80, 3)]], folder / "c", duration=0.05, shard_rows=2)
    assert [s["hash"] for s in listed["shards"]] == [s["hash"] for s in manifest["shards"]]
    with pytest.raises(mamc.Error, match="holds a batch already"):
        from_file.write_shards(folder / "rows.csv", folder / "b", duration="50ms", shard_rows=2)
    part = from_file.write_shards(folder / "rows.csv", folder / "d", duration="50ms", shard_rows=2, rows_range=(2, 3), resume=True)
    assert [s["first"] for s in part["shards"]] == [2]
    with pytest.raises(mamc.Error, match="no option `wrong`: they are duration, format"):
        song.write_shards([{}], folder / "e", wrong=1)


def test_a_song_is_pickled_with_its_files(folder):
    (folder / "lib").mkdir()
    (folder / "lib" / "mine.mam").write_text("def half(x) = 0.5 * x\n")
    (folder / "song.mam").write_text('use "lib/mine.mam"\n' + DRUM.replace("out = bd", "out = half(bd)"))
    song = mamc.compile(folder / "song.mam")
    data = pickle.dumps(song)
    (folder / "lib" / "mine.mam").unlink()
    (folder / "song.mam").unlink()
    copy = pickle.loads(data)
    assert np.array_equal(copy.render(0.1, seed=5), song.render(0.1, seed=5))
    error = pickle.loads(pickle.dumps(mamc.Error("x", [])))
    assert str(error) == "x"


def test_other_threads_run_while_it_renders(song):
    # Counted while it renders in another thread: were the interpreter's lock held, nothing would be.
    started, counted = threading.Event(), 0

    def work():
        started.set()
        song.render(20.0)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    while thread.is_alive():
        counted += 1
    thread.join()
    assert counted > 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_that_forked_renders(song):
    song.batch([{}, {}], 0.05)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert np.array_equal(pool.apply(_forked), song.render(0.05))


def _forked():
    return mamc.compile(DRUM).render(0.05)


def test_songs_that_are_dropped_leave_no_memory():
    resource = pytest.importorskip("resource")
    make = lambda: mamc.compile("out = 0.1 * sine(220Hz)\n").render(0.01)
    for _ in range(50):
        make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):
        make()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_notebooks_show_the_waveform(song):
    html = song._repr_html_()
    assert "<svg" in html and "mamc.Song" in html and html.count("M") > 500
