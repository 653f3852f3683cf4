"""Why a plan may not be carried out, and exemptions, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "unit.change": {"other": "{n} 项变更"},
    "unit.ingress-rule": {"other": "{n} 条入方向规则"},
    "unit.egress-rule": {"other": "{n} 条出方向规则"},
    "exempted": "已豁免（负责人 {owner:40}，有效期至 {expires}，原因“{reason:50}”）：{about}",
    "cap.changes": {"other": "执行计划共 {n} 项变更，超过 caps.changes 允许的 {cap} 项。"},
    "cap.percent": {
        "other": "执行计划要删除 {group} 的 {number} 条规则（共 {n} 条），"
        "超过 caps.percent_of_rules 允许的 {cap}%。",
    },
    "cap.port": "执行计划会删除 {group} 最后一条放通端口 {port} 的入方向规则"
    "（caps.management_ports）。",
    "cap.no-room-for-rule": "{group} 已有规则 {number} 条，上限 {most}："
    "改写须先添加新规则再删除旧规则，已无空余。",
    "cap.no-room-to-name": {
        "other": "{group} 已引用 {number} 个安全组，上限 {n} 个："
        "改写须先引用 {peer} 再取消旧引用，已无空余。",
    },
    "cap.project-over": {"other": "项目的规则数已超出配额 {n} 条，删除的规则将无法恢复。"},
    "cap.project-full": "项目的规则配额已用完，无法添加改写后的规则。",
    "used.missing": "策略指定改用的 {group} 不在 {scope} 中。",
    "used.network": "策略指定改用的 {group} 属于网络 {network}，不能使用。",
    "used.project": "策略指定改用的 {group} 属于项目 {project}，不能使用。",
    "used.kind-untold": "策略指定改用的 {group} 不可用：未查到其类型，"
    "无法确认能否与资源现有的安全组同时绑定。",
    "used.kind-refused": "策略指定改用的 {group} 不可用：其类型为 {kind}，"
    "不能与资源现有的安全组同时绑定（{code}）。",
    "used.forbidden": "策略既指定改用 {group}，又禁止使用它（{pattern}）。",
    "used.forbidden.maybe": "策略可能既指定改用 {group}，又禁止使用它（{pattern}）："
    "未查到其名称，无法排除。",
    "used.full": {
        "other": "策略指定改用的 {group} 将绑定在 {n} 个资源上（现有 {now}，新增 {more}），"
        "超出上限 {ceiling}（{limit}）。",
    },
    "used.uncounted": "策略指定改用的 {group}：未查到已绑定的资源数，而云平台对此有上限。{then}",
    "used.tolerated": "策略允许此缺口。",
    "used.holder-full": {
        "other": "{kind:kind} {holder} 将绑定 {n} 个安全组，超出上限 {ceiling} 个。"
    },
    "used.unusable": "策略要绑定的安全组不可用：{why}",
    "plan.diverged": "现状已变（{why}），请重新发起。",
    "plan.impossible": "无法制定执行计划：{why}",
}
