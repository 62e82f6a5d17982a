"""Answers that are kept: equal questions are worked out once, others are not mixed up, old ones are forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.models._remembered import KEPT, forget, remembered


@dataclass(frozen=True)
class Question:
    amounts: NDArray[np.float64]


ASKED: list[float] = []


@remembered
def total(question: Question) -> float:
    ASKED.append(float(question.amounts.sum()))
    return ASKED[-1]


@remembered
def largest(question: Question) -> float:
    return float(question.amounts.max())


def test_equal_questions_are_worked_out_once_and_others_anew() -> None:
    forget()
    ASKED.clear()
    assert [total(Question(np.array([1.0, last]))) for last in (2.0, 2.0, 2.5, 2.0)] == [3.0, 3.0, 3.5, 3.0]
    assert len(ASKED) == 2
    assert largest(Question(np.array([1.0, 2.0]))) == 2.0


def test_what_was_asked_long_ago_is_worked_out_again() -> None:
    forget()
    ASKED.clear()
    for last in (*range(KEPT + 1), 0):
        total(Question(np.array([float(last)])))
    assert len(ASKED) == KEPT + 2


def test_nothing_is_known_once_forgotten() -> None:
    ASKED.clear()
    for _ in range(2):
        forget()
        total(Question(np.array([5.0])))
    assert len(ASKED) == 2
