"""A study document told as Markdown and HTML: the same figures, rounded once, and no text that acts."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lanes import lanes
from planner.errors import InputError
from planner.report import FORMATS, export, render, tell, write
from planner.report.blocks import Bars, Curves, Note, Table
from planner.report.charts import stacked_bars, ticks, time_curves
from planner.report.markdown import inert

GOLDEN = Path(__file__).parent / "golden" / "report"


@pytest.fixture
def study() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / "study.json").read_text(encoding="utf-8"))
    return document


def cents(usd: float) -> str:
    """Half up to cents, reckoned apart from the product."""
    return f"{Decimal(str(round(usd, 9))).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def markdown_tables(text: str) -> dict[str, list[list[str]]]:
    """caption -> rows (head first) of every table."""
    found: dict[str, list[list[str]]] = {}
    for caption, body in re.findall(r"\*\*(.+?)\*\*\n\n((?:\|.*\n)+)", text + "\n"):
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines()]
        found[caption] = [[cell.strip() for cell in row] for i, row in enumerate(rows) if i != 1]
    return found


class Page(HTMLParser):
    """What a browser would see: tags with attributes, tables, and whether every tag is closed in its turn."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.rows: list[list[str]] = []
        self.caption = self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.rows, self.caption = [], ""
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self.caption] = self.rows

    def handle_data(self, data: str) -> None:
        self.words += data
        if "caption" in self.open:
            self.caption += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def test_golden_report(study: dict[str, Any]) -> None:
    """Written by ``planner report tests/golden/report/study.json -o tests/golden/report/report.md``, then read."""
    assert render(study, ".md") == (GOLDEN / "report.md").read_text(encoding="utf-8")


def test_comparison_shows_the_documents_figures(study: dict[str, Any]) -> None:
    head, *rows = markdown_tables(render(study, ".md"))["Every model, same demand, same service level"]
    shown = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(shown) == ["iaas", "physical", "functions"], "in order of rank"
    for entry in study["models"]:
        first = next(p for p in study["plans"] if p["model"] == entry["model"] and p["year"] == 0)
        row = shown[entry["model"]]
        assert row["Rank"] == str(entry["rank"])
        assert row["TCO over 2 years (USD)"] == cents(entry["tco_usd"])
        assert row["Present value (USD)"] == cents(entry["npv_usd"])
        assert row["First year (USD a month)"] == cents(first["usd_per_month"])
        assert row["CPU used"] == f"{first['utilisation']['cpu'] * 100:.1f} %"
        assert row["Memory used"] == f"{first['utilisation']['memory'] * 100:.1f} %"
    assert shown["functions"]["Left out"] == "3", "the year that leaves out most counts"
    assert shown["functions"]["Gap to bound"] == "not proved"
    assert shown["physical"]["Payback"] == "baseline"


def test_totals_are_sums_of_unrounded_lines(study: dict[str, Any]) -> None:
    """Ten lines of a third of a cent are three cents, though each of them shows as nothing."""
    plan = next(p for p in study["plans"] if p["model"] == "functions" and p["year"] == 0)
    crumb = {**plan["lines"][0], "quantity": 1.0, "usd_per_unit": 0.0033, "usd_per_month": 0.0033}
    plan["lines"] = [{**crumb, "sku": f"crumb {i}"} for i in range(10)]
    plan["usd_per_month"] = 0.033
    tables = markdown_tables(render(study, ".md"))
    bill = tables["functions, first year"]
    assert [row[6] for row in bill[1:]] == ["0.00"] * 10 + ["0.03"]
    by_category = tables["USD a month, first year"]
    column = by_category[0].index("functions")
    assert {row[0]: row[column] for row in by_category}["compute"] == "0.03"


def test_categories_add_up_to_the_plans_total(study: dict[str, Any]) -> None:
    head, *rows = markdown_tables(render(study, ".md"))["USD a month, first year"]
    for column, model in enumerate(head[1:], start=1):
        plan = next(p for p in study["plans"] if p["model"] == model and p["year"] == 0)
        for name, *cells in rows[:-1]:
            lines = [row["usd_per_month"] for row in plan["lines"] if row["category"] == name]
            assert cells[column - 1] == cents(math.fsum(lines))
        assert rows[-1][column] == cents(math.fsum(row["usd_per_month"] for row in plan["lines"]))


def test_both_formats_hold_the_same_tables(study: dict[str, Any]) -> None:
    from_html = Page(render(study, ".html")).tables
    from_markdown = markdown_tables(render(study, ".md"))
    assert list(from_html) == list(from_markdown)
    for caption, rows in from_html.items():
        assert [[inert(cell) for cell in row] for row in rows] == from_markdown[caption]


def test_html_stands_alone(study: dict[str, Any]) -> None:
    text = render(study, ".html")
    page = Page(text)
    assert page.open == [], "every tag is closed"
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "action", "data", "xlink:href"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\(|@import|javascript:", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert len(text) < 2_000_000
    anchors = {a["href"] for tag, a in page.tags if tag == "a"}
    assert anchors == {f"#{a['id']}" for tag, a in page.tags if tag == "section"}


def test_only_the_scripts_of_the_page_itself_may_run(study: dict[str, Any]) -> None:
    study["models"][0]["model"] = "</script><script>alert(1)</script>"
    for plan in study["plans"]:
        plan["model"] = study["models"][0]["model"] if plan["model"] == "physical" else plan["model"]
    text = render(study, ".html")
    scripts = re.findall(r"<script(.*?)>(.*?)</script>", text, flags=re.DOTALL)
    data = [json.loads(body) for kind, body in scripts if kind]
    assert len(data) == 3, "costs, cash and use, as data that nothing runs"
    policy = re.findall(r'content="(default-src[^"]*)"', text)[0]
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for kind, body in scripts if not kind]
    assert policy.endswith("script-src" + "".join(f" 'sha256-{each}'" for each in hashes))
    assert "alert(1)" not in "".join(body for kind, body in scripts if not kind)


def test_text_of_a_trace_stays_text(study: dict[str, Any]) -> None:
    html, markdown = render(study, ".html"), render(study, ".md")
    for text in (html, markdown):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    rows = markdown_tables(markdown)["Left out, by reason"]
    assert all(len(row) == 5 for row in rows)
    assert rows[1] == ["functions", "2", "0 to 1", r"runs longer than 15 min \| always on", r"web\|01, =cmd()"]


@given(st.text())
@example("a|b\n\r\u2028| c")
@example("\\|")
def test_inert_text_cannot_leave_its_cell(text: str) -> None:
    shown = inert(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", shown)
    assert not re.search(r"[<>]", shown)


@pytest.mark.parametrize("suffix", lanes(FORMATS, slow=[".html", ".pdf"]))
def test_same_document_same_bytes(study: dict[str, Any], suffix: str) -> None:
    assert export(study, suffix) == export(json.loads(json.dumps(study)), suffix)


def test_prices_from_memory_are_marked_with_their_range(study: dict[str, Any]) -> None:
    rows = markdown_tables(render(study, ".md"))["Price rows used"]
    marked = [row for row in rows if "†" in row[0]]
    assert [(row[0], row[4], row[5]) for row in marked] == [("electricity †", "0.1 to 0.2", "FROM MEMORY")]
    page = Page(render(study, ".html"))
    assert sum(a.get("class") == "marked" for tag, a in page.tags if tag == "tr") == 1
    assert "Price rows FROM MEMORY (marked †): 1 of 9" in page.words


def test_every_price_row_has_source_and_date(study: dict[str, Any]) -> None:
    head, *rows = markdown_tables(render(study, ".md"))["Price rows used"]
    assert len(rows) == 9, "one a row of a price book, however many lines use it"
    assert all(row[head.index("Source")] and row[head.index("As of")] for row in rows)


def test_recommendation_names_runner_up_and_the_price_of_the_difference(study: dict[str, Any]) -> None:
    told = words(study)
    more = study["models"][0]["tco_usd"] - study["models"][1]["tco_usd"]
    assert "Take iaas." in told
    assert f"The runner-up is physical: it costs {cents(more)} USD more" in told
    assert f"{cents(more / 24)} USD a month" in told
    assert "functions (60.00 USD, leaves out 3 workloads)" in told


def words(study: dict[str, Any]) -> str:
    blocks = tell(study).sections[0].blocks
    return " ".join(block.text for block in blocks if isinstance(block, Note))


def test_a_full_answer_outranks_a_cheaper_partial_one(study: dict[str, Any]) -> None:
    for entry, rank in zip(study["models"], (3, 2, 1), strict=True):
        entry["rank"] = rank
    assert "Take iaas." in words(study)


def test_recommendation_of_the_baseline_itself(study: dict[str, Any]) -> None:
    study["scenario"]["baseline"] = "iaas"
    assert "the baseline" not in words(study)


def test_recommendation_of_a_single_model(study: dict[str, Any]) -> None:
    study["models"] = study["models"][:1]
    study["plans"] = [p for p in study["plans"] if p["model"] == "physical"]
    told = words(study)
    assert "there is no runner-up" in told
    low, high = (264.0 + 36.0335 + 292 * 2 * edge for edge in (0.1, 0.2))
    spread = [float(n) for n in re.findall(r"physical would cost ([\d.]+) to ([\d.]+) USD a month", told)[0]]
    assert spread[1] - spread[0] == pytest.approx(high - low, abs=0.011)
    assert "of the monthly cost of physical rests on prices FROM MEMORY" in told


def test_a_rival_whose_gap_is_wider_than_the_difference_is_named(study: dict[str, Any]) -> None:
    assert "Not settled by proof" not in words(study)
    for plan in study["plans"]:
        if plan["model"] == "physical":
            plan["certificate"]["bound_usd"] = plan["certificate"]["usd"] - 1100.0
    assert "Not settled by proof: physical." in words(study), "24 months x 1,100 are more than 24,465.81"


def test_figures_of_one_model_are_shown(study: dict[str, Any]) -> None:
    study["plans"][0]["details"] = {"added_latency_ms": 2.5}
    rows = markdown_tables(render(study, ".md"))["Further figures, first year"]
    assert rows[1:] == [[study["plans"][0]["model"], "added latency ms", "2.5"]]


def test_what_packing_saves_is_told_for_the_models_that_pack(study: dict[str, Any]) -> None:
    assert "What packing saves, first year" not in markdown_tables(render(study, ".md"))
    study["plans"][0]["details"] = {
        "saving_vs_first_fit_decreasing": 0.0512,
        "left_over_more_by_karpenter_style": 3.0,
        "shadow_price_cpu_cores_usd_per_month": 20.5,
        "share_of_worth_cpu_cores": 0.7,
        "shadow_price_memory_gib_usd_per_month": 1.25,
        "share_of_worth_memory_gib": 0.3,
    }
    rows = markdown_tables(render(study, ".md"))["What packing saves, first year"]
    name = study["plans"][0]["model"]
    assert rows[1:] == [[name, "5.1 %", "leaves 3 more out", "cpu cores", "70.0 %", "20.5"]]


def test_a_model_that_is_cheaper_to_run_but_dearer_to_reach_is_named(study: dict[str, Any]) -> None:
    assert "cheaper to run" not in words(study)
    for plan in study["plans"]:
        if plan["model"] == "physical":
            plan["usd_per_month"] = 100.0
    assert "By the month, physical is cheaper to run (100.00 USD in the first year)" in words(study)
    study["scenario"]["baseline"] = "functions"
    assert "Paid once: 1,000.01 less." in words(study), "the winner moves three workloads, the runner-up none"


def test_what_is_paid_once_stands_apart(study: dict[str, Any]) -> None:
    tables = markdown_tables(render(study, ".md"))
    assert tables["USD paid once"][1:] == [["migration", "1,000.01", "0.00", "0.00"]]
    assert "migration" not in [row[0] for row in tables["USD a month, first year"]]


def test_savings_that_never_pay_back_are_told(study: dict[str, Any]) -> None:
    study["models"][1]["payback_months"] = None
    assert "It does not pay back within the horizon." in words(study)
    study["models"][1]["payback_months"] = 14
    assert "It pays back after 14 months." in words(study)


def test_many_reasons_are_folded_and_still_counted(study: dict[str, Any]) -> None:
    plan = next(p for p in study["plans"] if p["model"] == "iaas" and p["year"] == 1)
    plan["unplaced"] = [{"workload": f"vm {i}", "reason": f"needs {i} GiB"} for i in range(30)]
    rows = [r for r in markdown_tables(render(study, ".md"))["Left out, by reason"] if r[0] == "iaas"]
    assert len(rows) == 21
    assert sum(int(row[1]) for row in rows) == 30
    assert rows[-1][3] == "10 other reasons"


def test_everything_placed_is_said(study: dict[str, Any]) -> None:
    for plan in study["plans"]:
        plan["unplaced"] = []
    assert "Every model places every workload in every year." in render(study, ".md")


def test_requests_and_allocated_sizes_are_told(study: dict[str, Any]) -> None:
    study["trace"] |= {"calls": 567403, "gb_seconds": 20205.6649}
    study["scenario"]["demand"] = {"sizing": "allocated"}
    text = render(study, ".md")
    assert "567,403 calls, 20,205.66 GB-s" in text
    assert "what was allocated, as it is" in text


@pytest.mark.slow
def test_a_document_with_the_least_it_must_hold(study: dict[str, Any]) -> None:
    """Keys beyond the agreed ones may be absent: the report says so and stands."""
    for entry in study["models"]:
        del entry["cash_usd"]
    for plan in study["plans"]:
        del plan["assumptions"]
        plan["boxes"] = []
        plan["lines"] = [
            {k: v for k, v in row.items() if k not in {"status", "low", "high", "tier_from"}} for row in plan["lines"]
        ]
    study["scenario"] = {}
    study["trace"] |= {"quality": None, "notes": None, "start": None}
    for suffix in FORMATS:
        assert export(study, suffix)
    for suffix in (".md", ".html"):
        text = render(study, suffix)
        assert "The study document holds no monthly payments." in text
        assert "No model rents or buys machines." in text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("plans"), "study lacks plans"),
        (lambda s: s["models"][0].pop("rank"), "models lacks rank"),
        (lambda s: s["plans"].append(3), "plans holds int"),
        (lambda s: s["plans"].clear(), "have no plan"),
    ],
)
def test_what_is_no_study_is_refused(study: dict[str, Any], spoil: Any, message: str) -> None:
    spoil(study)
    with pytest.raises(InputError, match=message):
        render(study, ".md")


def test_unknown_suffix_and_unwritable_place(study: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean '.html'"):
        render(study, ".htm")
    with pytest.raises(InputError, match="cannot write the report"):
        write(study, tmp_path / "absent" / "x.md")
    assert write(study, tmp_path / "x.HTML").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_charts_show_the_documents_figures(study: dict[str, Any]) -> None:
    blocks = [block for section in tell(study).sections for block in section.blocks]
    costs, used = (block for block in blocks if isinstance(block, Bars))
    widest = max(sum(part.share for part in bar.segments) for bar in costs.bars)
    assert widest == pytest.approx(1.0)
    assert [bar.shown for bar in costs.bars] == ["167.71", "528.01", "2.50"]
    assert [bar.segments[0].share for bar in used.bars] == pytest.approx([0.4156, 0.62, 0.1234, 0.3, 1.0, 0.9])
    (curves,) = (block for block in blocks if isinstance(block, Curves))
    assert {c.label: c.shown for c in curves.curves} == {
        m["model"]: cents(math.fsum(m["cash_usd"])) for m in study["models"]
    }
    assert all(0 <= x <= 1 and 0 <= y <= 1 for c in curves.curves for x, y in c.points)
    assert len({c.hue for c in curves.curves}) == 3


def test_every_table_row_is_as_wide_as_its_head(study: dict[str, Any]) -> None:
    tables = [block for section in tell(study).sections for block in section.blocks if isinstance(block, Table)]
    assert len(tables) >= 12
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)


@given(st.floats(-1e9, 0), st.floats(0, 1e9))
def test_ticks_cover_what_they_measure(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 7
    assert marks == sorted(set(marks))


def test_empty_and_odd_charts() -> None:
    assert stacked_bars("none", {}, {}).bars == ()
    credit = stacked_bars("credit", {"a": {"compute": 2.0, "support": -1.0}}, {"compute": 12, "support": 19})
    assert [part.label for part in credit.bars[0].segments] == ["compute"]
    assert credit.bars[0].shown == "1.00"
    single = time_curves("one month", {"a": [5.0]}, {"a": 0})
    assert single.curves[0].points == ((0.0, 0.0),)
    long = time_curves("ten years", {"a": [float(m) for m in range(241)]}, {"a": 0})
    assert [label for _, label in long.x_ticks][:3] == ["0", "24", "48"]


def test_later_models_keep_their_colour(study: dict[str, Any]) -> None:
    grown = copy.deepcopy(study)
    grown["models"].append({**study["models"][0], "model": "barges", "rank": 4})
    grown["plans"] += [{**p, "model": "barges"} for p in study["plans"] if p["model"] == "physical"]
    before, after = (
        {c.label: c.hue for s in tell(d).sections for b in s.blocks if isinstance(b, Curves) for c in b.curves}
        for d in (study, grown)
    )
    assert {name: after[name] for name in before} == before
    assert after["barges"] not in before.values()
