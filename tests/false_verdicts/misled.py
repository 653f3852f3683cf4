"""Clouds that mislead their readers, one kind per provider: the further dimensions of the search.

Lists that a missing permission empties or shortens, rows that a page limit cuts away, counts that
other things explain, holders that refuse a change, groups in fields of extensions. Half of these
clouds also spell their responses in another way (:mod:`tests.false_verdicts.respelt`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sgguard.emulator.state import Cloud
from tests.false_verdicts import alibaba_dimensions, tencent_dimensions
from tests.false_verdicts.huawei_hidden import HUAWEI_HIDDEN
from tests.false_verdicts.kinds import KINDS, Kind
from tests.false_verdicts.openstack_dimensions import TROUBLED
from tests.false_verdicts.random_source import RandomSource

Quirks = Callable[[RandomSource, Cloud], bool]


def _with_one_of(kind: Kind, dimensions: tuple[Quirks, ...]) -> Kind:
    """The same kind of cloud, with one further dimension each."""

    def quirks(rng: RandomSource, cloud: Cloud) -> bool:
        is_hiding = kind.quirks(rng, cloud)
        return rng.choice(dimensions)(rng, cloud) or is_hiding

    return replace(kind, quirks=quirks)


MISLED: Mapping[str, Kind] = {
    **{
        provider: _with_one_of(KINDS[provider], dimensions)
        for provider, dimensions in tencent_dimensions.DIMENSIONS.items()
    },
    "alibaba": _with_one_of(KINDS["alibaba"], alibaba_dimensions.DIMENSIONS),
    "huawei": HUAWEI_HIDDEN,
    "openstack": TROUBLED,
}
"""By provider."""
