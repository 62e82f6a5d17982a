"""What clusters and clouds tell of themselves: Prometheus, Kubernetes, OpenCost, CloudWatch, by hand and by sample."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import TraceError
from planner.store import Store
from shared import shared

GIB = 1024**3


def _write(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def _matrix(*series: tuple[dict[str, str], list[tuple[float, object]]]) -> dict[str, object]:
    result = [{"metric": labels, "values": [[t, str(v)] for t, v in values]} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def _usage(path: Path, columns: str) -> tuple[object, list[list[object]]]:
    with Store(":memory:") as store:
        info = store.ingest(path)
        rows = store._frame(f"select workload, epoch(sampled_at), {columns} from usage order by all")
    return info, rows.to_numpy().tolist()


def test_counters_become_rates_and_begin_again_at_zero(tmp_path: Path) -> None:
    name = "container_cpu_usage_seconds_total"
    pod = {"__name__": name, "namespace": "n", "pod": "api-5f6585d649-fnmft"}
    path = _write(
        tmp_path / "cpu.json",
        _matrix(
            ({**pod, "container": "a", "cpu": "total"}, [(0, 10), (60, 40), (120, 6), (180, 36)]),
            ({**pod, "container": "b", "cpu": "total"}, [(0, 0), (60, 60), (120, 120), (180, "NaN")]),
            ({**pod, "cpu": "total"}, [(0, 10), (60, 100), (120, 126), (180, 200)]),
            ({**pod, "container": "POD"}, [(0, 0), (60, 1), (120, 2)]),
            ({"__name__": name, "id": "/"}, [(0, 0), (60, 600)]),
            ({"__name__": name, "id": "/kubepods"}, [(0, 0), (60, 500)]),
        ),
    )
    info, rows = _usage(path, "cpu_cores")
    assert rows == [["n/api-5f6585d649-fnmft", t, c] for t, c in ((60, 1.5), (120, 1.1), (180, 0.5))]
    assert (info.workloads, info.rejected, info.lines) == (1, 1, 19)  # type: ignore[attr-defined]
    assert any("1 counters began again" in note for note in info.notes)  # type: ignore[attr-defined]


def test_a_pod_without_containers_old_labels_and_memory_of_several_kinds(tmp_path: Path) -> None:
    old = {"namespace": "n", "pod_name": "db-0"}
    document = _matrix(
        ({"__name__": "container_cpu_usage_seconds_total", **old}, [(0, 0), (60, 30)]),
        ({"__name__": "container_memory_usage_bytes", **old, "container_name": "x"}, [(60, 4 * GIB)]),
        ({"__name__": "container_memory_working_set_bytes", **old, "container_name": "x"}, [(60, 2 * GIB)]),
        ({"__name__": "container_memory_rss", **old, "container_name": "x"}, [(60, GIB)]),
        ({"__name__": "kube_pod_container_resource_requests", "namespace": "n", "pod": "db-0", "container": "x",
          "resource": "cpu", "unit": "core"}, [(60, 2)]),
        ({"__name__": "kube_pod_container_resource_requests", "namespace": "n", "pod": "db-0", "container": "x",
          "resource": "memory", "unit": "byte"}, [(60, 8 * GIB)]),
    )  # fmt: skip
    _, rows = _usage(_write(tmp_path / "all.json", document), "cpu_cores, memory_gib, allocated_cpu_cores")
    assert rows == [["n/db-0", 60, 0.5, 2, 2]]
    with Store(":memory:") as store:
        store.ingest(tmp_path / "all.json")
        sizes = store._frame("select cpu_cores, memory_gib, application from workloads").to_numpy().tolist()
    assert sizes == [[2, 8, "n/db"]]


def test_machines_of_node_exporter(tmp_path: Path) -> None:
    at = {"instance": "10.0.0.1:9100", "job": "node"}
    modes = [("user", 60), ("system", 30), ("idle", 400), ("iowait", 10), ("guest", 5)]
    series = [
        ({"__name__": "node_cpu_seconds_total", **at, "cpu": str(cpu), "mode": mode}, [(0, 0), (60, value)])
        for cpu in range(4) for mode, value in modes
    ]  # fmt: skip
    series += [
        ({"__name__": "node_memory_MemTotal_bytes", **at}, [(60, 16 * GIB)]),
        ({"__name__": "node_memory_MemAvailable_bytes", **at}, [(60, 10 * GIB)]),
        ({"__name__": "node_memory_MemFree_bytes", **at}, [(60, GIB)]),
        ({"__name__": "node_network_transmit_bytes_total", **at, "device": "eth0"}, [(0, 0), (60, 60 * 2**20)]),
        ({"__name__": "node_network_transmit_bytes_total", **at, "device": "lo"}, [(0, 0), (60, 600 * 2**20)]),
        ({"__name__": "node_load1", **at}, [(60, 3)]),
    ]
    info, rows = _usage(
        _write(tmp_path / "node.json", _matrix(*series)), "cpu_cores, memory_gib, network_out_mib_per_s"
    )
    assert rows == [["10.0.0.1:9100", 60, 6, 6, 1]]
    assert any("node_load1" in note for note in info.notes)  # type: ignore[attr-defined]
    with Store(":memory:") as store:
        store.ingest(tmp_path / "node.json")
        assert store._frame("select kind, cpu_cores, memory_gib from workloads").to_numpy().tolist() == [["vm", 4, 16]]


def test_results_without_a_name_are_known_by_their_file(tmp_path: Path) -> None:
    _write(tmp_path / "cpu_rate.json", _matrix(({"namespace": "n", "pod": "p"}, [(60, 0.25), (120, "+Inf")])))
    _write(tmp_path / "memory.json", _matrix(({"namespace": "n", "pod": "p"}, [(60, GIB)])))
    rule = {"__name__": "namespace_pod:http_requests:rate5m", "namespace": "n", "pod": "p"}
    _write(tmp_path / "rule.json", _matrix((rule, [(60, 7)])))
    _write(tmp_path / "vector.json", {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"__name__": "container_memory_rss", "namespace": "n", "pod": "q"}, "value": [60.5, "1e9"]},
    ]}})  # fmt: skip
    info, rows = _usage(tmp_path, "cpu_cores, memory_gib, requests_per_s")
    assert rows[0] == ["n/p", 60, 0.25, 1, 7]
    assert rows[1][:2] == ["n/q", 60.5]
    assert info.rejected == 1  # type: ignore[attr-defined]
    assert any("3 series have no name" in note for note in info.notes)  # type: ignore[attr-defined]


def _read(folder: Path, columns: str, **documents: object) -> tuple[list[list[object]], str]:
    """Usage and notes of files of those names."""
    folder.mkdir()
    for name, document in documents.items():
        _write(folder / f"{name}.json", document)
    info, rows = _usage(folder, columns)
    return rows, " ".join(info.notes)  # type: ignore[attr-defined]


def test_exported_labels_are_the_pods_own_and_plain_ones_the_scraped_target(tmp_path: Path) -> None:
    ksm = {"__name__": "kube_pod_container_resource_requests", "namespace": "monitoring", "pod": "ksm-0",
           "container": "kube-state-metrics"}  # fmt: skip
    requests = [
        ({**ksm, "exported_namespace": "shop", "exported_pod": pod, "exported_container": "app", "resource": resource},
         [(60, amount)])
        for pod, resource, amount in (("web-1", "cpu", 2), ("web-1", "memory", GIB), ("db-0", "cpu", 4))
    ]  # fmt: skip
    app = {"__name__": "http_requests_total", "namespace": "shop", "pod": "web-1", "exported_namespace": "elsewhere"}
    path = _write(tmp_path / "r.json", _matrix(*requests, (app, [(0, 0), (60, 120)])))
    with Store(":memory:") as store:
        store.ingest(path)
        sizes = store._frame("select workload, cpu_cores, memory_gib, owner from workloads order by all")
        served = store._frame("select workload, requests_per_s from usage where requests_per_s > 0")
    assert sizes.replace({float("nan"): None}).to_numpy().tolist() == [
        ["shop/db-0", 4, None, "shop"],
        ["shop/web-1", 2, 1, "shop"],
    ]
    assert served.to_numpy().tolist() == [["shop/web-1", 2]]


def test_recording_rules_are_what_their_metric_is_and_never_add_up(tmp_path: Path) -> None:
    pod = {"namespace": "a", "pod": "p", "container": "c"}
    mixin = {
        "node_namespace_pod_container:container_memory_working_set_bytes": 4 * GIB,
        "node_namespace_pod_container:container_memory_rss": 3 * GIB,
        "node_namespace_pod_container:container_memory_cache": 2 * GIB,
        "node_namespace_pod_container:container_memory_swap": GIB,
        "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_irate": 0.5,
        "cluster:namespace:pod_cpu:active:kube_pod_container_resource_requests": 2,
        "cluster:namespace:pod_memory:active:kube_pod_container_resource_requests": 8 * GIB,
        "cluster:namespace:pod_memory:active:kube_pod_container_resource_limits": 9 * GIB,
        "namespace_pod:http_requests:increase1h": 3600,
    }
    columns = "cpu_cores, memory_gib, allocated_cpu_cores, allocated_memory_gib, requests_per_s"
    series = [({"__name__": name, **pod}, [(60, value)]) for name, value in mixin.items()]
    rows, told = _read(tmp_path / "rules", columns, rules=_matrix(*series))
    assert rows == [["a/p", 60, 0.5, 4, 2, 8, pytest.approx(float("nan"), nan_ok=True)]]
    for words in ("container_memory_rss beside", "container_memory_cache", "resource_limits", "increase1h"):
        assert words in told


def test_recording_rules_of_machines(tmp_path: Path) -> None:
    at = {"instance": "n1", "job": "node-exporter", "namespace": "monitoring", "pod": "node-exporter-x7k2p"}
    rules = {
        "instance:node_cpu_utilisation:rate5m": 0.5,
        "instance:node_memory_utilisation:ratio": 0.4,
        "instance:node_num_cpu:sum": 8,
        "instance:node_network_receive_bytes_excluding_lo:rate5m": 2 * 2**20,
        "instance:node_network_transmit_bytes_excluding_lo:rate5m": 3 * 2**20,
        "instance:node_load1_per_cpu:ratio": 0.7,
        "instance_device:node_disk_io_time_seconds:rate5m": 0.9,
    }
    series = [({"__name__": name, **at}, [(60, value)]) for name, value in rules.items()]
    columns = "cpu_percent, memory_percent, allocated_cpu_cores, network_in_mib_per_s, network_out_mib_per_s, cpu_cores"
    path = _write(tmp_path / "rules.json", _matrix(*series))
    with Store(":memory:") as store:
        told = " ".join(store.ingest(path).notes)
        rows = store._frame(f"select {columns} from usage").to_numpy().tolist()
        sizes = store._frame("select workload, kind, application, cpu_cores from workloads").to_numpy().tolist()
    assert rows[0][:-1] == [50, 40, 8, 2, 3]
    assert pd.isna(rows[0][-1])
    assert sizes == [["n1", "vm", "node-exporter", 8]]
    assert "node_load1_per_cpu" in told
    assert "node_disk_io_time_seconds" in told


def test_files_of_results_without_a_name_speak_of_more_than_cpu_and_memory(tmp_path: Path) -> None:
    files: dict[str, float] = {
        "network_receive_bytes": 2**20, "cpu_usage_percent": 45, "memory_utilization": 0.25, "cpu_limits": 7,
        "sum_by_pod_rate_container_fs_reads_bytes_total_5m": 3 * 2**20, "sum_by_pod_cpu_requests": 2,
    }  # fmt: skip
    columns = "network_in_mib_per_s, cpu_percent, memory_percent, disk_read_mib_per_s, allocated_cpu_cores, memory_gib"
    documents = {name: _matrix(({"pod": "p"}, [(60, value)])) for name, value in files.items()}
    rows, told = _read(tmp_path / "files", columns, **documents)
    assert rows[0][:-1] == ["p", 60, 1, 45, 25, 3, 2]
    assert pd.isna(rows[0][-1])
    assert "cpu_limits" in told


def test_idle_time_alone_tells_what_is_used(tmp_path: Path) -> None:
    def idle(instance: str, seconds: float, cpu: str) -> tuple[dict[str, str], list[tuple[float, object]]]:
        name = {"__name__": "node_cpu_seconds_total", "instance": instance, "mode": "idle"}
        return name | ({"cpu": cpu} if cpu else {}), [(0, 0), (60, seconds)]

    rates = [({"instance": "b", "mode": "idle", "cpu": cpu}, [(60.0, r)]) for cpu, r in (("0", 0.75), ("1", 0.5))]
    memory = ({"__name__": "process_resident_memory_bytes", "instance": "c"}, [(60.0, GIB)])
    seconds = [idle("a", 60 - 15 * cpu, str(cpu)) for cpu in range(4)]
    rows, told = _read(
        tmp_path / "idle", "cpu_cores", seconds=_matrix(*seconds, idle("c", 100, ""), memory), cpu_idle=_matrix(*rates)
    )
    assert rows[:2] == [["a", 60, 1.5], ["b", 60, 0.75]]
    assert (rows[2][0], pd.isna(rows[2][2])) == ("c", True)
    assert "2 machines tell only idle time: what it leaves" in told
    assert "1 machines tell only idle time, and not of which CPU" in told


def test_replicas_of_a_prometheus_count_once(tmp_path: Path) -> None:
    def series(
        name: str, label: str, replica: str, *values: object
    ) -> tuple[dict[str, str], list[tuple[float, object]]]:
        labels = {"__name__": name, "namespace": "a", "pod": "p", "container": "c", label: replica}
        return labels, [(60.0 * n, value) for n, value in enumerate(values)]

    cpu, memory = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
    answer = _matrix(
        series(memory, "prometheus_replica", "r0", GIB, "NaN", GIB),
        series(memory, "prometheus_replica", "r1", GIB, 2 * GIB, "NaN"),
        series(cpu, "replica", "0", 1000, 1030, "NaN", 1090),
        series(cpu, "replica", "1", 999, 1029, 1059, 1089),
    )
    rows, told = _read(tmp_path / "ha", "cpu_cores, memory_gib", answer=answer)
    assert [row[2] for row in rows[1:]] == [0.5, 0.5, 0.5]
    assert [row[3] for row in rows[:3]] == [1, 2, 1]
    assert "2 series come from several replicas" in told
    assert "began again" not in told


def test_answers_as_other_tools_keep_them(tmp_path: Path) -> None:
    """A list of answers, their data or result alone, what VictoriaMetrics exports; and the warnings that came along."""
    pod = {"__name__": "container_memory_working_set_bytes", "namespace": "n", "container": "c"}
    of = [_matrix(({**pod, "pod": name}, [(60, GIB)])) for name in ("a", "b", "c", "d")]
    exported = [
        {"metric": {**pod, "pod": name}, "values": [GIB, 2.5 * GIB, None], "timestamps": [60000, 120500, 180000]}
        for name in ("e", "f")
    ]
    data: tuple[object, object] = of[2]["data"], of[3]["data"]["result"]  # type: ignore[index]
    rows, told = _read(
        tmp_path / "tools", "memory_gib", data=data[0], result=data[1],
        listed=[{**of[0], "warnings": ["no store matched"]}, {**of[1], "isPartial": True}],
        export="\n".join(json.dumps(line) for line in exported),
    )  # fmt: skip
    later = [[name, t, gib] for name in ("n/e", "n/f") for t, gib in ((60, 1), (120.5, 2.5))]
    assert rows == [[f"n/{name}", 60, 1] for name in "abcd"] + later
    assert "listed: the server warns: no store matched; the answer is partial" in told


def test_containers_of_docker_are_workloads_and_cgroups_of_machines_are_told(tmp_path: Path) -> None:
    of = {"__name__": "container_memory_working_set_bytes", "instance": "h1:8080", "job": "cadvisor"}
    web = {**of, "id": "/docker/1", "name": "shop-web-1", "container_label_com_docker_compose_service": "web"}
    pod = {f"container_label_io_kubernetes_{key}": value for key, value in
           (("pod_name", "db-0"), ("pod_namespace", "n"), ("container_name", "c"))}  # fmt: skip
    path = _write(
        tmp_path / "m.json",
        _matrix(
            ({**of, "id": "/"}, [(60, 8 * GIB)]),
            ({**of, "id": "/system.slice/sshd.service"}, [(60, GIB)]),
            (web, [(60, GIB)]),
            ({**of, "id": "/docker/2", "name": "shop-db-1", "instance": "h2:8080"}, [(60, 2 * GIB)]),
            ({**of, "id": "/kubepods/3", "name": "k8s_c_db-0", **pod}, [(60, 3 * GIB)]),
        ),
    )
    with Store(":memory:") as store:
        info = store.ingest(path)
        rows = store._frame(
            "select workload, application, u.memory_gib from usage u join workloads using (workload) order by 1"
        )
    assert rows.to_numpy().tolist() == [
        ["h1:8080/shop-web-1", "web", 1], ["h2:8080/shop-db-1", "shop-db-1", 2], ["n/db-0", "n/db", 3],
    ]  # fmt: skip
    assert any("2 series are of a machine's own cgroups (such as /)" in note for note in info.notes)


def test_a_container_told_twice_counts_once(tmp_path: Path) -> None:
    """By two scrapes; by two starts, which a server shows side by side for some minutes; by two kube-state-metrics."""
    memory, cpu = "container_memory_working_set_bytes", "container_cpu_usage_seconds_total"
    pod = {"namespace": "n", "pod": "db-0", "container": "c"}
    request = {"__name__": "kube_pod_container_resource_requests", "resource": "cpu", **pod}
    flow = {"__name__": "container_network_receive_bytes_total", "namespace": "n", "pod": "db-0", "interface": "eth0"}
    answer = _matrix(
        ({"__name__": memory, **pod, "id": "/k/1", "job": "kubelet"}, [(0, 2 * GIB), (60, 2 * GIB)]),
        ({"__name__": memory, **pod, "id": "/k/1", "job": "cadvisor"}, [(0, 2 * GIB), (60, 2 * GIB)]),
        ({"__name__": memory, **pod, "id": "/k/2", "job": "kubelet"}, [(60, GIB), (120, GIB)]),
        ({"__name__": memory, **pod, "container": "d", "id": "/k/3"}, [(0, GIB), (60, GIB), (120, GIB)]),
        ({"__name__": cpu, **pod, "id": "/k/1", "cpu": "cpu00"}, [(0, 0), (60, 60), (120, 60)]),
        ({"__name__": cpu, **pod, "id": "/k/1", "cpu": "cpu01"}, [(0, 0), (60, 30), (120, 30)]),
        ({"__name__": cpu, **pod, "id": "/k/2", "cpu": "cpu00"}, [(60, 0), (120, 30)]),
        ({**request, "instance": "10.0.0.1:8080"}, [(0, 2)]),
        ({**request, "instance": "10.0.0.2:8080"}, [(0, 2)]),
        ({**flow, "job": "kubelet"}, [(0, 0), (60, 60 * 2**20)]),
        ({**flow, "job": "cadvisor"}, [(0, 0), (60, 60 * 2**20)]),
    )
    rows, told = _read(tmp_path / "twice", "memory_gib, cpu_cores, allocated_cpu_cores, network_in_mib_per_s", a=answer)
    assert [[cell for cell in row[1:] if not pd.isna(cell)] for row in rows] == [
        [0, 3, 2], [60, 3, 1.5, 1], [120, 2, 0.5],
    ]  # fmt: skip
    assert "4 series of containers are told by several scrapes" in told


def test_machines_that_pods_run_on_are_no_demand_of_their_own(tmp_path: Path) -> None:
    """A server of a cluster tells both; a machine without pods stays, and where nothing joins them it is said."""
    pod = {"namespace": "n", "pod": "p-0", "container": "c", "instance": "10.0.0.1:10250"}
    pods = [
        ({"__name__": "container_cpu_usage_seconds_total", **pod}, [(0.0, 0), (60.0, 30)]),
        ({"__name__": "container_memory_working_set_bytes", **pod}, [(60.0, GIB)]),
    ]
    nodes = [
        ({"__name__": name, "instance": f"10.0.0.{n}:9100"}, [(60.0, amount * GIB)])
        for n in (1, 2) for name, amount in (("node_memory_MemTotal_bytes", 16), ("node_memory_MemAvailable_bytes", 12))
    ]  # fmt: skip
    rows, told = _read(tmp_path / "both", "memory_gib", answer=_matrix(*pods, *nodes))
    assert [[cell for cell in row if not pd.isna(cell)] for row in rows] == [["10.0.0.2:9100", 60, 4], ["n/p-0", 60, 1]]
    assert "1 machines are what the pods run on" in told
    apart = [({**labels, "instance": "10.0.0.9:8080"}, values) for labels, values in pods]  # type: ignore[dict-item]
    rows, told = _read(tmp_path / "apart", "memory_gib", answer=_matrix(*apart, *nodes))
    assert [row[0] for row in rows] == ["10.0.0.1:9100", "10.0.0.2:9100", "n/p-0"]
    assert "2 machines and 1 pods or containers of Docker are both told" in told


def test_a_counter_of_one_sample_has_no_rate(tmp_path: Path) -> None:
    labels = {"__name__": "container_cpu_usage_seconds_total", "pod": "p-0"}
    vector = {"resultType": "vector", "result": [{"metric": labels, "value": [60, "5"]}]}
    rows, told = _read(tmp_path / "one", "cpu_cores", answer={"status": "success", "data": vector})
    assert rows == []
    assert "1 counters have one sample each" in told


def test_pods_of_one_name_in_several_clusters_are_told_apart(tmp_path: Path) -> None:
    """Thanos and Mimir answer for many clusters; what lost the label is of the only cluster that has the name."""
    pod = {"__name__": "container_memory_working_set_bytes", "namespace": "shop", "container": "c"}
    node = {"__name__": "node_memory_MemTotal_bytes", "instance": "10.0.0.1:9100"}
    answer = _matrix(
        ({**pod, "pod": "db-0", "cluster": "eu"}, [(60, GIB)]),
        ({**pod, "pod": "db-0", "cluster": "us"}, [(60, 2 * GIB)]),
        ({**pod, "pod": "web-1", "cluster": "us"}, [(60, 3 * GIB)]),
        ({**node, "cluster": "eu"}, [(60, 8 * GIB)]),
        ({**node, "cluster": "us"}, [(60, 16 * GIB)]),
    )
    lost = _matrix(({"namespace": "shop", "pod": "web-1"}, [(60, 0.5)]))
    rows, told = _read(
        tmp_path / "several", "memory_gib, cpu_cores, allocated_memory_gib", answer=answer, cpu_usage=lost
    )
    assert [[cell for cell in row if not pd.isna(cell)] for row in rows] == [
        ["eu/10.0.0.1:9100", 60, 8], ["eu/shop/db-0", 60, 1], ["us/10.0.0.1:9100", 60, 16], ["us/shop/db-0", 60, 2],
        ["us/shop/web-1", 60, 3, 0.5],
    ]  # fmt: skip
    assert "2 names are of several clusters, such as 10.0.0.1:9100" in told
    alone = _matrix(({**pod, "pod": "db-0", "cluster": "eu"}, [(60, GIB)]))
    assert [row[0] for row in _read(tmp_path / "one", "memory_gib", answer=alone)[0]] == ["shop/db-0"]


def test_answers_without_data_say_why(tmp_path: Path) -> None:
    answers: list[tuple[object, str]] = [
        ({"status": "error", "errorType": "bad_data", "error": 'parse error at "{"'}, 'bad_data: parse error at "{"'),
        (
            {"status": "error", "error": "timed out", "data": {"resultType": "", "result": []}},
            "instead of series: timed out",
        ),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}}, "holds a scalar"),
        ({"Label": "CPUUtilization", "Datapoints": []}, "holds no data points of CPUUtilization"),
        ({"MetricDataResults": [{"Id": "a", "Label": "b", "Timestamps": [], "Values": []}]}, "holds no data points"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, "holds no series"),
    ]
    with Store(":memory:") as store:
        for document, reason in answers:
            with pytest.raises(TraceError) as caught:
                store.ingest(_write(tmp_path / "d.json", document))
            assert "d.json" in str(caught.value)
            assert reason in str(caught.value)
            assert "Known formats" not in str(caught.value)
        with pytest.raises(TraceError, match=r"d\.json: holds no series"):
            store.ingest(tmp_path / "d.json", "prometheus")
        _write(tmp_path / "good.json", _matrix(({"__name__": "container_memory_rss", "pod": "p"}, [(60, 1)])))
        notes = store.ingest(tmp_path).notes
    assert any(note.startswith("d.json: holds no series") for note in notes)


def test_the_example_of_the_prometheus_documentation() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared("traces", "prometheus-opencost-samples", "query_range_doc_example.json"))
    assert (info.format, info.workloads, info.lines, info.rejected) == ("prometheus", 2, 6, 0)
    assert any("up" in note for note in info.notes)


@pytest.mark.parametrize(
    "document",
    [
        {"status": "error", "errorType": "bad_data", "error": "parse error"},
        {"status": "success", "data": {"resultType": "matrix", "result": []}},
        {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": "none"}]}},
        {"status": "success", "data": ["a", "b"]},
        {"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}},
        {"code": 200, "data": None},
        {"items": [{"kind": "Pod", "metadata": None}, 7, None, "x"]},
        {"items": {}},
        {"MetricDataResults": [{"Id": "a"}, None, 3]},
        {"Label": "CPUUtilization", "Datapoints": [{}, None, []]},
        [],
        {},
        [[1, 2]],
    ],
)
def test_documents_of_the_right_keys_and_nothing_in_them(tmp_path: Path, document: object) -> None:
    with Store(":memory:") as store, pytest.raises(TraceError, match=r"d\.json"):
        store.ingest(_write(tmp_path / "d.json", document))


def test_a_pod_needs_its_containers_or_its_largest_init_container(tmp_path: Path) -> None:
    def part(cpu: str, memory: str, **more: str) -> dict[str, object]:
        return {"name": "x", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}

    def pod(name: str, kind: str, owner: str, phase: str = "Running", **spec: object) -> dict[str, object]:
        meta = {"name": name, "namespace": "n", "ownerReferences": [{"kind": kind, "name": owner}]}
        return {"kind": "Pod", "metadata": meta, "spec": {"nodeName": "w1", **spec}, "status": {"phase": phase}}

    pods = [
        pod("a-5f6585d649-fnmft", "ReplicaSet", "a-5f6585d649",
            containers=[part("250m", "512Mi"), part("0.5", "1e3Ki")],
            initContainers=[part("2", "64M"), {**part("100m", "1Gi"), "restartPolicy": "Always"}],
            overhead={"cpu": "50m", "memory": "128Mi"}),
        pod("b-0", "StatefulSet", "b", containers=[{"name": "y", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]),
        pod("ds-x", "DaemonSet", "ds", containers=[part("100m", "1Gi")]),
        pod("done-1", "Job", "done", "Succeeded", containers=[part("1", "1Gi")]),
        pod("bad-1", "Job", "bad", containers=[part("lots", "1Gi")]),
    ]  # fmt: skip
    node = {"kind": "Node", "metadata": {"name": "w1"}, "status": {
        "capacity": {"cpu": "8", "memory": "32Gi"}, "nodeInfo": {"architecture": "arm64"}}}  # fmt: skip
    _write(tmp_path / "everything.json", {"apiVersion": "v1", "kind": "List", "items": [*pods, node]})
    _write(tmp_path / "top.txt", "NAME                 CPU(cores)   MEMORY(bytes)\n"
           "a-5f6585d649-fnmft   41m          1Gi\n"
           "b-0                  1500m        100Mi\nds-x                 1m           1Mi\n")  # fmt: skip
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        rows = store._frame("select * from workloads order by workload").set_index("workload")
        used = store._frame("select workload, cpu_cores, memory_gib from usage order by all").to_numpy().tolist()
    assert rows.index.tolist() == ["n/a-5f6585d649-fnmft", "n/b-0"]
    a = rows.iloc[0]
    assert a[["cpu_cores", "memory_gib"]].tolist() == pytest.approx(
        [2.05, (512 + 1000 / 1.024 / 1000 + 1024 + 128) / 1024], rel=1e-3
    )
    assert (a["application"], a["arch"], a["scales_out"]) == ("n/a", "arm64", True)
    assert a["cpu_percent_mean"] == pytest.approx(100 * 0.041 / 2.05)
    assert (rows["gpus"].iloc[1], pd.isna(rows["cpu_cores"].iloc[1])) == (2, True)
    assert used[1] == ["n/b-0", 1.5, 100 / 1024]
    assert info.rejected == 1
    told = " ".join(info.notes)
    for words in ("1 pods have ended", "1 pods of DaemonSets", "1 nodes today: 8.0 cores, 32.0 GiB", "ask for no CPU"):
        assert words in told


def _requests(cpu: str, memory: str) -> dict[str, object]:
    return {"requests": {"cpu": cpu, "memory": memory}}


def _pod(name: str, **spec: object) -> dict[str, object]:
    app = {"name": "app", "resources": _requests("200m", "256Mi")}
    spec = {"containers": [app], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n"}, "spec": spec}


def test_what_a_pod_needs_with_sidecars_and_as_a_whole(tmp_path: Path) -> None:
    sidecar = {"name": "log", "resources": _requests("100m", "128Mi"), "restartPolicy": "Always"}
    more = {**sidecar, "name": "net", "resources": _requests("1", "64Mi")}
    once = {"name": "once", "resources": _requests("1", "1Gi")}
    silent = [{"name": "app"}]
    limits = {"limits": {"cpu": "4", "memory": "4Gi"}}
    pods = [
        _pod("a", initContainers=[sidecar, once]),  # 0.1 + 1 beside, 128 + 1024 MiB
        _pod("b", initContainers=[once, sidecar]),  # the sidecar starts later: 1 alone
        _pod("c", initContainers=[sidecar, once, more]),  # at last 0.2 + 0.1 + 1
        _pod("d", initContainers=[sidecar, {"name": "free"}, more, once]),
        _pod("e", resources=_requests("2", "2Gi"), overhead={"cpu": "250m"}),
        _pod("f", resources={"requests": {"cpu": "100m"}, **limits}),  # memory: what the container asks for
        _pod("g", resources=limits, containers=silent),
    ]
    with Store(":memory:") as store:
        store.ingest(_write(tmp_path / "pods.json", {"apiVersion": "v1", "kind": "List", "items": pods}))
        rows = store._frame("select workload, cpu_cores, 1024 * memory_gib from workloads order by all")
    assert rows.to_numpy().tolist() == [
        ["n/a", 1.1, 1152], ["n/b", 1, 1024], ["n/c", 1.3, 1152], ["n/d", 2.1, 1216], ["n/e", 2.25, 2048],
        ["n/f", 0.1, 256], ["n/g", 4, 4096],
    ]  # fmt: skip


def test_a_pod_or_a_node_alone_is_a_list_of_one(tmp_path: Path) -> None:
    node = {"kind": "Node", "metadata": {"name": "w1"}, "status": {"capacity": {"cpu": "8", "memory": "32Gi"}}}
    _write(tmp_path / "pod.json", _pod("a"))
    _write(tmp_path / "lines.json", "\n".join(json.dumps(_pod(name)) for name in "bc"))
    _write(tmp_path / "node.json", node)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        rows = store._frame("select workload, kind, cpu_cores from workloads order by all").to_numpy().tolist()
    assert rows == [[f"n/{name}", "container", 0.2] for name in "abc"]
    assert any("the cluster has 1 nodes today: 8.0 cores, 32.0 GiB" in note for note in info.notes)


def test_lists_in_lists_and_lists_that_were_cut(tmp_path: Path) -> None:
    """As jq -s puts them together; an answer of the API has no kind at its items, and tells where it was cut."""

    def listed(*items: object, kind: str = "List", **meta: object) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": kind, "metadata": meta, "items": list(items)}

    bare = {key: value for key, value in _pod("c").items() if key != "kind"}
    node = {"kind": "Node", "metadata": {"name": "w1"}, "status": {"capacity": {"cpu": "4", "memory": "8Gi"}}}
    (tmp_path / "several").mkdir()
    _write(tmp_path / "several" / "slurped.json", [listed(_pod("a")), listed(_pod("b"), node)])
    _write(tmp_path / "several" / "nested.json", listed(listed(bare, kind="PodList"), _pod("d")))
    _write(
        tmp_path / "several" / "cut.json",
        listed(_pod("e"), kind="PodList", **{"continue": "eyJ2", "remainingItemCount": 7}),
    )
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "several")
        names = store._frame("select workload from workloads order by 1")["workload"].tolist()
    assert (names, info.lines, info.rejected) == ([f"n/{name}" for name in "abcde"], 6, 0)
    assert any("a list was cut by its server: 7 more" in note for note in info.notes)
    assert any("the cluster has 1 nodes today: 4.0 cores, 8.0 GiB" in note for note in info.notes)


def test_what_kubectl_logs_above_its_table_is_no_row(tmp_path: Path) -> None:
    log = "W0920 10:00:00.000000    1234 top_pod.go:140] Using json format to get metrics.\n"
    path = tmp_path / "top.txt"
    path.write_text(
        f"\n{log}NAME   CPU(cores)   MEMORY(bytes)\ndb-0   100m         64Mi\n{log}db-1   x            64Mi\n"
    )
    with Store(":memory:") as store:
        info = store.ingest(path)
        lines = store.rejects(info.trace_id)["line"].tolist()
    assert (info.workloads, info.rejected, lines) == (1, 1, [6])


def test_several_readings_are_no_sum(tmp_path: Path) -> None:
    """Of kubectl top, minutes apart: containers of one reading add up, readings do not."""
    head = "NAMESPACE   POD    NAME   CPU(cores)   MEMORY(bytes)\n"
    for name, cores in (("first", 100), ("second", 300)):
        (tmp_path / f"{name}.txt").write_text(
            f"{head}n           db-0   a      {cores}m         64Mi\nn           db-0   b      100m         {cores}Mi\n"
        )
    (tmp_path / "nodes").mkdir()
    for name, cores in (("first", 1000), ("second", 900)):
        (tmp_path / "nodes" / name).write_text(
            f"NAME   CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%\nw1     {cores}m   1%   {cores}Mi   1%\n"
        )
    with Store(":memory:") as store:
        info = store.ingest([tmp_path / "first.txt", tmp_path / "second.txt"])
        store.ingest(tmp_path / "nodes")
        rows = (
            store._frame("select workload, cpu_cores, memory_gib * 1024 as mib from usage order by 1")
            .to_numpy()
            .tolist()
        )
    assert rows == [["n/db-0", 0.3, 364], ["w1", 0.95, 1000]]
    assert any("1 pods or nodes are read several times" in note for note in info.notes)


def test_pods_of_one_name_and_several_uids_are_several(tmp_path: Path) -> None:
    for cluster, uid in (("eu", "1"), ("us", "2"), ("copy", "2")):
        pod = _pod("db-0")
        pod["metadata"] = {"name": "db-0", "namespace": "n", "uid": uid}
        _write(tmp_path / f"{cluster}.json", {"kind": "List", "items": [pod]})
    (tmp_path / "top.txt").write_text(
        "NAMESPACE   NAME   CPU(cores)   MEMORY(bytes)\nn           db-0   100m         64Mi\n"
    )
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        rows = store._frame("select workload, cpu_cores from workloads order by 1").to_numpy().tolist()
    assert rows == [["copy/n/db-0", 0.2], ["eu/n/db-0", 0.2]]
    assert any("2 pods have a name that another pod has, such as n/db-0" in note for note in info.notes)


def test_a_quantity_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    bad = {"name": "bad", "resources": {"requests": {"cpu": "lots", "nvidia.com/gpu": "1"}}}
    worse = {"name": "worse", "resources": {"limits": {"nvidia.com/gpu": "many"}}}
    with Store(":memory:") as store:
        info = store.ingest(_write(tmp_path / "pod.json", _pod("a", containers=[bad, worse, {"name": "good"}])))
        reasons = store.rejects(info.trace_id)["reason"].tolist()
    assert reasons == [
        "cpu: expected a quantity such as 250m, 1.5 or 512Mi, found lots",
        "gpu: expected a quantity such as 250m, 1.5 or 512Mi, found many",
    ]
    assert info.workloads == 1


def test_nodes_alone_are_machines(tmp_path: Path) -> None:
    nodes = [{"metadata": {"name": f"w{n}"}, "status": {"capacity": {"cpu": "4", "memory": "16Gi"}}} for n in (1, 2)]
    _write(tmp_path / "nodes.json", {"kind": "NodeList", "items": nodes})
    _write(tmp_path / "top.txt", "NAME   CPU(cores)   CPU%        MEMORY(bytes)   MEMORY%\n"
           "w1     1            25%         8192Mi          50%\n"
           "w2     <unknown>    <unknown>   <unknown>       <unknown>\n")  # fmt: skip
    with Store(":memory:") as store:
        info = store.ingest(tmp_path)
        rows = store._frame("select workload, kind, cpu_cores, cpu_percent_mean from workloads order by all")
    assert rows.iloc[0].tolist() == ["w1", "vm", 4, 25]
    assert (info.workloads, info.rejected) == (2, 1)


def test_top_alone_with_containers(tmp_path: Path) -> None:
    lines = ["POD       NAME   CPU(cores)   MEMORY(bytes)   ", "web-abc   app    100m         1024Mi          ",
             "web-abc   log    50m          0Mi", ""]  # fmt: skip
    _, rows = _usage(_write(tmp_path / "t.txt", "\n".join(lines)), "cpu_cores, memory_gib")
    assert [row[0:1] + row[2:] for row in rows] == [["web-abc", 0.15, 1.0]]


def test_allocations(tmp_path: Path) -> None:
    def entry(start: str, **more: object) -> dict[str, object]:
        return {"properties": {"namespace": "n", "pod": "p", "controller": "c", "controllerKind": "deployment"},
                "start": start, "minutes": 60, **more}  # fmt: skip

    used = {
        "cpuCoreUsageAverage": 0.5,
        "cpuCoreRequestAverage": 1,
        "ramByteUsageAverage": GIB,
        "ramByteRequestAverage": 2 * GIB,
    }
    document = {"code": 200, "data": [
        {"n/p/a": entry("2026-03-02T00:00:00Z", **used), "n/p/b": entry("2026-03-02T00:00:00Z", **used),
         "__idle__": {"start": "2026-03-02T00:00:00Z", "minutes": 60, "totalCost": 1.5}},
        None,
        {"n/p/a": entry("2026-03-02T01:00:00Z", cpuCoreUsageAverage=None, ramByteUsageAverage=None),
         "cl/__unmounted__/__unmounted__": {"start": "2026-03-02T01:00:00Z", "minutes": 60},
         "bad": entry("soon")},
    ]}  # fmt: skip
    info, rows = _usage(_write(tmp_path / "a.json", document), "cpu_cores, memory_gib, allocated_cpu_cores")
    assert rows[0][2:] == [1, 2, 2]
    assert pd.isna(rows[1][2])
    assert (info.format, info.workloads, info.samples, info.rejected) == ("opencost", 1, 2, 1)  # type: ignore[attr-defined]
    assert any("2 entries are idle" in note for note in info.notes)  # type: ignore[attr-defined]


def _allocation(pod: str, minutes: float = 60, cores: float = 1, cluster: str = "cluster-one") -> dict[str, object]:
    properties = {"cluster": cluster, "namespace": "n", "pod": pod, "controller": pod[:-2]}
    return {"properties": properties, "start": "2026-03-02T00:00:00Z", "minutes": minutes, "cpuCoreUsageAverage": cores}


def test_allocations_of_several_clusters_and_of_answers_that_overlap(tmp_path: Path) -> None:
    """Two clusters have a pod of one name; a step is asked for twice, once before it had passed."""
    once = {"a": _allocation("a-1"), "b": _allocation("b-1", 30, 2)}
    answers = {"first": [once], "second": [{"a": _allocation("a-1"), "b": _allocation("b-1", 60, 1.5)}]}
    rows, told = _read(
        tmp_path / "side", "cpu_cores", **{key: {"code": 200, "data": data} for key, data in answers.items()}
    )
    assert [(row[0], row[2]) for row in rows] == [("n/a-1", 1), ("n/b-1", 1.5)]
    assert "2 allocations are told by several answers" in told
    both = {name: _allocation("db-0", 60, n, name) for n, name in enumerate(("eu", "us"), 1)}
    rows, told = _read(tmp_path / "clusters", "cpu_cores", all={"code": 200, "data": [both]})
    assert [(row[0], row[2]) for row in rows] == [("eu/n/db-0", 1), ("us/n/db-0", 2)]
    assert "1 names are of several clusters, such as n/db-0" in told


def test_allocations_by_pod_beside_some_by_namespace_are_told(tmp_path: Path) -> None:
    """And answers may lie in a list, as jq -s puts them together."""
    whole = {"n": {**_allocation("a-1"), "properties": {"cluster": "cluster-one", "namespace": "n"}}}
    answers = [{"code": 200, "data": [data]} for data in ({"a": _allocation("a-1")}, whole)]
    rows, told = _read(tmp_path / "both", "cpu_cores", listed=answers)
    assert [(row[0], row[2]) for row in rows] == [("n", 1), ("n/a-1", 1)]
    assert "1 workloads are of answers by something larger than a pod (such as n), 1 are pods" in told


def test_the_summary_of_kubecost(tmp_path: Path) -> None:
    """Its allocations have no properties: where nothing is aggregated, their names tell them."""

    def sets(*names: str) -> dict[str, object]:
        hours = [(f"2026-03-02T0{n}:00:00Z", f"2026-03-02T0{n + 1}:00:00Z") for n in range(2)]
        used = {
            "cpuCoreUsageAverage": 0.5,
            "ramByteUsageAverage": GIB,
            "cpuCoreRequestAverage": 1,
            "ramByteRequestAverage": GIB,
        }
        return {"code": 200, "data": {"step": 3.6e12, "window": {"start": hours[0][0], "end": hours[1][1]}, "sets": [
            {"allocations": {name: {"name": name, "start": start, "end": end, **used} for name in names},
             "window": {"start": start, "end": end}}
            for start, end in hours
        ]}}  # fmt: skip

    rows, told = _read(
        tmp_path / "all", "cpu_cores, allocated_cpu_cores", s=sets("c/n1/shop/a-1/x", "c/n1/shop/a-1/y", "__idle__")
    )
    assert [(row[0], row[2], row[3]) for row in rows] == [("shop/a-1", 1, 2)] * 2
    assert "2 entries are idle" in told
    rows, _ = _read(tmp_path / "namespaces", "cpu_cores, memory_gib", s=sets("shop", "kube-system"))
    assert [(row[0], row[2], row[3]) for row in rows] == [("kube-system", 0.5, 1)] * 2 + [("shop", 0.5, 1)] * 2


def test_pods_without_the_property_run_and_idle_capacity_does_not(tmp_path: Path) -> None:
    def entry(cores: float) -> dict[str, object]:
        return {"start": "2026-03-02T00:00:00Z", "minutes": 60, "cpuCoreUsageAverage": cores, "totalCost": 1}

    entries = {"team-a": 0.5, "__unallocated__": 3, "kube-system/__unallocated__": 2, "shop/__idle__": 0}
    entries |= {"__idle__": 7, "__unmounted__": 0, "my__idle__app": 1}
    document = {"code": 200, "data": [{name: entry(cores) for name, cores in entries.items()}]}
    info, rows = _usage(_write(tmp_path / "label.json", document), "cpu_cores")
    assert [(row[0], row[2]) for row in rows] == [
        ("__unallocated__", 3), ("kube-system/__unallocated__", 2), ("my__idle__app", 1), ("team-a", 0.5),
    ]  # fmt: skip
    told = " ".join(info.notes)  # type: ignore[attr-defined]
    assert "3 entries are idle or unmounted capacity" in told
    assert "2 workloads, such as __unallocated__, are all the pods without" in told
    assert "together up to 5.0 cores in use" in told


def test_documents_without_rows_tell_why(tmp_path: Path) -> None:
    told = {
        "error": ({"code": 500, "data": None, "message": "parsing\nwindow"}, "answered with error 500: parsing window"),
        "empty": ({"code": 200, "data": [{}]}, "holds no allocations"),
        "object": ({"code": 200, "data": {"total": 3}}, "its data is an object: expected a list"),
        "summary": ({"code": 200, "data": {"sets": []}}, "holds no allocations"),
        "assets": ({"code": 200, "data": [{"c/n1": {"type": "Node", "minutes": 60}}]}, "holds assets"),
        "service": ({"apiVersion": "v1", "kind": "Service", "metadata": {}}, "holds Service: expected pods"),
        "list": ({"apiVersion": "v1", "kind": "List", "items": []}, "holds nothing: expected pods"),
    }
    start = {"start": "2026-03-02T00:00:00Z", "minutes": 60, "cpuCoreUsageAverage": 1}
    (tmp_path / "mixed").mkdir()
    _write(tmp_path / "mixed" / "good.json", {"code": 200, "data": [{"a": start}]})
    _write(tmp_path / "mixed" / "bad.json", told["error"][0])
    with Store(":memory:") as store:
        for name, (document, words) in told.items():
            with pytest.raises(TraceError, match=rf"{name}\.json: .*{words}") as caught:
                store.ingest(_write(tmp_path / f"{name}.json", document))
            assert "Known formats" not in str(caught.value)
        with pytest.raises(TraceError, match=r"is not of format opencost: empty\.json: holds no allocations"):
            store.ingest(tmp_path / "empty.json", "opencost")
        info = store.ingest(tmp_path / "mixed")
    assert info.workloads == 1
    assert any("bad.json: the server answered with error 500" in note for note in info.notes)


NAB = {  # rows, mean, P95, max: counted with pandas from the published files
    "ec2_24ae8d": (4032, 0.126, 0.136, 2.344),
    "ec2_825cc2": (4032, 89.791, 96.242, 99.118),
    "ec2_ac20cd": (4032, 40.985, 99.202, 99.742),
    "rds_cc0c53": (4032, 8.112, 15.087, 25.103),
    "asg_misconfiguration": (18050, 38.283, 73.474, 100),
}


def test_the_published_cloudwatch_files() -> None:
    with Store(":memory:") as store:
        info = store.ingest(shared("traces", "nab-cloudwatch"))
        rows = store._frame("""
            select workload, count(*), avg(cpu_percent), quantile_cont(cpu_percent, 0.95), max(cpu_percent),
                max(requests_per_s) * 300 from usage group by all
        """).set_index("workload")
        demand = store.demand(info.trace_id, Policy(assumed_cpu_cores=2, assumed_memory_gib=8))
    assert (info.format, info.workloads, info.rejected) == ("cloudwatch", 6, 0)
    for name, figures in NAB.items():
        assert rows.loc[name].tolist()[:4] == pytest.approx(figures, abs=6e-4)
    assert rows.loc["elb_8c0756"].iloc[4] == pytest.approx(656)
    assert demand.count.sum() == 6


def test_statistics_and_metric_data(tmp_path: Path) -> None:
    _write(tmp_path / "i-0abc.NetworkIn.json", {"Label": "NetworkIn", "Datapoints": [
        {"Timestamp": "2026-03-02T00:00:00Z", "Sum": 300.0 * 2**20, "Unit": "Bytes"},
        {"Timestamp": "2026-03-02T00:05:00+00:00", "Average": 60.0 * 2**20, "SampleCount": 5.0, "Unit": "Bytes"},
        {"Timestamp": "never", "Sum": 1.0}]})  # fmt: skip
    _write(tmp_path / "data.json", {"MetricDataResults": [
        {"Id": "m1", "Label": "i-0abc CPUUtilization", "Timestamps": ["2026-03-02T00:00:00Z"], "Values": [12.5]},
        {"Id": "m2", "Label": "StatusCheckFailed", "Timestamps": ["2026-03-02T00:00:00Z"], "Values": [0]},
    ]})  # fmt: skip
    info, rows = _usage(tmp_path, "cpu_percent, network_in_mib_per_s")
    nothing = pytest.approx(float("nan"), nan_ok=True)
    assert rows == [["i-0abc", 1772409600, 12.5, 1], ["i-0abc", 1772409900, nothing, 1]]
    assert (info.format, info.rejected) == ("cloudwatch", 1)  # type: ignore[attr-defined]
    assert any("StatusCheckFailed" in note for note in info.notes)  # type: ignore[attr-defined]


def test_statistics_in_the_units_that_they_tell(tmp_path: Path) -> None:
    """300 MiB in five minutes are one a second, however they are told; CloudWatch's prefixes are powers of 1,024."""
    told = {
        "Bytes": 300 * 2**20,
        "Kilobytes": 300 * 2**10,
        "Megabits": 2400,
        "None": 300 * 2**20,
        "Gigabytes": 75 / 256,
    }
    for n, (unit, amount) in enumerate(told.items()):
        times = [f"2026-03-02T00:0{minute}:00Z" for minute in (0, 5)]
        points = [{"Timestamp": time, "Sum": amount, "Unit": unit} for time in times]
        _write(tmp_path / f"i-0abc{n}.json", {"Label": "NetworkIn", "Datapoints": points})
    used = [{"Timestamp": "2026-03-02T00:00:00Z", "Average": 2048.0, "Unit": "Megabytes"}]
    _write(tmp_path / "i-0abc0 mem.json", {"Label": "MemoryUsed", "Datapoints": used})
    info, rows = _usage(tmp_path, "network_in_mib_per_s, memory_gib")
    assert _first(rows) == {"i-0abc0": [1, 2], **{f"i-0abc{n}": [1] for n in range(1, 5)}}
    assert info.rejected == 0  # type: ignore[attr-defined]


def _results(*results: tuple[str, str, float]) -> dict[str, object]:
    """An answer of get-metric-data: Id, label and the value at two moments, five minutes apart."""
    times = ["2026-03-02T00:05:00+00:00", "2026-03-02T00:00:00+00:00"]
    return {"MetricDataResults": [
        {"Id": key, "Label": label, "Timestamps": times, "Values": [value, value], "StatusCode": "Complete"}
        for key, label, value in results], "Messages": []}  # fmt: skip


def _first(rows: list[list[object]]) -> dict[object, list[object]]:
    """The figures of each workload at its first moment, without those that are not told."""
    return {row[0]: [value for value in row[2:] if not pd.isna(value)] for row in reversed(rows)}


def test_a_sample_in_two_exports_counts_once_and_answers_may_lie_in_a_list(tmp_path: Path) -> None:
    """The period that was not over when the first export was made is whole in the second."""
    mib = 300.0 * 2**20
    times = ["2026-03-02T00:00:00Z", "2026-03-02T00:05:00Z", "2026-03-02T00:10:00Z"]
    for name, some, values in (("first", times[:2], [mib, mib / 2]), ("second", times[1:], [mib, 3 * mib])):
        result = {"Id": name, "Timestamps": some, "Values": values}
        labels = ("i-0abc NetworkIn", "i-0abc NetworkOut")
        answers = [{"MetricDataResults": [{**result, "Label": label}]} for label in labels]
        _write(tmp_path / f"{name}.json", answers)
    info, rows = _usage(tmp_path, "network_in_mib_per_s, network_out_mib_per_s")
    assert [row[2:] for row in rows] == [[1, 1], [1, 1], [3, 3]]
    assert "2 samples are in several files: they are counted once, with the highest value" in info.notes  # type: ignore[attr-defined]


def test_results_of_one_label_are_one_machine_unless_only_their_ids_tell_them_apart(tmp_path: Path) -> None:
    columns, mib = "cpu_percent, network_in_mib_per_s", 300 * 2**20
    point = {"Timestamp": "2026-03-02T00:00:00Z", "Average": 3.0}
    rows, _ = _read(
        tmp_path / "named", columns,
        names=_results(("m1", "web CPUUtilization", 10), ("m2", "web NetworkIn", mib), ("m3", "db CPUUtilization", 20)),
        plain=_results(("cpu", "CPUUtilization", 30), ("netin", "NetworkIn", 2 * mib)),
        ids=_results(("x", "CPUUtilization", 1), ("y", "CPUUtilization", 2)),
        **{
            "cpu_i-0abc123": {"Label": "CPUUtilization", "Datapoints": [{**point, "Unit": "Percent"}]},
            "net_i-0abc123": {"Label": "NetworkIn", "Datapoints": [{**point, "Sum": mib, "Unit": "Bytes"}]},
        },
    )  # fmt: skip
    assert _first(rows) == {"web": [10, 1], "db": [20], "plain": [30, 2], "x": [1], "y": [2], "i-0abc123": [3, 1]}


def test_a_metric_is_a_whole_word_in_a_label_or_else_in_an_id_or_the_files_name(tmp_path: Path) -> None:
    rows, told = _read(
        tmp_path / "words", "cpu_percent, memory_percent, memory_gib, requests_per_s",
        a=_results(
            ("m1", "i-0abc123 GPUMemoryUtilization", 90), ("m2", "i-0abc123 MemoryUtilization", 10),
            ("m3", "app/lb/12 RequestCount", 300), ("m4", "app/lb/12 RequestCountPerTarget", 100),
            ("m5", "redis CPUUtilization", 10), ("m6", "redis EngineCPUUtilization", 40),
            ("m7", "redis engine_cpu_utilization", 50), ("m8", "redis mem_used", 2 * GIB),
        ),
        CPUUtilization=_results(("m1", "i-0abc456", 5), ("m2", "i-0def456", 6)),
        some=_results(("memory_utilization", "i-0abc456", 7)),
        cpu_utilization=_results(("m1", "web CPUUtilization", 8), ("m2", "web StatusCheckFailed", 1)),
    )  # fmt: skip
    named = {"i-0abc123": [10], "app/lb/12": [1], "redis": [10, 2]}
    assert _first(rows) == {**named, "i-0abc456": [5, 7], "i-0def456": [6], "web": [8]}
    for name in ("GPUMemoryUtilization", "RequestCountPerTarget", "EngineCPUUtilization", "engine_cpu_utilization",
                 "StatusCheckFailed"):  # fmt: skip
        assert name in told


@pytest.mark.parametrize("name", ["prometheus", "kubernetes", "opencost"])
def test_samples_are_planned_from_what_they_use(name: str) -> None:
    with Store(":memory:") as store:
        info = store.ingest(bundled("datasets", "samples", name))
        demand = store.demand(info.trace_id, Policy())
    assert demand.count.sum() == info.workloads
    assert (demand.busy[:, :, :2] >= 0).all()
    assert demand.busy[:, :, 0].sum() > 0


def test_a_long_answer_on_one_line(tmp_path: Path) -> None:
    series = [
        ({"__name__": "container_memory_rss", "pod": f"p{n}"}, [(t, 1e9) for t in range(2000)]) for n in range(10)
    ]
    info, _ = _usage(_write(tmp_path / "long.json", _matrix(*series)), "memory_gib")
    assert (info.workloads, info.samples) == (10, 20_000)  # type: ignore[attr-defined]
    longer = {"infos": ["x" * 2**21], **_matrix(({"__name__": "container_memory_rss", "pod": "p"}, [(60, 1e9)]))}
    assert _usage(_write(tmp_path / "longer.json", longer), "memory_gib")[1] == [
        ["p", 60, pytest.approx(0.931, abs=1e-3)]
    ]
