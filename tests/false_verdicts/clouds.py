"""Random clouds: groups that name each other, holders of every kind, neighbours, and a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sgguard.emulator.state import Attachment, Cloud, Group, Instance, Interface, Rule
from sgguard.policy import Policy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.kinds import Kind
from tests.false_verdicts.policies import policy_of
from tests.false_verdicts.random_source import RandomSource

_PROTOCOLS = ("tcp", "udp", "icmp", "any")
_STATES = ("RUNNING", "RUNNING", "RUNNING", "STOPPED", "PENDING", "SHUTDOWN")


@dataclass(frozen=True)
class _Owner:
    account: str
    project: str


@dataclass(frozen=True)
class _Place:
    owner: _Owner
    region: str


@dataclass(frozen=True)
class _Density:
    """How dense this cloud is: some clouds are empty, some are crowded."""

    named: float
    held: float
    shared: float


def case_of(kind: Kind, seed: str) -> Case:
    """The cloud and the request of a seed, without faults."""
    rng = RandomSource(f"{kind.provider} {seed}")
    is_otc = kind.provider == "huawei" and rng.chance(0.15)
    regions = ["eu-de", "cn-north-4"] if is_otc else list(kind.regions)
    accounts, env = kind.caller(rng, regions[0])
    cloud = Cloud(kind.provider, regions, accounts)
    _fill(kind, rng, cloud)
    is_hiding = kind.quirks(rng, cloud)
    if rng.chance(0.04):
        accounts[0].denied = rng.some(kind.actions, 1, 2)
        is_hiding = True
    case = Case(seed, cloud, env, accounts[0], regions[0], is_hiding=is_hiding)
    case = replace(case, targets=targets_in(kind, rng, case))
    return replace(case, policy=policy_of(case))


def _fill(kind: Kind, rng: RandomSource, cloud: Cloud) -> None:
    size = rng.choices(["small", "medium", "star", "crowd"], [68, 29, 1.5, 1.5])[0]
    density = _Density(*(rng.choice([0.0, 0.05, 0.15, 0.4]) for _ in range(3)))
    owners = [_Owner(a.id, project) for a in cloud.accounts for project in a.projects or [""]]
    count = rng.randint(8, 25) if size == "medium" else rng.randint(1, 7)
    cloud.groups = [_group(kind, rng, cloud, owners, n) for n in range(count)]
    for group in cloud.groups:
        group.rules = _rules(kind, rng, cloud, group, density)
        if kind.provider == "openstack" and rng.chance(density.shared):
            projects = [a.projects[0] for a in cloud.accounts if a.projects[0] != group.project]
            group.shared_with = rng.some([*projects, "*"], 1, 2)
    _hold(kind, rng, cloud, owners, density)
    hub = rng.choice(cloud.groups)
    many = rng.randint(90, 230) if size in ("star", "crowd") else 0
    if size == "star" and not hub.kind:
        for number in range(min(many, 140)):
            spoke = _group(kind, rng, cloud, [_Owner(hub.account, hub.project)], number + 100)
            spoke.region, spoke.kind = hub.region, ""
            spoke.rules = [_rule(kind, rng, hub.id)]
            cloud.groups.append(spoke)
    if size == "crowd":
        for _ in range(many):
            owner = _Owner(hub.account, hub.project)
            _instance(kind, rng, cloud, _Place(owner, hub.region), [hub.id])


def _group(
    kind: Kind, rng: RandomSource, cloud: Cloud, owners: Sequence[_Owner], number: int
) -> Group:
    # Most groups are the caller's own; the others are there to be mistaken for them.
    owner = owners[0] if rng.chance(0.75) else rng.choice(owners)
    region = cloud.regions[0] if rng.chance(0.92) else cloud.regions[1]
    is_default = bool(kind.default_name) and number < 2 and rng.chance(0.3)
    is_managed = kind.has_managed and rng.chance(0.07)
    return Group(
        id=kind.group_id(rng),
        name=kind.default_name if is_default else f"{rng.choice(['web', 'db'])}-{number}",
        region=region,
        account=owner.account,
        project=owner.project,
        network=rng.choice(["vpc-1", "vpc-2"]) if kind.provider == "alibaba" else "",
        kind=rng.choice(["", "", "advanced"]) if kind.provider == "alibaba" else "",
        default=is_default,
        managed_by="1503405350102016" if is_managed else "",
    )


def _rules(
    kind: Kind, rng: RandomSource, cloud: Cloud, group: Group, density: _Density
) -> list[Rule]:
    """Rules that name each possible peer with the cloud's density, and some that name none."""
    named = [
        other.id
        for other in cloud.groups
        if rng.chance(density.named) and _may_name(kind, rng, group, other)
    ]
    named += [group.id] if rng.chance(0.1) and kind.provider != "alibaba" else []
    named += [""] * rng.randint(0, 3)
    rng.shuffle(named)
    return [_rule(kind, rng, name, number, group) for number, name in enumerate(named)]


def _may_name(kind: Kind, rng: RandomSource, group: Group, other: Group) -> bool:
    if group.id == other.id or group.region != other.region:
        return False
    if "advanced" in (group.kind, other.kind):
        return False  # refused when the rule is made, as a mixture of kinds is on an instance
    if (group.account, group.project) == (other.account, other.project):
        return True
    # Projects of a Tencent account are no borders; those of Huawei Cloud name only their own.
    is_same_account = group.account == other.account and kind.provider.startswith("tencent")
    return is_same_account or (kind.has_foreign_rules and rng.chance(0.3))


def _rule(
    kind: Kind, rng: RandomSource, peer: str, number: int = 0, group: Group | None = None
) -> Rule:
    protocol = rng.choice(_PROTOCOLS)
    has_ports = protocol in ("tcp", "udp")
    is_plain = bool(peer) or rng.chance(0.7)
    return Rule(
        direction=rng.choice(["ingress", "egress"]),
        id=rng.uuid() if group is None else f"{group.id}-rule-{number}",
        protocol=protocol,
        ports=rng.choice(["22", "8000-8010", "any"]) if has_ports else "any",
        cidr="" if peer or not is_plain else rng.choice(["0.0.0.0/0", "10.0.0.0/8", "::/0"]),
        peer_group=peer,
        template="" if peer or is_plain else "ipm-12345678",
        action="drop" if kind.has_deny and rng.chance(0.2) else "accept",
        enabled=not (kind.has_switch and rng.chance(0.2)),
        description=rng.choice(["", "for the search"]),
    )


def _hold(
    kind: Kind, rng: RandomSource, cloud: Cloud, owners: Sequence[_Owner], density: _Density
) -> None:
    """Bind some of the groups to instances, free interfaces and products."""
    carriable = rng.part(cloud.groups, density.held + 0.1)
    carriable = [group for group in carriable if group.kind == carriable[0].kind]
    for _ in range(rng.randint(0, 4)):
        owner = owners[0] if rng.chance(0.7) else rng.choice(owners)
        region = cloud.regions[0] if rng.chance(0.95) else cloud.regions[1]
        carried = [g for g in carriable if _may_carry(kind, rng, owner, region, g)]
        if rng.chance(0.75):
            _instance(
                kind, rng, cloud, _Place(owner, region), [g.id for g in rng.some(carried, 0, 3)]
            )
        for further in range(rng.randint(0, 2)):
            instance = rng.choice(["", *(i.id for i in cloud.instances)])
            found = cloud.instance(instance)
            if found and (found.account, found.region) != (owner.account, region):
                found, instance = None, ""
            cloud.interfaces.append(
                Interface(
                    id=kind.interface_id(rng),
                    groups=[g.id for g in rng.some(carried, 0, 3)],
                    instance=instance,
                    kind=rng.choice(kind.interface_kinds),
                    owner="" if instance else rng.choice(["", "network:dhcp", "Octavia"]),
                    name=f"side-{further}",
                    region=region,
                    account=owner.account,
                    project=found.project if found else owner.project,
                    network=found.network if found else "vpc-1",
                    managed_by="1503405350102016" if kind.has_managed and rng.chance(0.2) else "",
                )
            )
        if kind.products and carried and rng.chance(0.5):
            cloud.attachments.append(
                Attachment(
                    id=f"product-{rng.word(8)}",
                    kind=rng.choice(kind.products),
                    groups=[g.id for g in rng.some(carried, 1, 2)],
                    name="orders",
                    region=region,
                    account=owner.account,
                    project=owner.project,
                )
            )


def _may_carry(kind: Kind, rng: RandomSource, owner: _Owner, region: str, group: Group) -> bool:
    if group.region != region or group.account != owner.account:
        is_foreign = kind.provider == "openstack" and group.region == region
        return is_foreign and rng.chance(0.3)
    return group.project == owner.project or kind.provider.startswith("tencent")


def _instance(
    kind: Kind, rng: RandomSource, cloud: Cloud, place: _Place, carried: list[str]
) -> Instance:
    owner, region = place.owner, place.region
    instance = Instance(
        id=kind.instance_id(rng),
        name=f"server-{len(cloud.instances)}",
        state=rng.choice(_STATES),
        region=region,
        account=owner.account,
        project=owner.project,
        network=rng.choice(["vpc-1", "vpc-2"]),
    )
    cloud.instances.append(instance)
    if rng.chance(0.95):
        cloud.interfaces.append(
            Interface(
                id=kind.interface_id(rng),
                groups=list(carried),
                instance=instance.id,
                region=region,
                account=owner.account,
                project=owner.project,
                network=instance.network,
            )
        )
    return instance


def batch_case_of(kind: Kind, seed: str) -> Case:
    """A cloud of the same kind, and up to a dozen groups, each its own request."""
    case = case_of(kind, f"batch {seed}")
    rng = RandomSource(f"batch {kind.provider} {seed}")
    known = [group.id for group in case.cloud.groups if group.region == case.region]
    targets = rng.some(known, 1, 12) or [kind.group_id(rng)]
    return replace(case, targets=tuple(targets), policy=Policy(), is_batch=True)


def targets_in(kind: Kind, rng: RandomSource, case: Case) -> tuple[str, ...]:
    """One group or a set of them: often deletable ones, sometimes any, rarely none that exists."""
    known = [group.id for group in case.cloud.groups if group.region == case.region]
    if not known or rng.chance(0.03):
        return (kind.group_id(rng), *rng.some(known, 0, 1))
    idle = [one for one in known if not case.cloud.interfaces_with(one)]
    pool = idle if idle and rng.chance(0.7) else known
    first = rng.choice(pool)
    free = [one for one in pool if truth.is_free(case, [one])]
    if rng.chance(0.5):
        return (rng.choice(free),) if free and rng.chance(0.5) else (first,)
    if rng.chance(0.6):
        # Whoever names one of the set comes along, so that the set can go although none alone can.
        return tuple(_with_referrers(case, first, rng.randint(2, 14)))
    return tuple(dict.fromkeys([first, *rng.some(pool, 1, 12)]))


def _with_referrers(case: Case, first: str, at_most: int) -> list[str]:
    members = [first]
    for one in members:
        naming = [group.id for group, _ in case.cloud.references(one)]
        members += [new for new in dict.fromkeys(naming) if new not in members]
        if len(members) > at_most:
            break
    return members
