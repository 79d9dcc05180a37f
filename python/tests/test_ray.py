"""The example for a cluster, on a local Ray of two workers. Runs where Ray is installed and MAMC_RAY is set: starting it takes
half a minute."""

import os
from pathlib import Path
import sys

import pytest

import mamc

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

pytestmark = pytest.mark.skipif("MAMC_RAY" not in os.environ, reason="MAMC_RAY is not set")


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=200 << 20)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture
def batch(tmp_path):
    """A song, its rows, and the hashes of the shards that one process writes."""
    song, grid = tmp_path / "song.mam", tmp_path / "grid.toml"
    song.write_text("bd = kick()\nplay { bd |x...| }\nout = bd\n")
    grid.write_text('rows = 200\nseed = 1\n[columns]\n"bd.f0" = { uniform = [50, 150] }\n')
    options = dict(shard_rows=20, duration="50ms")
    whole = mamc.compile(song, portable=True).write_shards(grid, tmp_path / "one", **options)
    return song, grid, options, {shard["first"]: shard["hash"] for shard in whole["shards"]}


def test_ray_writes_what_one_process_writes(cluster, batch, tmp_path):
    import ray_shards

    song, grid, options, hashes = batch
    assert ray_shards.run(song, grid, tmp_path / "many", 200, **options) == hashes


def test_workers_that_die_change_nothing(cluster, batch, tmp_path, monkeypatch):
    import ray_shards

    song, grid, options, hashes = batch
    died = tmp_path / "died"
    died.mkdir()

    class Mortal(ray_shards.Shards):
        """Dies once before a shard is written, and once when one is, before anything was told."""

        def shard(self, first, end):
            if first == 40:
                self.die(first)
            found = super().shard(first, end)
            if first == 100:
                self.die(first)
            return found

        @staticmethod
        def die(first):
            try:
                (died / str(first)).touch(exist_ok=False)
            except FileExistsError:
                return
            os._exit(1)

    monkeypatch.setattr(ray_shards, "Shards", Mortal)
    assert ray_shards.run(song, grid, tmp_path / "many", 200, **options) == hashes
    assert sorted(path.name for path in died.iterdir()) == ["100", "40"]
