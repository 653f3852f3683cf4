"""Random clouds: groups that name each other, holders of every kind, neighbours, and a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sgguard.emulator.state import Attachment, Cloud, Group, Instance, Interface, Rule
from sgguard.policy import Policy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.kinds import Kind
from tests.false_verdicts.policies import policy_of
from tests.false_verdicts.random_source import Dice

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
    """How likely things are in this cloud: some clouds are empty, some are thickets."""

    named: float
    held: float
    shared: float


def case_of(kind: Kind, seed: str) -> Case:
    """The cloud and the question of a seed; nothing goes wrong on the wire yet."""
    dice = Dice(f"{kind.provider} {seed}")
    is_otc = kind.provider == "huawei" and dice.chance(0.15)
    regions = ["eu-de", "cn-north-4"] if is_otc else list(kind.regions)
    accounts, env = kind.caller(dice, regions[0])
    cloud = Cloud(kind.provider, regions, accounts)
    _fill(kind, dice, cloud)
    is_hiding = kind.quirks(dice, cloud)
    if dice.chance(0.04):
        accounts[0].denied = dice.some(kind.actions, 1, 2)
        is_hiding = True
    case = Case(seed, cloud, env, accounts[0], regions[0], is_hiding=is_hiding)
    case = replace(case, asked=_question(kind, dice, case))
    return replace(case, policy=policy_of(case))


def _fill(kind: Kind, dice: Dice, cloud: Cloud) -> None:
    size = dice.choices(["small", "medium", "star", "crowd"], [68, 29, 1.5, 1.5])[0]
    density = _Density(*(dice.choice([0.0, 0.05, 0.15, 0.4]) for _ in range(3)))
    owners = [_Owner(a.id, project) for a in cloud.accounts for project in a.projects or [""]]
    count = dice.randint(8, 25) if size == "medium" else dice.randint(1, 7)
    cloud.groups = [_group(kind, dice, cloud, owners, n) for n in range(count)]
    for group in cloud.groups:
        group.rules = _rules(kind, dice, cloud, group, density)
        if kind.provider == "openstack" and dice.chance(density.shared):
            projects = [a.projects[0] for a in cloud.accounts if a.projects[0] != group.project]
            group.shared_with = dice.some([*projects, "*"], 1, 2)
    _hold(kind, dice, cloud, owners, density)
    hub = dice.choice(cloud.groups)
    many = dice.randint(90, 230) if size in ("star", "crowd") else 0
    if size == "star" and not hub.kind:
        for number in range(min(many, 140)):
            spoke = _group(kind, dice, cloud, [_Owner(hub.account, hub.project)], number + 100)
            spoke.region, spoke.kind = hub.region, ""
            spoke.rules = [_rule(kind, dice, hub.id)]
            cloud.groups.append(spoke)
    if size == "crowd":
        for _ in range(many):
            owner = _Owner(hub.account, hub.project)
            _instance(kind, dice, cloud, _Place(owner, hub.region), [hub.id])


def _group(kind: Kind, dice: Dice, cloud: Cloud, owners: Sequence[_Owner], number: int) -> Group:
    # Most groups are the caller's own; the others are there to be mistaken for them.
    owner = owners[0] if dice.chance(0.75) else dice.choice(owners)
    region = cloud.regions[0] if dice.chance(0.92) else cloud.regions[1]
    is_default = bool(kind.default_name) and number < 2 and dice.chance(0.3)
    is_managed = kind.has_managed and dice.chance(0.07)
    return Group(
        id=kind.group_id(dice),
        name=kind.default_name if is_default else f"{dice.choice(['web', 'db'])}-{number}",
        region=region,
        account=owner.account,
        project=owner.project,
        network=dice.choice(["vpc-1", "vpc-2"]) if kind.provider == "alibaba" else "",
        kind=dice.choice(["", "", "advanced"]) if kind.provider == "alibaba" else "",
        default=is_default,
        managed_by="1503405350102016" if is_managed else "",
    )


def _rules(kind: Kind, dice: Dice, cloud: Cloud, group: Group, density: _Density) -> list[Rule]:
    """Rules that name each possible peer with the cloud's density, and some that name none."""
    named = [
        other.id
        for other in cloud.groups
        if dice.chance(density.named) and _may_name(kind, dice, group, other)
    ]
    named += [group.id] if dice.chance(0.1) and kind.provider != "alibaba" else []
    named += [""] * dice.randint(0, 3)
    dice.shuffle(named)
    return [_rule(kind, dice, name, number, group) for number, name in enumerate(named)]


def _may_name(kind: Kind, dice: Dice, group: Group, other: Group) -> bool:
    if group.id == other.id or group.region != other.region:
        return False
    if "advanced" in (group.kind, other.kind):
        return False  # refused when the rule is made, as a mixture of kinds is on an instance
    if (group.account, group.project) == (other.account, other.project):
        return True
    # Projects of a Tencent account are no borders; those of Huawei Cloud name only their own.
    is_same_account = group.account == other.account and kind.provider.startswith("tencent")
    return is_same_account or (kind.has_foreign_rules and dice.chance(0.3))


def _rule(kind: Kind, dice: Dice, peer: str, number: int = 0, group: Group | None = None) -> Rule:
    protocol = dice.choice(_PROTOCOLS)
    has_ports = protocol in ("tcp", "udp")
    is_plain = bool(peer) or dice.chance(0.7)
    return Rule(
        direction=dice.choice(["ingress", "egress"]),
        id=dice.uuid() if group is None else f"{group.id}-rule-{number}",
        protocol=protocol,
        ports=dice.choice(["22", "8000-8010", "any"]) if has_ports else "any",
        cidr="" if peer or not is_plain else dice.choice(["0.0.0.0/0", "10.0.0.0/8", "::/0"]),
        peer_group=peer,
        template="" if peer or is_plain else "ipm-12345678",
        action="drop" if kind.has_deny and dice.chance(0.2) else "accept",
        enabled=not (kind.has_switch and dice.chance(0.2)),
        description=dice.choice(["", "for the lie detector"]),
    )


def _hold(
    kind: Kind, dice: Dice, cloud: Cloud, owners: Sequence[_Owner], density: _Density
) -> None:
    """Let instances, loose interfaces and products carry some of the groups."""
    carriable = dice.part(cloud.groups, density.held + 0.1)
    carriable = [group for group in carriable if group.kind == carriable[0].kind]
    for _ in range(dice.randint(0, 4)):
        owner = owners[0] if dice.chance(0.7) else dice.choice(owners)
        region = cloud.regions[0] if dice.chance(0.95) else cloud.regions[1]
        carried = [g for g in carriable if _may_carry(kind, dice, owner, region, g)]
        if dice.chance(0.75):
            _instance(
                kind, dice, cloud, _Place(owner, region), [g.id for g in dice.some(carried, 0, 3)]
            )
        for further in range(dice.randint(0, 2)):
            instance = dice.choice(["", *(i.id for i in cloud.instances)])
            found = cloud.instance(instance)
            if found and (found.account, found.region) != (owner.account, region):
                found, instance = None, ""
            cloud.interfaces.append(
                Interface(
                    id=kind.interface_id(dice),
                    groups=[g.id for g in dice.some(carried, 0, 3)],
                    instance=instance,
                    kind=dice.choice(kind.interface_kinds),
                    owner="" if instance else dice.choice(["", "network:dhcp", "Octavia"]),
                    name=f"side-{further}",
                    region=region,
                    account=owner.account,
                    project=found.project if found else owner.project,
                    network=found.network if found else "vpc-1",
                    managed_by="1503405350102016" if kind.has_managed and dice.chance(0.2) else "",
                )
            )
        if kind.products and carried and dice.chance(0.5):
            cloud.attachments.append(
                Attachment(
                    id=f"product-{dice.word(8)}",
                    kind=dice.choice(kind.products),
                    groups=[g.id for g in dice.some(carried, 1, 2)],
                    name="orders",
                    region=region,
                    account=owner.account,
                    project=owner.project,
                )
            )


def _may_carry(kind: Kind, dice: Dice, owner: _Owner, region: str, group: Group) -> bool:
    if group.region != region or group.account != owner.account:
        is_foreign = kind.provider == "openstack" and group.region == region
        return is_foreign and dice.chance(0.3)
    return group.project == owner.project or kind.provider.startswith("tencent")


def _instance(kind: Kind, dice: Dice, cloud: Cloud, place: _Place, carried: list[str]) -> Instance:
    owner, region = place.owner, place.region
    instance = Instance(
        id=kind.instance_id(dice),
        name=f"server-{len(cloud.instances)}",
        state=dice.choice(_STATES),
        region=region,
        account=owner.account,
        project=owner.project,
        network=dice.choice(["vpc-1", "vpc-2"]),
    )
    cloud.instances.append(instance)
    if dice.chance(0.95):
        cloud.interfaces.append(
            Interface(
                id=kind.interface_id(dice),
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
    """A cloud of the same making, and up to a dozen groups, each asked about by itself."""
    case = case_of(kind, f"batch {seed}")
    dice = Dice(f"batch {kind.provider} {seed}")
    known = [group.id for group in case.cloud.groups if group.region == case.region]
    asked = dice.some(known, 1, 12) or [kind.group_id(dice)]
    return replace(case, asked=tuple(asked), policy=Policy(), is_batch=True)


def _question(kind: Kind, dice: Dice, case: Case) -> tuple[str, ...]:
    """One group or a set of them: often ones that could go, sometimes any, rarely none at all."""
    known = [group.id for group in case.cloud.groups if group.region == case.region]
    if not known or dice.chance(0.03):
        return (kind.group_id(dice), *dice.some(known, 0, 1))
    idle = [one for one in known if not case.cloud.interfaces_with(one)]
    pool = idle if idle and dice.chance(0.7) else known
    first = dice.choice(pool)
    free = [one for one in pool if truth.is_free(case, [one])]
    if dice.chance(0.5):
        return (dice.choice(free),) if free and dice.chance(0.5) else (first,)
    if dice.chance(0.6):
        # Whoever names one of the set comes along, so that the set can go although none alone can.
        return tuple(_with_referrers(case, first, dice.randint(2, 14)))
    return tuple(dict.fromkeys([first, *dice.some(pool, 1, 12)]))


def _with_referrers(case: Case, first: str, at_most: int) -> list[str]:
    members = [first]
    for one in members:
        naming = [group.id for group, _ in case.cloud.references(one)]
        members += [new for new in dict.fromkeys(naming) if new not in members]
        if len(members) > at_most:
            break
    return members
