"""Random launches, and whether they would exceed a limit, counted in the emulator's state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from sgguard.emulator.state import Interface
from sgguard.errors import SgguardError
from sgguard.model.codes import Verdict
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.clouds import case_of
from tests.false_verdicts.decide import decision_on, scope_of
from tests.false_verdicts.detector import Tally
from tests.false_verdicts.kinds import Kind
from tests.false_verdicts.random_source import RandomSource

# By provider: the ceilings there are, whether the cloud tells them itself (else a policy must),
# and its default (None: no ceiling).
_LIMITS: dict[str, tuple[dict[str, int | None], bool]] = {
    "tencent": ({"groups-per-instance": 5, "instances-per-group": 2000}, True),
    "tencent-dfw": ({"groups-per-instance": 5, "instances-per-group": 2000}, False),
    "alibaba": ({"groups-per-interface": 5, "instances-per-group": 2000}, False),
    "huawei": ({"groups-per-interface": None, "interfaces-per-group": None}, True),
    "openstack": ({"groups-per-interface": None, "instances-per-group": None}, False),
}


def launch_case_of(kind: Kind, seed: str) -> Case:
    """A cloud with low ceilings, and a launch or a binding that may break them."""
    case = case_of(kind, f"launch {seed}")
    rng = RandomSource(f"launch {kind.provider} {seed}")
    defaults, is_live = _LIMITS[kind.provider]
    for name in defaults:
        if rng.chance(0.6):
            case.cloud.limits[name] = rng.randint(1, 5)
    policy = Policy()
    if not is_live:
        policy = Policy(limits={kind.provider: MappingProxyType(dict(case.cloud.limits))})
    if is_live and {"limits_absent", "v3_absent", "otc"} & set(case.cloud.quirks):
        case.cloud.limits.clear()  # the API does not report them
    for name in ("limits_sample", "lists_hide"):
        case.cloud.quirks.pop(name, None)
    mine = [group.id for group in case.cloud.groups if not truth.obstacle(case, group.id)]
    servers = [
        i.id
        for i in case.cloud.instances
        if i.region == case.region and (i.project == case.project or i.account == case.caller.id)
    ]
    wanted = tuple(rng.some(mine, 0, 6))
    request = LaunchRequest(scope_of(case), wanted or tuple(mine[:1]), count=rng.randint(1, 4))
    if servers and rng.chance(0.5):
        request = LaunchRequest(scope_of(case), wanted, instance_id=rng.choice(servers))
    return replace(case, launch=request, policy=policy)


def problem_with_launch(case: Case, tally: Tally | None = None) -> str:
    """What is wrong with the decision on a launch, empty when nothing is."""
    tally = tally or Tally()
    found = decision_on(case, case.wire())
    if isinstance(found, SgguardError):
        tally.counts["error"] += 1
        is_expected = case.is_hiding or case.fault_seed
        return "" if is_expected else f"a cloud without faults could not be read: {found!r}"
    verdict = found.judgement.verdict
    tally.counts[verdict.value] += 1
    broken = broken_ceilings(case)
    tally.counts["over a ceiling"] += bool(broken)
    if verdict is not Verdict.BLOCK and broken:
        return f"{verdict}, but {broken[0]}"
    codes = {reason.code for reason in found.judgement.reasons if reason.effect == "block"}
    exceeded = {code for code in codes if code.endswith("-exceeded")}
    if exceeded and not (_is_overcounted(case) or broken_ceilings(case, is_by_change=False)):
        return f"{sorted(exceeded)} although every ceiling holds"
    return ""


def _is_overcounted(case: Case) -> bool:
    """Whether a reader may count more than there is, for want of data."""
    assert case.launch is not None
    instance_id = case.launch.instance_id
    own = case.cloud.interfaces_of(instance_id)
    has_primary = bool(own) and own[0].kind == "primary"
    # API 2.0 lists instances and their further interfaces, and not which are the same.
    is_untold = case.provider == "tencent-dfw" or (bool(instance_id) and not has_primary)
    # No document says whether an instance counts twice that carries a group by two interfaces.
    asked = set(case.launch.group_ids)
    is_twice = any(asked & set(one.groups) for one in own if one.kind != "primary")
    return bool(case.fault_seed) or case.is_hiding or is_untold or is_twice


def broken_ceilings(case: Case, *, is_by_change: bool = True) -> list[str]:
    """Every ceiling that the change would break, or that does not hold where it is made."""
    assert case.launch is not None
    defaults, _ = _LIMITS[case.provider]
    before, after = _before(case), _after(case, case.launch)
    touched = [i for i in after if i.instance.startswith("planned") or _is_bound(case, i)]
    if is_by_change:
        touched = [i for i in touched if _is_changed(case, i)]
    broken = []
    for name, default in defaults.items():
        ceiling = case.cloud.limits.get(name, default)
        if ceiling is None:
            continue
        if name.startswith("groups-per"):
            broken += [
                f"{one.id} would carry {len(one.groups)} groups, {ceiling} are allowed"
                for one in touched
                if len(one.groups) > ceiling
            ]
            continue
        for group_id in sorted({group for one in touched for group in one.groups}):
            now = _number(case, before, group_id, name)
            then = _number(case, after, group_id, name)
            if then > ceiling and (then > now or not is_by_change):
                broken.append(f"{group_id} would be carried {then} times, {ceiling} are allowed")
    return broken


def _before(case: Case) -> list[Interface]:
    """All interfaces there are, and those of Huawei Cloud's products, which are counted there."""
    products = case.cloud.attachments if case.provider == "huawei" else []
    return [
        *(replace(i, groups=list(i.groups)) for i in case.cloud.interfaces),
        *(Interface(a.id, list(a.groups), kind="product", project=a.project) for a in products),
    ]


def _after(case: Case, request: LaunchRequest) -> list[Interface]:
    """All interfaces there are once the change is made; new ones carry ids that say so."""
    interfaces = _before(case)
    if not request.instance_id:
        groups = request.group_ids or _default_groups(case)
        return interfaces + [
            Interface(f"planned-{n}", list(groups), f"planned-{n}") for n in range(request.count)
        ]
    for interface in interfaces:
        if interface.instance == request.instance_id and _takes(case, interface):
            interface.groups = list(dict.fromkeys((*interface.groups, *request.group_ids)))
    return interfaces


def _default_groups(case: Case) -> list[str]:
    """The group that a launch without any gets; none where it cannot be told which one."""
    found = [
        group.id
        for group in case.cloud.groups
        if group.default and group.region == case.region and truth.is_own(case, group)
    ]
    return found if len(found) == 1 else []


def _takes(case: Case, interface: Interface) -> bool:
    """Whether binding an instance changes this interface: all of them where Nova binds."""
    if case.provider in ("huawei", "openstack"):
        return interface.kind != "supplementary"
    return interface.kind == "primary"


def _is_bound(case: Case, interface: Interface) -> bool:
    assert case.launch is not None
    return bool(case.launch.instance_id) and interface.instance == case.launch.instance_id


def _is_changed(case: Case, interface: Interface) -> bool:
    before = case.cloud.interface(interface.id)
    return before is None or set(interface.groups) != set(before.groups)


def _number(case: Case, interfaces: Sequence[Interface], group_id: str, name: str) -> int:
    """How full the group is, counted as the cloud counts it."""
    carrying = [i for i in interfaces if group_id in i.groups and _is_counted(case, i, group_id)]
    is_tencent = case.provider.startswith("tencent")  # CvmsVifsPerSecGroupLimitExceeded
    group = case.cloud.group(group_id)
    is_advanced = group is not None and group.kind == "advanced"  # NetworkInterfaceCountExceeded
    if name == "interfaces-per-group" or is_tencent or is_advanced:
        return len(carrying)
    return len({i.instance for i in carrying if i.instance})


def _is_counted(case: Case, interface: Interface, group_id: str) -> bool:
    holder = truth.Holder(group_id, "interface", interface.id, interface.project)
    return interface.id.startswith("planned") or not truth.is_beyond(case, holder)
