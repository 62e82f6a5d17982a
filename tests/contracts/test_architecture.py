"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "planner").rglob("*.py"))
PAGES = sorted((ROOT / "dashboards").rglob("*.py"))
MONEY = re.compile(r"(^|_)(usd|price|cost|dollar|fee|rate)s?(_|$)")
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "planner", "dashboards", "datasets", "tests", "notebooks"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / command[0]
    return subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("lint-imports", "--no-cache"),
        ("ruff", "check", "--no-cache", "."),
        ("ruff", "format", "--check", "--no-cache", "."),
        ("mypy",),
    ],
    ids=["import-linter", "ruff", "ruff format", "mypy"],
)
def test_gate(command: tuple[str, ...]) -> None:
    outcome = run(*command)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def assigned(node: ast.AST) -> list[tuple[str, ast.expr | None]]:
    """Every (name, value) that a piece of code binds: keywords, assignments, defaults, dictionary entries."""
    match node:
        case ast.keyword(arg=str(name), value=value):
            return [(name, value)]
        case ast.AnnAssign(target=target, value=value):
            return [(ast.unparse(target), value)]
        case ast.Assign(targets=targets, value=value):
            return [(ast.unparse(target), value) for target in targets]
        case ast.arguments():
            named = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
            pairs = zip([*named, *node.kwonlyargs], [*node.defaults, *node.kw_defaults], strict=True)
            return [(a.arg, default) for a, default in pairs]
        case ast.Dict(keys=keys, values=values):
            return [(ast.unparse(k), v) for k, v in zip(keys, values, strict=True) if k]
    return []


def is_amount(value: ast.expr | None) -> bool:
    constant = value.operand if isinstance(value, ast.UnaryOp) else value
    number = constant.value if isinstance(constant, ast.Constant) else None
    return isinstance(number, int | float) and not isinstance(number, bool) and number not in {0, 1}


def amounts(tree: ast.AST) -> list[str]:
    """Names of money that are given a number other than 0 or 1 in code, and dollar figures in text."""
    nodes = list(ast.walk(tree))
    bound = [(name, value) for node in nodes for name, value in assigned(node)]
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    named = [f"{n} = {ast.unparse(v)}" for n, v in bound if v and MONEY.search(n.lower().strip("'")) and is_amount(v)]
    return named + [text for text in texts if re.search(r"\$\s?\d", text)]


def test_amounts_are_found() -> None:
    """The check itself can fail."""
    assert amounts(ast.parse("usd_per_hour = 0.1"))
    assert amounts(ast.parse("f(price=3)"))
    assert amounts(ast.parse("def f(x, usd=2.5): ..."))
    assert amounts(ast.parse("x = '$12.50 a month'"))
    assert not amounts(ast.parse("usd = 0.0; cores = 4"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_dollar_amount_in_code(path: Path) -> None:
    assert amounts(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b|pragma: no cover", path.read_text(encoding="utf-8"))


def test_sql_never_drops_rows_silently() -> None:
    for path in [*SOURCES, *(ROOT / "planner").rglob("*.sql")]:
        code = re.sub(r"--.*|#.*", "", path.read_text(encoding="utf-8")).lower()
        assert not re.search(r"ignore_errors|approx_quantile", code), path


def test_top_level_is_the_agreed_one() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {n for n in names if not n.startswith(".")} <= TOP_LEVEL


def test_no_recording_or_machine_path_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    parent, home = str(ROOT.parent) + "/", str(Path.home()) + "/"
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".sql", ".csv", ".j2", ".txt", ".json"} and path.exists():
            text = path.read_text(encoding="utf-8")
            assert home not in text, name
            assert parent == "//" or len(parent) < 6 or parent not in text, name
