"""The example for a cluster, on a local Ray of two workers. Runs where Ray is installed and MAMC_RAY is set: starting it takes
half a minute."""

import os
from pathlib import Path
import sys

import pytest

import mamc

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))


@pytest.mark.skipif("MAMC_RAY" not in os.environ, reason="MAMC_RAY is not set")
def test_ray_writes_what_one_process_writes(tmp_path):
    ray = pytest.importorskip("ray")
    import ray_shards

    (tmp_path / "song.mam").write_text("bd = kick()\nplay { bd |x...| }\nout = bd\n")
    (tmp_path / "grid.toml").write_text('rows = 200\nseed = 1\n[columns]\n"bd.f0" = { uniform = [50, 150] }\n')
    options = dict(shard_rows=20, duration="50ms")
    whole = mamc.compile(tmp_path / "song.mam", portable=True).write_shards(tmp_path / "grid.toml", tmp_path / "a", **options)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=200 << 20)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        found = ray_shards.run(tmp_path / "song.mam", tmp_path / "grid.toml", tmp_path / "b", 200, **options)
    finally:
        ray.shutdown()
    assert found == {shard["first"]: shard["hash"] for shard in whole["shards"]}
