"""The checker must accept a sound proof and refuse every way of bending it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli import app
from planner.errors import InputError
from planner.verify import verify

Proof = dict[str, Any]


def proof() -> Proof:
    """Three items of 5 and two of 3 into boxes of 10 at 4 and of 6 at 3: 5+5 | 5+3 | 3 costs 4+4+3."""
    return {
        "version": 1,
        "scale": {"size": [1], "usd": 1},
        "size": [[5], [3]],
        "count": [3, 2],
        "unplaced": [0, 0],
        "room": [[10], [6]],
        "usd": [4, 3],
        "max_items": [None, None],
        "available": [None, 2],
        "fits": None,
        "spread": None,
        "patterns": [[0, [[0, 2]], 1], [0, [[0, 1], [1, 1]], 1], [1, [[1, 1]], 1]],
        "lambda": {"scale": 10, "price": [[4], [5]]},
        "level1_usd": [84, 10],
        "pi": {"scale": 10, "price": [20, 12], "upper": [40, 30], "tolerance": "none"},
        "level2_usd": [84, 10],
        "bound_usd": [9, 1],
        "cost_usd": 11,
    }


def test_a_sound_proof_holds() -> None:
    assert [f.what for f in verify(proof()) if not f.holds] == []


def bend(path: list[Any], value: object) -> Callable[[Proof], None]:
    def apply(target: Any) -> None:
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (bend(["patterns", 0, 1], [[0, 3]]), "no box is overfull"),
        (bend(["patterns", 2, 2], 2), "every item is packed once"),
        (bend(["unplaced"], [1, 0]), "every item is packed once"),
        (bend(["available"], [1, 2]), "no more boxes"),
        (bend(["cost_usd"], 10), "the cost is that"),
        (bend(["level1_usd"], [85, 10]), "level-1"),
        (bend(["lambda", "price"], [[5], [5]]), "level-1"),
        (bend(["lambda", "price"], [[4], [-5]]), "level-1"),
        (bend(["level2_usd"], [90, 10]), "level-2"),
        (bend(["pi", "price"], [30, 12]), "level-2"),
        (bend(["bound_usd"], [10, 1]), "the bound rests"),
        (bend(["max_items"], [1, 1]), "no box is overfull"),
        (bend(["fits"], [[1, 1], [0, 1]]), "no box is overfull"),
        (bend(["spread"], [["g", 1], ["g", 1]]), "no box is overfull"),
    ],
)
def test_a_bent_proof_is_refused(change: Callable[[Proof], None], refused: str) -> None:
    bent = copy.deepcopy(proof())
    change(bent)
    assert any(f.what.startswith(refused) for f in verify(bent) if not f.holds)


def test_prices_for_slots_and_a_round_step_count() -> None:
    slots = proof() | {"max_items": [2, 2], "lambda": {"scale": 10, "price": [[2, 10], [5, 0]]}, "pi": None}
    slots |= {"level1_usd": [20 * 3 + 15 * 2, 10], "level2_usd": None}
    assert [f.what for f in verify(slots) if not f.holds] == []


def test_periods_are_checked_one_by_one() -> None:
    by_period = proof() | {
        "size": [[[9], [1]], [[1], [9]]],
        "count": [1, 1],
        "unplaced": [0, 0],
        "patterns": [[0, [[0, 1], [1, 1]], 1]],
        "lambda": {"scale": 20, "price": [[[4], [4]], [[0], [0]]]},
        "level1_usd": [0, 1],
        "pi": None,
        "level2_usd": None,
        "bound_usd": [0, 1],
        "cost_usd": 4,
    }
    assert [f.what for f in verify(by_period) if not f.holds] == []
    by_period["size"] = [[[9], [2]], [[1], [9]]]
    assert any(not f.holds for f in verify(by_period))


def study(**certificate: object) -> Proof:
    lines = [{"usd_per_month": 11.0}, {"usd_per_month": 2.0}]
    told = {"usd": 11.0, "bound_usd": 9.0, "proof": proof()} | certificate
    return {"plans": [{"model": "m", "year": 0, "usd_per_month": 13.0, "lines": lines, "certificate": told}]}


def test_a_study_is_held_to_its_proofs() -> None:
    assert all(f.holds for f in verify(study()))
    assert any(not f.holds for f in verify(study(bound_usd=9.5)))
    assert any(not f.holds for f in verify(study(usd=10.0)))
    assert any(not f.holds for f in verify(study(usd=14.0)))


def test_parts_are_weighed() -> None:
    parts = {"version": 1, "parts": [{"weight": [1, 2], "proof": proof()}, {"weight": [3, 2], "proof": proof()}]}
    document = study(usd=22.0, bound_usd=18.0, proof=parts)
    document["plans"][0]["usd_per_month"] = 24.0
    document["plans"][0]["lines"].append({"usd_per_month": 11.0})
    assert all(f.holds for f in verify(document))


def test_a_malformed_proof_is_named() -> None:
    broken = proof()
    del broken["lambda"]
    with pytest.raises(InputError, match=r"malformed.*lambda"):
        verify(broken)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "study document: holds neither plans nor a proof"),
        ([1], "study document: holds list, expected an object"),
        (None, "study document: holds NoneType, expected an object"),
        ({"proof": 3}, "proof: holds int, expected an object"),
        ({"plans": {}}, "study document: plans: holds dict, expected a list"),
        ({"plans": [[]]}, "study document: plans: holds list, expected objects"),
        ({"plans": [{}]}, "plan None: malformed (KeyError: 'model')"),
    ],
)
def test_what_is_no_study_is_told_in_one_line(document: Any, told: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(document))
    result = CliRunner().invoke(app, ["verify", str(tmp_path / "s.json")])
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines() == [f"error: {told}"]


def test_the_command_line_tells_what_holds_and_what_does_not(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(study()), encoding="utf-8")
    bad.write_text(json.dumps(study(bound_usd=10.5)), encoding="utf-8")
    runner = CliRunner()
    held, broken = runner.invoke(app, ["verify", str(good)]), runner.invoke(app, ["verify", str(bad)])
    assert (held.exit_code, broken.exit_code) == (0, 1)
    assert "the bound rests on level 1, exact" in held.output
    assert "does not hold: the certificate claims no more than its proof" in broken.output
