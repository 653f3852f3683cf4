"""Numbers with what they count, words for kinds of things, and who holds something."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "unit.any": {"one": "{n} {unit}", "other": "{n} {unit}s"},
    "unit.rule": {"one": "{n} rule", "other": "{n} rules"},
    "unit.group": {"one": "{n} group", "other": "{n} groups"},
    "unit.other-group": {"one": "{n} other group", "other": "{n} other groups"},
    "unit.instance": {"one": "{n} instance", "other": "{n} instances"},
    "unit.interface": {"one": "{n} interface", "other": "{n} interfaces"},
    "unit.port": {"one": "{n} port", "other": "{n} ports"},
    "unit.load-balancer": {"one": "{n} load-balancer", "other": "{n} load-balancers"},
    "unit.database": {"one": "{n} database", "other": "{n} databases"},
    "unit.virtual-ip": {"one": "{n} virtual-ip", "other": "{n} virtual-ips"},
    "unit.sub-interface": {"one": "{n} sub-interface", "other": "{n} sub-interfaces"},
    "thing.instance": "instance",
    "thing.interface": "interface",
    "thing.port": "port",
    "thing.load-balancer": "load-balancer",
    "thing.database": "database",
    "thing.virtual-ip": "virtual-ip",
    "thing.sub-interface": "sub-interface",
    "holder.of-account": "{group:short 44} of account {account:20}",
    "holder.of-instance": "{holder:short 44} of instance {instance:short 44}",
    "holder.for": "{holder:short 44} for {owner:40}",
    "holder.counted": "{kind:kind}",
    "holder.of-kind": "{kind:kind} {holder:short 40}",
}
