"""The demand of a shipped recording on any engine, by a hash: `python -m benchmarks.engines serial local ray spark`.

Ends with code 1 where hashes differ. Ray and Spark are installed with ``pip install '.[ray,spark]'``; Spark needs Java.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time

from planner.bundle import bundled
from planner.demand import Policy
from planner.engine import Fanout
from planner.store import Store


def main() -> None:
    """Print engine, hash and seconds, one a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("engines", nargs="+")
    parser.add_argument("--sample", default="azure_functions")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    found = set()
    with Store(":memory:") as store:
        info = store.ingest(bundled("datasets", "samples", asked.sample))
        for engine in asked.engines:
            start = time.monotonic()
            demand = store.demand(info.trace_id, Policy(), fanout=Fanout(engine, asked.workers))
            digest = hashlib.sha256(demand.busy.tobytes() + demand.mean.tobytes() + demand.requests_per_s.tobytes())
            found.add(digest.hexdigest())
            sys.stdout.write(f"{engine}: {digest.hexdigest()[:16]} in {time.monotonic() - start:.1f} s\n")
            sys.stdout.flush()
    sys.exit(len(found) > 1)


if __name__ == "__main__":
    main()
