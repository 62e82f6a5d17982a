"""A real Prometheus (Debian: apt install prometheus) on loopback, scraping an exporter of ours, read by its API."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from conftest import absent
from planner.errors import TraceError
from planner.store import Store
from planner.store.prometheus import METRICS, TOKEN, Server, download, server_of
from store.test_cluster_formats import _matrix

CORES = {"api-5f6585d649-fnmft": 1.5, "db-0": 0.25}
GIB = 1024**3
BEGAN = time.monotonic()


class Exporter(http.server.BaseHTTPRequestHandler):
    """Pods that use the same cores all the time, and a counter that grows with them."""

    def do_GET(self) -> None:
        lines = []
        for pod, cores in CORES.items():
            labels = f'namespace="n",pod="{pod}",container="app"'
            counted = cores * (time.monotonic() - BEGAN + 100)
            lines.append(f"container_cpu_usage_seconds_total{{{labels}}} {counted:.6f}")
            lines.append(f"container_memory_working_set_bytes{{{labels}}} {2 * GIB}")
        body = "\n".join([*lines, ""]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Faulty(http.server.BaseHTTPRequestHandler):
    """A server that answers as its path says, and refuses more than 100 samples in one answer."""

    asked: list[tuple[int, int]]

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        start, end, step = (int(form[name][0]) for name in ("start", "end", "step"))
        type(self).asked.append((start, end))
        login = self.headers.get("Authorization") in {"Basic dXNlcjpzZWNyZXQ=", "Bearer a-token"}
        times = [] if form["query"][0] == "nothing" else range(start, end + 1, step)
        answer: object = _matrix(*[({"pod": "p"}, [(t, 1.5) for t in times])] if times else [])
        status = 200
        if len(times) > 100:
            answer, status = {"status": "error", "error": "query processing would load too many samples"}, 422
        if "refuses" in self.path or ("login" in self.path and not login):
            answer, status = {"status": "error", "error": "no such thing"}, 400
        body = b"<html>" if "strange" in self.path else json.dumps(answer).encode()
        self.send_response(302 if "moved" in self.path else status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has scraped for a few seconds, ten times a second."""
    program = shutil.which("prometheus")
    if program is None:
        absent("prometheus (Debian: apt install prometheus)")
    assert program is not None
    folder, port = tmp_path_factory.mktemp("prometheus"), _free_port()
    with _serving(Exporter) as exporter:
        scrape = {"job_name": "pods", "scrape_interval": "100ms", "static_configs": [{"targets": [exporter]}]}
        (folder / "p.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
        command = [program, f"--config.file={folder / 'p.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]  # fmt: skip
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}/api/v1/query?query=count_over_time(container_cpu_usage_seconds_total[1m])")
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(url: str) -> None:
    """Until there are samples of three seconds."""
    for _ in range(150):
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            continue
        if result and float(result[0]["value"][1]) >= 30:
            return
    pytest.fail("Prometheus did not scrape in 30 s")


def test_a_server_by_its_url(prometheus: str) -> None:
    with Store(":memory:") as store:
        info = store.ingest(f"http://{prometheus}?hours=0.01&step=1s")
        rows = store._frame("""
            select workload, count(cpu_cores) n, median(cpu_cores) c, min(memory_gib) m from usage
            group by all order by all
        """)
    assert (info.format, info.name, info.workloads, info.rejected) == ("prometheus", prometheus, 2, 0)
    assert rows["workload"].tolist() == ["n/api-5f6585d649-fnmft", "n/db-0"]
    assert rows["c"].tolist() == pytest.approx(list(CORES.values()), rel=0.2), "scrapes are not on the second"
    assert (rows["n"] >= 2).all()
    assert rows["m"].tolist() == [2, 2]
    assert any("has no series for" in note and "node_cpu" in note for note in info.notes)


def test_rates_asked_of_a_server(prometheus: str) -> None:
    query = "sum by (namespace, pod) (rate(container_cpu_usage_seconds_total[1s]))"
    with Store(":memory:") as store:
        info = store.ingest(f"http://{prometheus}/graph?hours=0.01&step=1s&query={query.replace(' ', '%20')}")
        used = store._frame("select median(cpu_cores) c from usage group by workload order by workload")["c"].tolist()
    assert info.rejected == 0
    assert used == pytest.approx(list(CORES.values()), rel=0.2)


def test_what_the_server_refuses_is_told(prometheus: str) -> None:
    with Store(":memory:") as store:
        for query, message in (
            ("sum(", "parse error"),
            ("nothing_of_the_kind", "has no series for nothing_of_the_kind"),
        ):
            with pytest.raises(TraceError, match=f"{prometheus}.*{message}"):
                store.ingest(f"http://{prometheus}?hours=0.01&step=1s&query={query}")


@pytest.fixture
def faulty() -> Iterator[str]:
    Faulty.asked = []
    with _serving(Faulty) as address:
        yield address


@pytest.mark.slow
def test_long_stretches_are_asked_in_pieces_and_halved(faulty: str, tmp_path: Path) -> None:
    with Store(":memory:") as store:
        info = store.ingest(f"http://{faulty}?start=0&end=299940&step=60&query=cpu")
        again = store.ingest(f"http://{faulty}?start=0&end=299940&step=60&query=cpu")
        samples = store._frame("select count(*) n, count(distinct sampled_at) d from usage").to_numpy().tolist()
    assert (info.workloads, samples, again.repeated) == (1, [[5000, 5000]], True)
    assert max(end - start for start, end in Faulty.asked) == 1439 * 60
    small = Server("http", faulty, "", None, ("cpu", "nothing"), 0, 5940, 60, answer_bytes=1500)
    paths, notes = download(small, tmp_path)
    assert len(paths) > 1
    assert notes == [f"{faulty} has no series for nothing"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/refuses?query=a&end=60&hours=1", "a: no such thing"),
        ("/strange?query=a&end=60&hours=1", r"broken JSON|no known|cannot be read|begins with"),
        ("/moved?query=a&end=60&hours=1", "302"),
        ("?hours=none", "parameter 'hours': expected a number"),
        ("?hours=1&step=0", "parameter 'step': expected a time"),
        ("?start=soon", "expected a time"),
        ("?start=2026-03-02&end=2026-03-01", "start is not before end"),
        ("?qery=a", "did you mean 'query'"),
        ("?query=nothing&end=60&hours=1", "has no series"),
    ],
)
def test_one_clear_error(faulty: str, url: str, message: str) -> None:
    with Store(":memory:") as store, pytest.raises(TraceError, match=message):
        store.ingest(f"http://{faulty}{url}")


def test_a_server_that_is_not_there_and_a_login(faulty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(":memory:") as store:
        with pytest.raises(TraceError, match="cannot be asked"):
            store.ingest(f"http://127.0.0.1:{_free_port()}")
        with pytest.raises(TraceError, match="no such thing"):
            store.ingest(f"http://{faulty}/login?query=cpu&end=60&hours=1")
        info = store.ingest(f"http://user:secret@{faulty}/login?query=cpu&start=0&end=60&step=60")
        assert (info.name, info.samples) == (faulty, 2)
        monkeypatch.setenv(TOKEN, "a-token\n")
        assert store.ingest(f"http://{faulty}/login?query=cpu&start=0&end=120&step=60").samples == 3
        monkeypatch.setenv(TOKEN, "two\nlines")
        with pytest.raises(TraceError, match=f"{TOKEN}: expected a token"):
            store.ingest(f"http://{faulty}/login?query=cpu&start=0&end=180&step=60")


def test_what_a_url_asks_for() -> None:
    week = server_of("http://h:9090", now_s=1_000_000_030)
    assert (week.queries, week.end_s, week.end_s - week.start_s, week.step_s) == (METRICS, 999_999_900, 604_800, 300)
    own = server_of(
        "https://h/prom/api/v1/query_range?query=a&query=b&start=2026-03-02&end=2026-03-02T01:00:00Z&step=1m"
    )
    assert (own.scheme, own.path, own.queries, own.end_s - own.start_s, own.step_s) == (
        "https",
        "/prom",
        ("a", "b"),
        3600,
        60,
    )
