"""The random clouds of the false-verdict search, built on a real Neutron and really deleted.

``LIVE_SEED`` selects other clouds, ``LIVE_FACTOR`` more of them. A failure prints the seed, the
cloud and the decision.
"""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count, islice

import pytest
from msgspec.structs import replace

from sgguard.model.codes import DeleteRemedy
from sgguard.policy import Caps
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.clouds import case_of, targets_in
from tests.false_verdicts.detector import Tally
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.policies import policy_of
from tests.false_verdicts.random_source import RandomSource
from tests.live.openstack.build import build, is_buildable
from tests.live.openstack.judge import problem_with
from tests.live.openstack.launches import launch_in, limit_ports, problem_with_launch
from tests.live.openstack.mirror import case_on
from tests.live.openstack.stack import PAGED, WHOLE, Stack

CLOUDS = 20
"""Clouds that are built, each once for all conditions."""

PER_CLOUD = 4
"""Decisions on one cloud under one condition, each on what the one before has left."""

REPORTS_MAX = 3

REGIONS = pytest.mark.parametrize("region", [WHOLE, PAGED])


def number_of_clouds() -> int:
    """How many clouds to build."""
    return CLOUDS * int(os.environ.get("LIVE_FACTOR", "1"))


def cases() -> Iterator[Case]:
    """Random clouds small enough to be built, each with its seed, without end."""
    first = os.environ.get("LIVE_SEED", "")
    for number in count():
        case = case_of(KINDS["openstack"], f"{first}{number}")
        if is_buildable(case.cloud):
            yield case


@pytest.fixture(scope="session")
def built(running_stack):
    """The database of each cloud that was built, by its seed; the last one is taken away."""
    copies: dict[str, sqlite3.Connection] = {}
    with running_stack.as_before(), closing(running_stack.copy()) as empty, ExitStack() as held:
        for case in islice(cases(), number_of_clouds()):
            running_stack.put_back(empty)
            build(running_stack, case.cloud, case.seed)
            copies[case.seed] = held.enter_context(closing(running_stack.copy()))
        running_stack.put_back(empty)
        yield copies


@REGIONS
@pytest.mark.parametrize("who", ["admin", "alpha", "alpha-reader"])
def test_no_decision_about_a_delete_differs_from_what_neutron_does(stack, built, who, region):
    def problems_on(seed: str, tally: Tally) -> Iterator[str]:
        rng = RandomSource(f"deletes of {who} in {region} {seed}")
        for _ in range(PER_CLOUD):
            asked = request(case_on(stack, who, region, seed), rng)
            yield problem_with(stack, asked, who, tally, has_plan=rng.chance(0.5))

    search(stack, built, problems_on)


@REGIONS
@pytest.mark.parametrize("who", ["admin", "alpha"])
def test_no_decision_about_a_launch_differs_from_what_neutron_and_nova_do(
    stack, built, who, region
):
    def problems_on(seed: str, tally: Tally) -> Iterator[str]:
        rng = RandomSource(f"launches of {who} in {region} {seed}")
        if rng.chance(0.4):
            limit_ports(stack, who, rng)
        for _ in range(PER_CLOUD // 2):
            asked = launch_in(stack, case_on(stack, who, region, seed), rng)
            yield problem_with_launch(stack, asked, who, tally)

    search(stack, built, problems_on)


def search(
    stack: Stack,
    built: Mapping[str, sqlite3.Connection],
    problems_on: Callable[[str, Tally], Iterator[str]],
) -> None:
    """Decide on every cloud; any problem fails the test."""
    tally, made, problems = Tally(), 0, []
    for seed, cloud in built.items():
        stack.put_back(cloud)
        for problem in problems_on(seed, tally):
            made += 1
            if problem:
                # What comes after it would be about a state that the decision did not mean.
                problems.append(problem)
                break
    print(f"\n{made} decisions, {len(problems)} wrong: {tally}")
    if problems:
        first = "\n".join(problem.splitlines()[0] for problem in problems)
        shown = "\n\n".join(problems[:REPORTS_MAX])
        message = f"{len(problems)} of {made} decisions are wrong:\n{first}\n\n{shown}"
        pytest.fail(message, pytrace=False)
    counts = tally.counts
    assert counts["block"] > made / 10, f"hardly ever a block: {tally}"
    assert counts["allow"] + counts["remediate"] > made / 10, f"hardly ever an allow: {tally}"


def request(case: Case, rng: RandomSource) -> Case:
    """Ask about groups of what is there now, under a random policy."""
    case = dataclasses.replace(case, seed=f"{case.seed} {rng.random()}")
    asked = case
    if rng.chance(0.7):
        # Groups that may be deleted at all: about the others there is not much to decide.
        own = [one for one in case.cloud.groups if not truth.obstacle(case, one.id)]
        asked = dataclasses.replace(
            case, cloud=dataclasses.replace(case.cloud, groups=own or case.cloud.groups)
        )
    case = dataclasses.replace(case, targets=targets_in(KINDS["openstack"], rng, asked))
    policy = policy_of(case)
    if rng.chance(0.6):
        # Most random policies permit too little for a remedy.
        delete = replace(policy.delete, remedies=tuple(DeleteRemedy), require_visibility=None)
        policy = replace(policy, delete=delete, caps=Caps())
    return dataclasses.replace(case, policy=policy)
