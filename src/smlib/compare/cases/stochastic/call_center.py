"""The story of queue simulation: agents for a day of calls, by Erlang's formula and by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.stochastic.queue_peers import Customers, Records, Vector, same_records, simulate_by_simpy
from smlib.datasets.call_center import call_center_day
from smlib.stochastic import (
    Estimate,
    Exponential,
    InhomogeneousPoissonProcess,
    QueueSimulation,
    mmc,
    plan_servers,
    simulate_queue,
)
from smlib.stochastic.queue_simulation.estimates import independent_mean

SEED = 1
HOUR = 3600.0
SHARE = 0.8


class Days(NamedTuple):
    """Days of calls, with the agents that a formula asks for in each hour.

    Who is off duty is a customer too: one of the first class, who wants an agent at the hour at which one goes, and
    keeps him until he comes back. A call that has begun is not interrupted.
    """

    ordinary: list[Customers]
    busy: list[Customers]
    agents: NDArray[np.int64]


class ServiceLevels(NamedTuple):
    """The waits of the calls of each day."""

    ordinary: list[QueueSimulation]
    busy: list[QueueSimulation]


def _plan() -> NDArray[np.int64]:
    day = call_center_day()
    promise = SHARE, day.acceptable_wait
    return np.array(
        [plan_servers(calls / HOUR, 1.0 / day.mean_service, wait_quantile=promise).servers for calls in day.calls]
    )


def _absences(agents: NDArray[np.int64]) -> tuple[Vector, Vector]:
    """Return when an agent goes, and for how long, so that so many are left in each hour; nobody returns at the end."""
    times, lengths = [], []
    padded = [*agents.tolist(), agents[-1]]
    for k in range(int(agents.max())):
        hour = 0
        while hour < len(padded):
            first = hour
            while hour < len(padded) and padded[hour] <= k:
                hour += 1
            if hour > first:
                times.append(first * HOUR)
                lengths.append((hour - first) * HOUR)
            hour += 1
    order = np.argsort(times, kind="stable")
    return np.array(times)[order], np.array(lengths)[order]


def _draw_day(agents: NDArray[np.int64], busyness: float, rng: np.random.Generator) -> Customers:
    day = call_center_day()
    rates = busyness * day.calls / HOUR
    last = rates.size - 1
    process = InhomogeneousPoissonProcess(
        lambda t: rates[np.minimum(t // HOUR, last).astype(np.int64)], bound=float(rates.max())
    )
    calls = process.sample(HOUR * rates.size, rng)
    services = Exponential(1.0 / day.mean_service).rvs(calls.size, rng)
    gone, absent = _absences(agents)
    times, lengths = np.concatenate([gone, calls]), np.concatenate([absent, services])
    classes = np.concatenate([np.zeros(gone.size, np.int64), np.ones(calls.size, np.int64)])
    order = np.argsort(times, kind="stable")
    return Customers(times[order], lengths[order], int(agents.max()), classes[order])


def _draw_days(days: int) -> Days:
    agents = _plan()
    rng = np.random.default_rng(SEED)
    ordinary = [_draw_day(agents, 1.0, rng) for _ in range(days)]
    shape = call_center_day().busyness_shape
    busyness = rng.gamma(shape, 1.0 / shape, days)
    return Days(ordinary, [_draw_day(agents, factor, rng) for factor in busyness], agents)


def _simulate_day(day: Customers) -> QueueSimulation:
    return simulate_queue(
        day.arrivals, day.services, day.servers, discipline="priority", priorities=day.priorities, warmup=0
    )


def _simulate_days(days: Days) -> ServiceLevels:
    return ServiceLevels([*map(_simulate_day, days.ordinary)], [*map(_simulate_day, days.busy)])


def _days_by_simpy(days: Days) -> list[Records]:
    return [simulate_by_simpy(day) for day in (*days.ordinary, *days.busy)]


def _same_days(days: Days, ours: ServiceLevels, theirs: list[Records]) -> Agreement:
    runs = [*ours.ordinary, *ours.busy]
    same = all(
        same_records(day, run, records).ok
        for day, run, records in zip((*days.ordinary, *days.busy), runs, theirs, strict=True)
    )
    return Agreement(same, f"{sum(run.ends.size for run in runs):,} calls and absences of agents, each the same")


def answered_in_time(days: Sequence[Customers], runs: Sequence[QueueSimulation], hour: int | None = None) -> Estimate:
    """Return the share of calls that wait at most as long as is acceptable: of all, or of those of an hour.

    Each day is a replication: what its calls have in time beyond the share of all days, over the calls of a day.
    """
    limit = call_center_day().acceptable_wait
    counts, good = np.empty(len(days)), np.empty(len(days))
    for k, (day, run) in enumerate(zip(days, runs, strict=True)):
        calls = day.priorities == 1
        if hour is not None:
            calls &= day.arrivals // HOUR == hour
        counts[k], good[k] = np.count_nonzero(calls), np.count_nonzero(run.waits[calls] <= limit)
    share = good.sum() / counts.sum()
    spread = independent_mean((good - share * counts) / counts.mean(), 0.95)
    return Estimate(share, share + spread.low, share + spread.high, spread.effective_size)


def promised(agents: NDArray[np.int64]) -> Vector:
    """Return the share of calls that wait at most as long as is acceptable, hour by hour, by Erlang's formula."""
    day = call_center_day()
    queues = [mmc(calls / HOUR, 1.0 / day.mean_service, crew) for calls, crew in zip(day.calls, agents, strict=True)]
    return np.array([1.0 - queue.wait_tail(day.acceptable_wait) for queue in queues])


def _tell_agents(days: Days, levels: ServiceLevels) -> Sequence[str]:
    day = call_center_day()
    shares = promised(days.agents)
    lines = ["  hour   calls  agents   within 20 s: formula   simulated, with its interval"]
    for k, (calls, agents, share) in enumerate(zip(day.calls, days.agents, shares, strict=True)):
        found = answered_in_time(days.ordinary, levels.ordinary, k)
        lines.append(
            f"{day.opening_hour + k:>2} - {day.opening_hour + k + 1:<2} {calls:>6.0f} {agents:>7} {share:>18.1%}"
            f" {found.mean:>17.1%}  {found.low:.1%} to {found.high:.1%}"
        )
    whole = answered_in_time(days.ordinary, levels.ordinary)
    busy = answered_in_time(days.busy, levels.busy)
    expected = float(shares @ day.calls / day.calls.sum())
    return [
        *lines,
        f"the whole day, {days.agents.sum()} hours of work: {expected:.1%} by the formula; simulated "
        f"{whole.mean:.1%} ({whole.low:.1%} to {whole.high:.1%})",
        f"if days are more or less busy, by some 32%: {busy.mean:.1%} ({busy.low:.1%} to {busy.high:.1%}), of which "
        "the formula knows nothing",
    ]


def _prove_agents(days: Days, levels: ServiceLevels) -> Mapping[str, bool]:
    shares, fewer = promised(days.agents), promised(np.maximum(days.agents - 1, 1))
    whole = answered_in_time(days.ordinary, levels.ordinary)
    expected = float(shares @ call_center_day().calls / call_center_day().calls.sum())
    runs = [*levels.ordinary, *levels.busy]
    return {
        "each hour has the fewest agents with which the formula promises 80%": bool(
            (shares >= SHARE).all() and (fewer < SHARE).all()
        ),
        "Little's law and the other books balance on every day": all(run.success for run in runs),
        "the interval of the whole day is within a point of the formula": bool(
            abs(whole.mean - expected) <= whole.half_width + 0.01
        ),
        "no agent has two calls at a time": all(_serves_one_at_a_time(run) for run in runs),
    }


def _serves_one_at_a_time(run: QueueSimulation) -> bool:
    order = np.lexsort((run.starts, run.server))
    same = run.server[order][1:] == run.server[order][:-1]
    return bool((run.starts[order][1:] >= run.ends[order][:-1])[same].all())


DAY_OF_CALLS = Case(
    "queue_simulation",
    "agents for a day of calls",
    "days",
    (5, 20, 80),
    _draw_days,
    _simulate_days,
    (Peer("SimPy PriorityResource", "simpy", _days_by_simpy),),
    _same_days,
    note="As many ordinary days as days of random busyness; some 1,660 calls each.",
    story=Story(
        "How many agents does a day of calls need, so that 80 % wait at most 20 seconds?",
        80,
        "the call center of the SSJ User's Guide: 13 hours, 60 to 200 calls an hour of 100 seconds each",
        _tell_agents,
        _prove_agents,
    ),
)
