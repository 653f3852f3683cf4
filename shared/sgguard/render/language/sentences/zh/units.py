"""Numbers with what they count, words for kinds of things, and who holds something, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "unit.any": {"other": "{n} 个 {unit}"},
    "unit.rule": {"other": "{n} 条规则"},
    "unit.group": {"other": "{n} 个安全组"},
    "unit.other-group": {"other": "{n} 个其他安全组"},
    "unit.instance": {"other": "{n} 台实例"},
    "unit.interface": {"other": "{n} 张弹性网卡"},
    "unit.port": {"other": "{n} 个 Neutron 端口"},
    "unit.load-balancer": {"other": "{n} 个负载均衡"},
    "unit.database": {"other": "{n} 个云数据库"},
    "unit.virtual-ip": {"other": "{n} 个虚拟 IP"},
    "unit.sub-interface": {"other": "{n} 张辅助弹性网卡（SubENI）"},
    "thing.instance": "实例",
    "thing.interface": "弹性网卡",
    "thing.port": "Neutron 端口",
    "thing.load-balancer": "负载均衡",
    "thing.database": "云数据库",
    "thing.virtual-ip": "虚拟 IP",
    "thing.sub-interface": "辅助弹性网卡（SubENI）",
    "holder.of-account": "账号 {account:20} 的 {group:short 44}",
    "holder.of-instance": "实例 {instance:short 44} 的 {holder:short 44}",
    "holder.for": "{owner:40} 的 {holder:short 44}",
    "holder.counted": "{kind:kind}",
    "holder.of-kind": "{kind:kind} {holder:short 40}",
}
