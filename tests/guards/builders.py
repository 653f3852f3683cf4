"""Groups, references and facts in few words, for the tests of everything pure."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from sgguard.guards import delete, launch
from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.codes import Mode
from sgguard.model.decision import Decision
from sgguard.model.facts import DeleteFacts, GroupFacts, LaunchFacts
from sgguard.model.resource import (
    Binding,
    Direction,
    Group,
    Instance,
    Interface,
    Limit,
    Reference,
    Rule,
    Unseen,
    Visibility,
)
from sgguard.policy import DeletePolicy, LaunchPolicy, Policy

TENCENT = Capabilities("tencent", "refused", "ResourceInUse", "instance", "sg-5ua9adfv")
ALIBABA = Capabilities(
    "alibaba",
    "refused",
    "DependencyViolation",
    "interface",
    "sg-bp67acfmxazb4p",
    has_self_references=False,
)
HUAWEI = Capabilities(
    "huawei", "unknown", "VPC.9902", "interface", "0552091e-b83a-49dd-88a7-4a5c86fd9ec3"
)
OPENSTACK = Capabilities(
    "openstack",
    "cascades",
    "SecurityGroupInUse",
    "interface",
    "0552091e-b83a-49dd-88a7-4a5c86fd9ec3",
    primary_holder="port",
)
FORCING = Capabilities(
    "tencent-dfw", "refused", "", "instance", "sg-5ua9adfv", can_force_delete=True
)
PER_INTERFACE = Capabilities(
    "alibaba", "refused", "", "interface", "sg-5ua9adfv", primary_holder="interface"
)
SCOPE = Scope("tencent", "", "ap-guangzhou")

NO_PERMISSION = Unseen(
    "no-permission", "references", "UnauthorizedOperation", "grant DescribeSecurityGroupReferences"
)
MAY_REVOKE = Policy(delete=DeletePolicy(remedies=("revoke",)))
MAY_UNBIND = Policy(delete=DeletePolicy(remedies=("unbind",)))
MAY_MOVE = Policy(delete=DeletePolicy(remedies=("move",), fallback_group="sg-spare"))
MAY_ALL = Policy(
    delete=DeletePolicy(remedies=("revoke", "unbind", "move"), fallback_group="sg-spare"),
    launch=LaunchPolicy(remedies=("bind",)),
)


def address(group_id="sg-a"):
    return Address(SCOPE, group_id)


def group(group_id="sg-a", *, references=(), bindings=(), unseen=(), count=None, **described):
    """Facts of an existing group; what is not given was read and found empty."""
    described = {"name": f"name-of-{group_id}", "tags": (), **described}
    return GroupFacts(
        address(group_id),
        Group(group_id, **described),
        references=tuple(references),
        bindings=tuple(bindings),
        unseen=tuple(unseen),
        instance_count=count,
    )


def missing(group_id="sg-gone"):
    return GroupFacts(address(group_id), None)


def malformed(text="web"):
    return GroupFacts(address(text), None, is_malformed=True)


def rule(rule_id="ingress[0]", **described):
    direction = Direction.EGRESS if rule_id.startswith("egress") else Direction.INGRESS
    return Rule(rule_id, described.pop("direction", direction), "tcp", "22", **described)


def named_by(group_id="sg-b", rule_id="ingress[0]", *, account="", **described):
    """A reference held by another group."""
    return Reference(group_id, f"name-of-{group_id}", account, rule=rule(rule_id, **described))


def named_by_unknown_rule(group_id="sg-b"):
    return Reference(group_id)


def server(instance_id="ins-1", **described):
    return Binding("instance", instance_id, instance_id=instance_id, **described)


def facts(*groups, capabilities=TENCENT, visibility=Visibility.ACCOUNT, limits=()):
    return DeleteFacts(capabilities, tuple(groups), tuple(limits), visibility)


LIMITS = (
    Limit("groups-per-instance", 5),
    Limit("instances-per-group", 2000, source="live"),
)


def planned(*groups, count=1, capabilities=TENCENT, limits=LIMITS, **more):
    return LaunchFacts(
        capabilities, SCOPE, tuple(groups), count=count, limits=tuple(limits), **more
    )


def launched(instance, *groups, capabilities=TENCENT, limits=LIMITS, instance_id="ins-1", **more):
    return LaunchFacts(
        capabilities,
        SCOPE,
        tuple(groups),
        instance_id=instance_id,
        instance=instance,
        limits=tuple(limits),
        **more,
    )


def instance(*group_ids, interfaces=(), **described):
    return Instance("ins-1", "web", group_ids=group_ids, interfaces=tuple(interfaces), **described)


def interface(interface_id, *group_ids, is_primary=False):
    return Interface(interface_id, group_ids, is_primary)


def decision(of, policy=None):
    """The decision about these facts, as a pipeline makes it."""
    policy = policy or Policy()
    is_delete = isinstance(of, DeleteFacts)
    target = tuple(str(one.address) for one in of.groups) if is_delete else (str(of.scope),)
    return Decision(
        decision_id="d-1",
        event_id="e-1",
        guard="delete" if is_delete else "launch",
        judgement=(delete if is_delete else launch).judge(of, policy),
        facts=of,
        mode=Mode.OBSERVE,
        target=target or ("nothing",),
        decided_at=datetime(2026, 11, 22, 3, 4, 5, 678901, UTC),
        took_ms=12.34567,
    )


def codes(judgement, effect=None):
    return [one.code for one in judgement.reasons if effect in (None, one.effect)]


# Whatever clouds and people may write: quotes, brackets, arrows, line breaks, terminal escapes.
HOSTILE = st.one_of(
    st.sampled_from(
        ['"]\n  evil --> n0', "%%{init: {}}%%", "\x1b[2Jgone", "a|b", "\\", '\\"', "`x`", "end"]
    ),
    st.text(max_size=40),
    st.text(alphabet="字ÄöЖ-_", min_size=1, max_size=80),
)
IDS = st.sampled_from([f"sg-{n}" for n in range(6)])

RULES = st.builds(
    Rule,
    rule_id=st.sampled_from(["ingress[0]", "ingress[1]", "ingress[12]", "egress[3]", "r-1", "r-2"]),
    direction=st.sampled_from(Direction),
    protocol=st.sampled_from(["tcp", "udp", "any"]),
    ports=st.sampled_from(["22", "any"]),
    peer_group=IDS,
    action=st.sampled_from(["accept", "drop"]),
    priority=st.none() | st.integers(1, 100),
    description=HOSTILE,
    is_enabled=st.booleans(),
)
REFERENCES = st.builds(
    Reference,
    group_id=IDS | HOSTILE,
    group_name=HOSTILE,
    account=st.sampled_from(["", "", "another"]),
    rule=RULES | st.none(),
    tags=st.sampled_from([(), (("owner", "team-a"),), (("Owner", "字\n"), ("cost", "1"))]),
)
BINDINGS = st.builds(
    Binding,
    kind=st.sampled_from(["instance", "interface", "port", "load-balancer", "database"]),
    holder_id=st.sampled_from(["", "ins-1", "eni-1"]) | HOSTILE,
    name=HOSTILE,
    instance_id=st.sampled_from(["", "ins-1"]),
    owner=HOSTILE,
    count=st.integers(1, 3000),
    other_group_ids=st.none() | st.lists(IDS, max_size=2).map(tuple),
)
UNSEEN = st.builds(
    Unseen,
    code=st.sampled_from(["no-permission", "unknown-shape", "record-ceiling", "other-project"]),
    what=HOSTILE,
    why=HOSTILE,
    remedy=HOSTILE,
)


def _some(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


def _group_facts(group_id):
    described = st.builds(
        Group,
        group_id=st.just(group_id),
        name=HOSTILE,
        project=st.sampled_from(["", "p-1", "p-2"]),
        network=st.sampled_from(["", "vpc-1", "vpc-2"]),
        kind=st.sampled_from(["", "basic", "advanced"]),
        is_default=st.sampled_from([False, False, False, True]),
        managed_by=st.sampled_from(["", "", "", "kubernetes"]),
        rules=st.none() | _some(RULES),
    )
    return st.builds(
        GroupFacts,
        address=st.just(address(group_id)),
        group=st.one_of(described, described, described, st.none()),
        references=_some(REFERENCES),
        bindings=st.one_of(st.just(()), _some(BINDINGS)),
        unseen=st.one_of(st.just(()), st.just(()), _some(UNSEEN)),
        is_malformed=st.sampled_from([False, False, False, True]),
        instance_count=st.none() | st.integers(0, 2100),
    )


GROUP_SETS = st.lists(IDS, min_size=1, max_size=4, unique=True).flatmap(
    lambda ids: st.tuples(*(_group_facts(group_id) for group_id in ids))
)
CAPABILITIES = st.sampled_from([TENCENT, ALIBABA, HUAWEI, OPENSTACK, FORCING, PER_INTERFACE])
LIMIT_SETS = st.lists(
    st.builds(
        Limit,
        name=st.sampled_from(
            [
                "groups-per-instance",
                "groups-per-interface",
                "instances-per-group",
                "interfaces-per-group",
                "rules-per-group",
            ]
        ),
        ceiling=st.none() | st.sampled_from([1, 2, 5, 2000]),
        source=st.sampled_from(["live", "documented"]),
        is_enforced=st.booleans(),
        note=HOSTILE,
        applies_to=st.sampled_from(["", "", "basic"]),
    ),
    max_size=4,
).map(tuple)
DELETE_FACTS = st.builds(
    DeleteFacts,
    capabilities=CAPABILITIES,
    groups=GROUP_SETS,
    limits=LIMIT_SETS,
    visibility=st.sampled_from(Visibility),
)
INSTANCES = st.builds(
    Instance,
    instance_id=st.just("ins-1"),
    name=HOSTILE,
    state=HOSTILE,
    project=st.sampled_from(["", "p-1"]),
    network=st.sampled_from(["", "vpc-1"]),
    group_ids=st.lists(IDS, max_size=4, unique=True).map(tuple),
    interfaces=st.lists(
        st.builds(
            Interface,
            interface_id=HOSTILE,
            group_ids=st.lists(IDS, max_size=4, unique=True).map(tuple),
            is_primary=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    binding_refusal=st.sampled_from(["", "", "still building"]),
)
LAUNCH_FACTS = st.one_of(
    st.builds(
        LaunchFacts,
        capabilities=CAPABILITIES,
        scope=st.just(SCOPE),
        groups=GROUP_SETS | st.just(()),
        count=st.integers(1, 500),
        project=st.sampled_from(["", "p-1"]),
        network=st.sampled_from(["", "vpc-1"]),
        limits=LIMIT_SETS,
        unseen=st.one_of(st.just(()), _some(UNSEEN)),
    ),
    st.builds(
        LaunchFacts,
        capabilities=CAPABILITIES,
        scope=st.just(SCOPE),
        groups=GROUP_SETS | st.just(()),
        instance_id=st.just("ins-1"),
        instance=INSTANCES | st.none(),
        limits=LIMIT_SETS,
        unseen=st.one_of(st.just(()), _some(UNSEEN)),
    ),
)
CODES = ("no-permission", "unknown-shape", "record-ceiling", "other-project", "not-told")
TOLERATED = st.one_of(
    st.just(()), st.lists(st.sampled_from(CODES), max_size=2, unique=True).map(tuple)
)
REQUIRED = st.sampled_from([None, None, *Visibility])
POLICIES = st.builds(
    Policy,
    delete=st.builds(
        DeletePolicy,
        protected=st.lists(st.sampled_from(["sg-0", "prod-*", "tencent:*"]), max_size=1).map(tuple),
        remedies=st.lists(
            st.sampled_from(["revoke", "rewrite", "unbind", "move", "force"]),
            max_size=5,
            unique=True,
        ).map(tuple),
        fallback_group=st.sampled_from(["", "sg-1", "sg-spare", "openstack::R:x"]),
        replacement_group=st.sampled_from(["", "sg-2", "sg-new", "openstack::R:x"]),
        replacements=st.sampled_from([{}, {"sg-0": "sg-other"}, {"sg-*": "sg-3"}]),
        tolerate_unseen=TOLERATED,
        require_visibility=REQUIRED,
    ),
    launch=st.builds(
        LaunchPolicy,
        baseline=st.lists(st.sampled_from(["sg-0", "sg-9", "base-*"]), max_size=1).map(tuple),
        forbidden=st.lists(st.sampled_from(["sg-5", "*open*"]), max_size=1).map(tuple),
        warn_at_percent=st.integers(1, 100),
        remedies=st.lists(
            st.sampled_from(["bind", "unbind", "quarantine"]), max_size=3, unique=True
        ).map(tuple),
        quarantine_group=st.sampled_from(["", "sg-jail", "openstack::R:x"]),
        fallback_group=st.sampled_from(["", "sg-spare", "sg-5"]),
        tolerate_unseen=TOLERATED,
        require_visibility=REQUIRED,
    ),
    limits=st.sampled_from([{}, {"tencent": {"groups-per-instance": 2}}]),
)
