"""Shards of one batch on a cluster, with Ray Data.

Ray deals out the numbers of first rows; workers write the shards themselves and send back what is known of them. Sound never goes
through the object store. A row follows from its number, and a shard takes its name when it is whole, so a task that runs twice,
or a worker that dies, changes nothing.

    python ray_shards.py song.mam grid.toml out/ --shard-rows 1000
"""

import argparse
import json
from pathlib import Path
import sys

import mamc


class Shards:
    """A worker: compiles the song once, then writes one shard after the other."""

    def __init__(self, song: str, rows: str, out: str, options: dict):
        self.song = mamc.compile(song, portable=True)
        self.rows, self.out, self.options = rows, out, options

    def __call__(self, batch):
        firsts, ends = batch["first"], batch["end"]
        found = [self.shard(int(first), int(end)) for first, end in zip(firsts, ends)]
        return {"first": firsts, "hash": [shard["hash"] for shard in found]}

    def shard(self, first: int, end: int) -> dict:
        # With `resume`, one that is there already is not made again.
        manifest = self.song.write_shards(
            self.rows, self.out, rows_range=(first, end), resume=True, threads=1, **self.options
        )
        return manifest["shards"][0]


def run(song, rows, out, count, *, workers=2, **options):
    """Writes all shards of `count` rows, and returns their hashes by their first rows."""
    import ray
    import ray.data

    # The class travels with the task, so that workers need not find this file.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    size = options.setdefault("shard_rows", 10_000)
    firsts = [{"first": first, "end": min(first + size, count)} for first in range(0, count, size)]
    # Workers take part of the processors: with all of them in actors nothing could read the rows.
    work = ray.data.from_items(firsts, override_num_blocks=len(firsts)).map_batches(
        Shards,
        fn_constructor_args=(str(song), str(rows), str(out), options),
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    return {int(row["first"]): row["hash"] for row in work.take_all()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song")
    parser.add_argument("rows")
    parser.add_argument("out")
    parser.add_argument("--count", type=int, required=True, help="how many rows there are")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard-rows", type=int, default=10_000)
    parser.add_argument("--duration", default="1s")
    args = parser.parse_args()
    rows, out = Path(args.rows).resolve(), Path(args.out).resolve()
    found = run(
        Path(args.song).resolve(),
        rows,
        out,
        args.count,
        workers=args.workers,
        shard_rows=args.shard_rows,
        duration=args.duration,
    )
    print(json.dumps(found, indent=1))
    print(f"`mamc batch --merge {out} -o {out}` writes the manifest of all")


if __name__ == "__main__":
    main()
