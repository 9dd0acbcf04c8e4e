"""``bench scale``: how the vector index does with a million passages, against plain FAISS calls on the same vectors.

Vectors are made, not read: N/100 seeded centres with an exponential spread of sizes, each vector at a mean cosine of
0.7 to its centre, queries from the same mixture. (Random directions without centres understate an approximate index
badly: 54 % recall where real embeddings give 99 %.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.figures import json_option, write_figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CENTRE_SHARE = 100  # vectors a centre, on average
COSINE = 0.7  # mean, of a vector to its centre
QUERIES = 1000
EXACT_QUERIES = 200  # compared with the exact neighbours
K = 10
_BLOCK = 50_000


@click.command("scale")
@click.option("--passages", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--dimensions", type=click.IntRange(min=8), default=384, show_default=True)
@click.option("--seed", type=int, default=13, show_default=True)
@json_option
def command(passages: int, dimensions: int, seed: int, json_file: Path | None) -> None:
    """Measure the vector index at size: recall, latency, build time, memory."""
    from web.terminal import TerminalProgress

    with TerminalProgress() as progress:
        figures = measure(passages, dimensions, seed=seed, progress=progress)
    write_figures(figures, json_file)
    _print(figures)


def measure(
    passages: int, dimensions: int, *, seed: int = 13, progress: Callable[[str, float], None] | None = None
) -> dict[str, Any]:
    """Build both indexes and search both; times in milliseconds on one thread, memory in bytes, recall in percent."""
    import numpy as np

    from chatbot.retrieval.vector_index import VectorIndex, nearest, plain_inverted_file, threads

    tell = progress or (lambda stage, share: None)
    mixture = Mixture(passages, dimensions, seed)
    vectors = np.empty((passages, dimensions), dtype=np.float32)
    for start in range(0, passages, _BLOCK):
        vectors[start : start + _BLOCK] = mixture.draw(min(_BLOCK, passages - start))
        tell("vectors", (start + _BLOCK) / passages)
    queries = mixture.draw(QUERIES)
    ids = np.arange(passages, dtype=np.int64)

    tell("exact neighbours", 0.0)
    exact = nearest(queries[:EXACT_QUERIES], vectors, ids, K)
    tell("exact neighbours", 1.0)
    with threads(1):
        before = _resident()
        began, cpu_began = time.monotonic(), time.process_time()
        index = VectorIndex(dimensions)
        tell("build", 0.0)
        index.add(ids, vectors)
        build, build_cpu = time.monotonic() - began, time.process_time() - cpu_began
        tell("build", 1.0)
        held = _resident() - before
        latency, found = _timed(lambda query: index.search(query, K)[1], queries, tell, "search")

        before = _resident()
        began = time.monotonic()
        tell("plain faiss", 0.0)
        plain = plain_inverted_file(vectors)
        plain_build = time.monotonic() - began
        plain_held = _resident() - before
        faiss_latency, plain_found = _timed(
            lambda query: plain.search(query, K)[1], queries, tell, "plain search"
        )
        began = time.monotonic()
        removed = ids[:: max(1, passages // 1000)].tolist()
        index.remove(removed)
        index.add(removed, vectors[removed])
        change = 1000 * (time.monotonic() - began) / len(removed)
    return {
        "passages": passages,
        "dimensions": dimensions,
        "index_type": index.kind,
        "build_seconds": round(build, 2),
        "build_cpu_seconds": round(build_cpu, 2),
        "rss_bytes": held,
        "recall_at_10": _recall(exact, found),
        "latency": latency,
        "change_ms": round(change, 3),
        "faiss_latency": faiss_latency,
        "faiss": {
            "index_type": f"IVF{plain.nlist},Flat nprobe {plain.nprobe}",
            "build_seconds": round(plain_build, 2),
            "rss_bytes": plain_held,
            "recall_at_10": _recall(exact, plain_found),
        },
        "seed": seed,
    }


class Mixture:
    """Unit vectors around seeded centres, at a mean cosine of `COSINE`."""

    def __init__(self, count: int, dimensions: int, seed: int) -> None:
        import numpy as np

        self._rng = np.random.default_rng(seed)
        self._centres = _unit(self._rng.standard_normal((max(1, count // CENTRE_SHARE), dimensions)))
        sizes = self._rng.exponential(size=len(self._centres))
        self._shares = sizes / sizes.sum()

    def draw(self, count: int) -> Vectors:
        """float32 [count, dimensions]"""
        import numpy as np

        centres = self._centres[self._rng.choice(len(self._centres), size=count, p=self._shares)]
        noise = self._rng.standard_normal(centres.shape)
        noise -= (noise * centres).sum(axis=1, keepdims=True) * centres
        spread = np.sqrt(1 - COSINE**2)
        return np.ascontiguousarray(COSINE * centres + spread * _unit(noise), dtype=np.float32)


def _unit(rows: Any) -> Any:
    import numpy as np

    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _timed(
    search: Callable[[Vectors], Any], queries: Vectors, tell: Callable[[str, float], None], stage: str
) -> tuple[dict[str, float], list[Any]]:
    import numpy as np

    for query in queries[:50]:
        search(query[None])
    wall, cpu, found = [], [], []
    for place, query in enumerate(queries):
        cpu_began, began = time.process_time(), time.perf_counter()
        found.append(search(query[None])[0])
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - cpu_began))
        tell(stage, (place + 1) / len(queries))
    return {
        "p50": round(float(np.median(wall)), 3),
        "p99": round(float(np.quantile(wall, 0.99)), 3),
        "cpu_p50": round(float(np.median(cpu)), 3),
        "cpu_p99": round(float(np.quantile(cpu, 0.99)), 3),
    }, found


def _recall(exact: Any, found: list[Any]) -> float:
    shares = [
        len(set(a.tolist()) & set(b.tolist())) / K for a, b in zip(exact, found[: len(exact)], strict=True)
    ]
    return round(100 * sum(shares) / len(shares), 2)


def _resident() -> int:
    """Bytes of this process in memory now."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from web.terminal import out

    table = Table(
        "",
        "kind",
        "recall@10",
        "p50 ms",
        "p99 ms",
        "build s",
        "memory MB",
        title=f"{figures['passages']:,} passages of {figures['dimensions']} dimensions, one thread",
    )
    rows = (("ours", figures, figures["latency"]), ("faiss", figures["faiss"], figures["faiss_latency"]))
    for name, row, latency in rows:
        table.add_row(
            name,
            row["index_type"],
            f"{row['recall_at_10']:.1f}",
            f"{latency['p50']:.2f}",
            f"{latency['p99']:.2f}",
            f"{row['build_seconds']:.1f}",
            f"{row['rss_bytes'] / 1e6:.0f}",
        )
    out().print(table)
    out().print(f"a vector replaced in {figures['change_ms']:.2f} ms")
