r"""The tableau step by step: who enters, who stops it, and what the tableau is after they have changed places.

Each step of the method is shown twice: first what `choose` says of the tableau as it stands, then the tableau after
`take`. The numbers are those of the program as stated, and the table is the textbook's: a row of the program stands
for what is left of it, its upper side less its activity. Where it has a lower side alone, it is what lies beyond that
side. Neither may be negative, and a row that is, is violated::

                  cheese  butter   value   ratio
          milk       6       4      120      20   <- stops cheese first
          work       2       3       60      30
          cost      -5      -4        0
                   ^^^^^^
                   enters: nothing else has a cost so low

For two unknowns there is a picture, too. A nonbasic variable stands for a line, on which it has the value of its bound;
where the two lines meet is the corner that the tableau describes. The points of equal objective lie on a line as well,
and at the optimum nothing of the polygon lies beyond it.

This is the bare method: no bound is perturbed. So on Beale's example, with the textbook's two rules, the basis comes
back after six steps, and the trace ends there.

Invariants, computed at every step:
  1. The rows of the tableau, and its costs, hold for every solution of the program's rows.
  2. The values are those of ``A x``, and nonbasic variables stand at a bound.
  3. A step makes no objective worse: the sum of violations in phase 1, the program's own in phase 2.
  4. No basis occurs twice. (It is broken where the method goes round in circles: there is no other guard here.)
  5. In the end the certificate holds, which is computed from the program as stated.

Cost: O(m n (m + n)) a step, for the checks; the step itself is O(m n).

Chvatal, *Linear Programming*, chapters 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import repeat
from typing import Any, Literal

import numpy as np

from smlib._core.trace import Step
from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.optim.duality.certificates import Certificate, certify_optimum
from smlib.optim.duality.rays import certify_infeasible, certify_unbounded
from smlib.optim.linear_program import LinearProgram
from smlib.optim.linear_programming import Pricing, rule_of
from smlib.optim.tableau.accuracy import renew
from smlib.optim.tableau.pivoting import STEP, UNLIMITED, choose, pivot, take
from smlib.optim.tableau.polygon import choose_window, clip_line, clip_polygon, clip_ray, find_limits
from smlib.optim.tableau.pricing import BLAND, DEVEX
from smlib.optim.tableau.textbook import SAME, TOLERANCE, Textbook, say_number
from smlib.optim.tableau.two_phases import answer, begin

ASK = {
    1: "Something is violated. Which column mends most of it, if any, and who stops it?",
    2: "Which column enters, if any, and who stops it?",
}


def trace(
    program: LinearProgram,
    *,
    pricing: Pricing = "dantzig",
    ratio_test: Literal["harris", "textbook"] = "harris",
    maxiter: int = 30,
) -> Iterator[Step]:
    """Yield the first tableau, two steps for each step of the method (the choice, the tableau after it), and the proof.

    Parameters
    ----------
    program : LinearProgram
        A small one: all of it is shown.
    pricing : {"devex", "dantzig", "bland", "steepest", "greatest"}
        How the next column is chosen, as for `smlib.optim.linprog`.
    ratio_test : {"harris", "textbook"}
        Who stops it: Harris's test is the solver's, except for Bland's rule, which always takes the textbook's.
    maxiter : int
        The limit on steps of the method.

    Yields
    ------
    Step
        Its state holds, in the units of the program,

        - ``moment`` ("start", "choice", "step", "end"), ``phase`` (1 or 2), ``status`` ("", "optimal", "infeasible",
          "unbounded", "cycling", "limit") and ``steps``, how many were taken;
        - ``names`` of all variables, the unknowns first, and ``rows`` and ``columns``, which of them are basic and
          which are not; ``values``, ``lower`` and ``upper`` of all variables, those of rows being what is left;
        - ``entries`` of the tableau, ``costs``, ``objective``; in phase 1 ``violation``, the sum of all violations in
          the solver's units, and ``violations``, the reduced costs of this sum;
        - for a choice, ``entering`` (a column), ``leaving`` (a row, or None) and ``ratios``, how far each row lets
          the entering variable go;
        - ``x`` and ``path``, the points from the first to this one; ``ray`` for an unbounded program;
        - for two unknowns ``window`` (its two corners), ``polygon`` (the corners of what is feasible, as far as it lies
          in the window), ``lines`` (of each limit the variable, its value there, and the two ends), ``level``, the two
          ends of the line of equal objective, and ``far``, those of the ray.

    Raises
    ------
    InputError
        There is no such rule, or ``maxiter`` is negative.

    Notes
    -----
    Complexity: O(m n (m + n)) a step.

    References
    ----------
    Chvatal, *Linear Programming*, chapters 2 and 3.

    Examples
    --------
    >>> names = {"row_names": ["milk", "work"], "column_names": ["cheese", "butter"]}
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True, **names)
    >>> for step in trace(dairy):
    ...     print(step.caption)
    All unknowns stand at a bound: (0, 0). The objective is 0.
    Cheese enters: each unit earns 5. Milk stops it after 20.
    Cheese and milk change places. We stand at (20, 0), and the objective rises to 100.
    Butter enters: each unit earns 2/3. Work stops it after 12.
    Butter and work change places. We stand at (12, 12), and the objective rises to 108.
    No column improves: (12, 12) is optimal. The prices prove that no more than 108 can be had: milk 0.7, work 0.4.
    """
    rule = rule_of(pricing)
    if ratio_test not in ("harris", "textbook"):
        raise InputError(f"ratio_test is {ratio_test!r}; it must be 'harris' or 'textbook'")
    limit = as_count(maxiter, "maxiter")
    table = Textbook(program)
    steps = list(_walk(table, rule, ratio_test == "textbook", limit))
    views = _draw(table, steps) if table.n == 2 else repeat({})
    for step, view in zip(steps, views, strict=False):
        yield replace(step, state={**step.state, **view})


def _walk(table: Textbook, rule: int, textbook: bool, limit: int) -> Iterator[Step]:
    """Yield all steps, without what is drawn of them."""
    tableau = table.tableau
    state = {**table.state(), "moment": "start", "steps": 0}
    path = [state["x"]]
    bases = {table.basis(): 0}

    def tell(caption: str, source: Callable[..., Any], question: str, **more: bool) -> Step:
        checks = {name.replace("_", " "): holds for name, holds in more.items()}
        return Step(caption, {**state, "path": tuple(path)}, source, {**table.check(), **checks}, question)

    yield tell(_say_start(table, state), begin, "")
    steps, fresh = 0, True
    while True:
        what, column, row, length = choose(tableau, rule, TOLERANCE, textbook or rule == BLAND)
        if what != STEP and not fresh:
            renew(table.scaled, tableau, False)
            what, column, row, length = choose(tableau, rule, TOLERANCE, textbook or rule == BLAND)
        ask = ASK[state["phase"]]
        if what != STEP or steps == limit or table.crossing:
            break
        state = {**table.state(), "moment": "choice", "steps": steps, "entering": column}
        slopes = tableau.violation if state["phase"] == 1 else tableau.entries[-1]
        rises = bool(slopes[column] < 0.0)
        state |= {"leaving": row if row >= 0 else None, "ratios": table.ratios(column, 1.0 if rises else -1.0)}
        reach = abs(length) * table.scaled.unit[tableau.nonbasic[column]]
        yield tell(_say_choice(table, state, reach), choose, ask)

        take(tableau, rule, column, row, length)
        steps, fresh = steps + 1, False
        chosen, state = state, {**table.state(), "moment": "step", "steps": steps}
        path.append(state["x"])
        seen = bases.setdefault(table.basis(), steps)
        cycling = seen < steps and rule != DEVEX
        state["status"] = "cycling" if cycling else ""
        caption = _say_step(table, chosen, state)
        if seen < steps:
            caption += f" This basis was here {steps - seen} steps ago: the method goes round in circles."
        better = state["violation"] <= chosen["violation"] * (1.0 + SAME)
        name = "the_violation_has_not_grown"
        if chosen["phase"] == 2:
            name, worse = "the_objective_is_no_worse", table.sign * (state["objective"] - chosen["objective"])
            better = worse <= SAME * (1.0 + abs(chosen["objective"]))
        question = "Where do we stand then, and what is in the tableau?"
        checks = {name: bool(better), "this_basis_was_not_here_before": seen == steps}
        yield tell(caption, pivot if row >= 0 else take, question, **checks)
        if cycling:
            return

    state = {**table.state(), "moment": "end", "steps": steps}
    if what == STEP and not table.crossing:
        state["status"] = "limit"
        yield tell(f"{steps} steps were allowed, and have been taken: we stop here.", choose, "What comes next?")
        return
    state["status"], proof, caption, source = _prove(table, state, what, column)
    state["ray"] = proof.ray if what == UNLIMITED else None
    yield tell(caption, source, ask, **{f"the certificate proves it: {state['status']}": proof.holds()})


def _prove(
    table: Textbook, state: Mapping[str, Any], what: int, column: int
) -> tuple[str, Certificate, str, Callable[..., Any]]:
    """Return what the last tableau proves, its certificate, and the sentence that tells it."""
    program = table.program
    if table.crossing:
        proof = certify_infeasible(program)
        return "infeasible", proof, "Two bounds cross: no point can keep both.", certify_infeasible
    found = answer(table.scaled, table.tableau, column, TOLERANCE)
    weights = table.sign * found.prices
    if not found.feasible:
        proof = certify_infeasible(program, found.prices)
        caption = (
            f"No column mends any more, and {say_number(state['violation'])} is still missing: nothing is feasible. "
        )
        caption += f"The rows contradict each other, weighted by {_list_weights(table, proof.ray)}."
        return "infeasible", proof, caption, certify_infeasible
    if what == UNLIMITED:
        proof = certify_unbounded(program, found.x, found.direction)
        verb = "rises" if program.maximize else "falls"
        caption = f"Nothing stops {table.names[state['columns'][column]]}: the objective {verb} without end "
        return "unbounded", proof, f"{caption}along {_say_point(proof.ray)}.", certify_unbounded
    proof = certify_optimum(program, found.x, weights)
    than = "more" if program.maximize else "less"
    caption = f"No column improves: {_say_point(found.x)} is optimal. The prices prove that no {than} than "
    caption += f"{say_number(proof.dual_objective or 0.0)} can be had: {_list_weights(table, weights)}."
    return "optimal", proof, caption, certify_optimum


def _say_start(table: Textbook, state: Mapping[str, Any]) -> str:
    caption = f"All unknowns stand at a bound: {_say_point(state['x'])}. "
    if state["phase"] == 2:
        return f"{caption}The objective is {say_number(state['objective'])}."
    lower, values, upper = state["lower"], state["values"], state["upper"]
    excess = np.maximum(lower - values, values - upper)
    listed = [f"{table.names[k]} by {say_number(excess[k])}" for k in state["rows"] if excess[k] > TOLERANCE]
    return f"{caption}Violated: {', '.join(listed)}. That comes first."


def _say_choice(table: Textbook, state: Mapping[str, Any], reach: float) -> str:
    """Tell who enters, what a unit is worth, who stops it, and after how much."""
    column, row = state["entering"], state["leaving"]
    entering = state["columns"][column]
    gain = (state["violations"] if state["phase"] == 1 else state["costs"])[column]
    over = "" if entering < table.n else " left over" if table.turn[entering] > 0.0 else " beyond"
    unit = f"each unit{over}" if gain < 0.0 else "each unit less"
    verb = "mends" if state["phase"] == 1 else "earns" if table.program.maximize else "saves"
    caption = f"{_title(table.names[entering])} enters: {unit} {verb} {say_number(abs(gain))}. "
    if row is None:
        return f"{caption}Nothing stops it before its own other bound, after {say_number(reach)}."
    leaving = state["rows"][row]
    when = f"after {say_number(reach)}" if reach > TOLERANCE else "at once"
    if not state["lower"][leaving] - TOLERANCE <= state["values"][leaving] <= state["upper"][leaving] + TOLERANCE:
        return f"{caption}{_title(table.names[leaving])} is met {when}, and stops it."
    return f"{caption}{_title(table.names[leaving])} stops it {when}."


def _say_step(table: Textbook, chosen: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Tell who changed places, and what came of it."""
    entering = _title(table.names[chosen["columns"][chosen["entering"]]])
    caption = f"{entering} jumps to its other bound. "
    if chosen["leaving"] is not None:
        caption = f"{entering} and {table.names[chosen['rows'][chosen['leaving']]]} change places. "
    if chosen["phase"] == 1:
        what, before, after = "the violation", chosen["violation"], state["violation"]
    else:
        what, before, after = "the objective", chosen["objective"], state["objective"]
    if abs(after - before) <= SAME * (1.0 + abs(before)):
        return f"{caption}The point stays where it is, {_say_point(state['x'])}."
    change = f"{what} {'rises' if after > before else 'falls'} to {say_number(after)}"
    begins = " All is met: phase 2 begins." if state["phase"] > chosen["phase"] else ""
    return f"{caption}We stand at {_say_point(state['x'])}, and {change}.{begins}"


def _say_point(point: Any) -> str:
    return f"({', '.join(map(say_number, point))})"


def _list_weights(table: Textbook, weights: Any) -> str:
    names = table.names[table.n :]
    listed = [f"{name} {say_number(weight)}" for name, weight in zip(names, weights, strict=True)]
    return ", ".join(item for item in listed if not item.endswith(" 0")) or "all 0"


def _title(name: str) -> str:
    """Return a name as a sentence begins with it; one that is no word stays as it is."""
    return name.capitalize() if name.isalpha() and len(name) > 1 else name


def _draw(table: Textbook, steps: list[Step]) -> Iterator[dict[str, Any]]:
    """Yield what is to be seen of a program with two unknowns, in one window for all steps."""
    program = table.program
    limits = find_limits(program)
    window = choose_window(limits, np.array(steps[-1].state["path"]))
    polygon = clip_polygon(limits, window)
    lines = {}
    for limit in limits:
        k = limit.variable
        ends = clip_line(limit.normal, limit.side, window)
        stands = table.turn[k] * (limit.side if k < table.n else -limit.side) + table.shift[k]
        if ends is not None:
            lines[k, float(stands)] = ends  # one, where both sides are the same
    for step in steps:
        x, ray = step.state["x"], step.state["ray"]
        yield {
            "window": window,
            "polygon": polygon,
            "lines": tuple((k, stands, ends) for (k, stands), ends in lines.items()),
            "level": clip_line(program.c, float(program.c @ x), window),
            "far": None if ray is None else clip_ray(x, ray, window),
        }
