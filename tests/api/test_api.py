"""The API in this process: uploads, jobs, studies and reports, and what is refused.

Uploads are read without a process of their own here, which takes longer; a live server does it as it is meant.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from planner.api import Access, Doorkeeper, House, create
from planner.api.access import Token, new_token
from planner.bundle import bundled
from planner.jobs import Desk, Patience
from planner.report import FORMATS
from planner.workspaces import Workspaces

CSV = bundled("datasets", "samples", "bitbrains", "fastStorage", "2013-8", "1.csv")
QUESTION = {"trace": {"path": "sample:bitbrains"}, "horizon_years": 1, "models": [{"kind": "iaas"}]}
KNOWN = {name: new_token(name) for name in ("ann", "bob")}


def client(house: House, token: str | None = None) -> TestClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    door = Doorkeeper(create(house), house.access)
    return TestClient(door, "http://localhost", client=("127.0.0.1", 40000), headers=headers)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    opened = Desk(Patience(workers=1))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def house(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("data")
    return House(Workspaces(folder / "planner.duckdb"), desk, Access(upload_mib=1, question_mib=0.01), None)


@pytest.fixture(scope="module")
def api(house: House) -> TestClient:
    return client(house)


def sent(api: TestClient, **query: str) -> Any:
    kind = {"Content-Type": "application/octet-stream"}
    return api.post("/traces", params=query, content=CSV.read_bytes(), headers=kind)


def finished(api: TestClient, question: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/jobs", json=question)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/jobs/{answer.json()['job_id']}"
    deadline = time.monotonic() + 120
    while True:
        job: dict[str, Any] = api.get(answer.headers["Location"]).json()
        if job["ended_at"] or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def problem(answer: Any, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert words in told["detail"], told


def test_from_upload_to_report(api: TestClient) -> None:
    recording = sent(api, name="mine")
    assert recording.status_code == 201
    told = recording.json()
    assert (told["name"], told["format"], told["lines"]) == ("mine", "bitbrains", told["samples"] + told["rejected"])
    assert sent(api).json()["repeated"]
    assert api.get("/traces").json()[0]["trace_id"] == told["trace_id"]
    assert api.get(f"/traces/{told['trace_id']}/rejects").json() == []
    job = finished(api, QUESTION | {"trace": {"path": told["path"]}})
    assert (job["status"], job["done"], job["error"]) == ("done", 1, None)
    document = api.get(f"/studies/{job['study_id']}").json()
    assert document["trace"]["trace_id"] == told["trace_id"]
    assert job["study_id"] in {study["study_id"] for study in api.get("/studies").json()}
    page = api.get(f"/studies/{job['study_id']}/report.html")
    assert page.headers["Content-Security-Policy"] == "sandbox"
    assert "attachment" in page.headers["Content-Disposition"]
    assert f"{document['models'][0]['tco_usd']:,.2f}" in page.text
    assert api.get(f"/studies/{job['study_id']}/report.json").json() == document
    for suffix, kind in FORMATS.items():
        report = api.get(f"/studies/{job['study_id']}/report{suffix}")
        assert report.status_code == 200, (suffix, report.text[:300])
        assert report.headers["Content-Type"].startswith(kind.mime)
        assert report.content
    tables = zipfile.ZipFile(io.BytesIO(api.get(f"/studies/{job['study_id']}/report.csv.zip").content))
    assert "placements.csv" in tables.namelist()
    assert api.delete(f"/studies/{job['study_id']}").status_code == 204
    problem(api.get(f"/studies/{job['study_id']}"), 404, "none of that id")
    problem(api.delete(f"/studies/{job['study_id']}"), 404, "none of that id")
    assert api.delete(f"/traces/{told['trace_id']}").status_code == 204
    problem(api.delete(f"/traces/{told['trace_id']}"), 404, told["trace_id"])
    assert not sent(api).json()["repeated"], "it is read anew"


def test_a_scenario_may_be_toml(api: TestClient) -> None:
    body = 'name = "written"\nhorizon_years = 1\n[trace]\npath = "sample:bitbrains"\n[[models]]\nkind = "iaas"\n'
    answer = api.post("/jobs", content=body, headers={"Content-Type": "application/toml"})
    assert (answer.status_code, answer.json()["name"]) == (202, "written")
    assert api.delete(f"/jobs/{answer.json()['job_id']}").status_code == 204
    problem(api.get(f"/jobs/{answer.json()['job_id']}"), 404, "none of that id")
    wrong = api.post("/jobs", content="[where]\nregon = 1", headers={"Content-Type": "application/toml"})
    problem(wrong, 422, "line 2: where.regon: no such setting; did you mean 'region'?")


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        ({"trace": {"path": "/etc/passwd"}}, 422, "expected sample:NAME"),
        ({"trace": {"path": "sample:../../etc"}}, 422, "no such recording ships"),
        ({"price_books": ["/etc/passwd"]}, 422, "files of the server are not read"),
        ({"horizon_years": "3"}, 422, "horizon_years"),
        ({"models": [{"kind": "kubernets"}]}, 422, "did you mean 'kubernetes'?"),
        ([1], 422, "expected a table"),
        ({"name": "x" * 20_000}, 413, "larger than"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_in_words(
    api: TestClient, question: Any, status: int, words: str
) -> None:
    problem(api.post("/jobs", json=question), status, words)


def test_a_recording_that_is_not_there_fails_the_job_in_words(api: TestClient) -> None:
    job = finished(api, QUESTION | {"trace": {"path": "trace:0"}})
    assert job["status"] == "failed"
    assert "trace '0'" in job["error"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/etc/cron.d/x", "=cmd()|' /C calc'!A0", "\x00", "a" * 255])
def test_file_names_are_data(api: TestClient, house: House, name: str) -> None:
    answer = sent(api, filename=name)
    assert answer.status_code == 201, answer.text
    root = Path(house.workspaces.store().path).parent
    assert {path.name for path in root.iterdir()} <= {"planner.duckdb", "planner.duckdb.wal", "planner-uploads"}
    assert not any((root / "planner-uploads").iterdir()), "what arrived is gone"
    form = api.post("/traces", files=[("files", (name.strip("\x00") or "b", CSV.read_bytes()))])
    assert form.status_code == 201, form.text


def test_several_files_are_one_recording(api: TestClient) -> None:
    folder = CSV.parent
    files = [("files", (path.name, path.read_bytes(), "text/csv")) for path in sorted(folder.glob("*.csv"))[:3]]
    answer = api.post("/traces", files=files, params={"name": "together"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["workloads"] == len(files)
    problem(api.post("/traces", files=[("files", ("a.csv", b"x" * 2_000_000))]), 413, "larger than the 1 MiB")
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert api.post("/traces", content=b"--y", headers={"Content-Type": kind}).status_code in {400, 422}


def test_names_that_would_act_elsewhere_come_back_inert(api: TestClient) -> None:
    assert sent(api, name="<script>alert(1)</script>").headers["Content-Type"] == "application/json"
    scenario = QUESTION | {"name": "<script>alert(1)</script>", "trace": {"path": "sample:bitbrains", "name": "=cmd()"}}
    job = finished(api, scenario)
    page = api.get(f"/studies/{job['study_id']}/report.html").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    listed = api.get("/studies").text
    assert json.loads(listed)[0]["name"] == "<script>alert(1)</script>"


@pytest.mark.parametrize("body", [b"", b"\x00\xff\x00", b"a,b\n1,2\n", b"{" * 100_000])
def test_what_is_no_recording_is_told_without_a_path_of_the_server(api: TestClient, body: bytes) -> None:
    answer = api.post("/traces", params={"filename": "odd.csv"}, content=body)
    problem(answer, 422, "odd.csv")
    assert "uploads" not in answer.text


def test_an_upload_that_says_it_is_too_large_is_refused(api: TestClient) -> None:
    lie = {"Content-Type": "application/octet-stream", "Content-Length": str(5 << 30)}
    problem(api.post("/traces", content=b"a", headers=lie), 413, "larger than the 1 MiB")
    problem(api.post("/traces", content=b"a", headers={"Content-Encoding": "gzip"}), 415, "Content-Encoding")


def test_every_error_has_the_same_form(api: TestClient) -> None:
    problem(api.get("/nothing"), 404, "Not Found")
    answer = api.put("/traces")
    problem(answer, 405, "Method Not Allowed")
    assert answer.headers["Allow"] == "GET, POST"
    problem(api.get("/traces/0/rejects?most=x"), 422, "query.most")
    problem(api.post("/jobs", content="{", headers={"Content-Type": "application/json"}), 400, "no valid JSON")
    problem(api.post("/jobs", content="{}", headers={"Content-Type": "text/plain"}), 415, "application/toml")


def test_one_persons_things_are_never_anothers(desk: Desk, tmp_path: Path) -> None:
    tokens = tuple(Token(person=name, sha256=line.split("sha256:")[1]) for name, (_, line) in KNOWN.items())
    house = House(Workspaces(tmp_path / "planner.duckdb"), desk, Access(tokens=tokens), None)
    ann, bob = (client(house, KNOWN[name][0]) for name in ("ann", "bob"))
    trace = sent(ann).json()
    job = finished(ann, QUESTION | {"trace": {"path": trace["path"]}, "name": "of ann"})
    assert bob.get("/traces").json() == bob.get("/studies").json() == bob.get("/jobs").json() == []
    for path in (f"/traces/{trace['trace_id']}", f"/studies/{job['study_id']}", f"/jobs/{job['job_id']}"):
        assert ann.get(path).status_code == 200
        problem(bob.get(path), 404, "")
    problem(bob.delete(f"/jobs/{job['job_id']}"), 404, "none of that id")
    problem(bob.delete(f"/studies/{job['study_id']}"), 404, "none of that id")
    problem(bob.delete(f"/traces/{trace['trace_id']}"), 404, "")
    assert finished(bob, QUESTION | {"trace": {"path": trace["path"]}})["status"] == "failed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people"], (
        "names are no paths, and nobody else's store opens"
    )
    for wrong in (None, "", "wrong", KNOWN["ann"][0][:-1], KNOWN["ann"][0] + "x"):
        answer = client(house, wrong).get("/traces")
        problem(answer, 401, "token" if wrong else "Authorization: Bearer TOKEN")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client(house).get("/health").status_code == 200
    house.workspaces.close()


def test_the_description_is_whole(api: TestClient) -> None:
    described = api.get("/openapi.json").json()
    assert {"Scenario", "Kubernetes", "Problem", "JobState", "Recording"} <= set(described["components"]["schemas"])
    for path, methods in described["paths"].items():
        for method, endpoint in methods.items():
            assert endpoint.get("summary"), (path, method)
            assert path == "/health" or "401" in endpoint["responses"], (path, method)
    text = json.dumps(described)
    wanted = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert wanted <= set(described["components"]["schemas"])
