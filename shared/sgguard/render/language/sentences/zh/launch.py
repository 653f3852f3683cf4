"""The reasons of the launch guard and of the bind guard, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "subject.instance": "实例 {instance}",
    "subject.launch": {"other": "创建 {n:of=instance}"},
    "holder.planned": "该实例",
    "holder.each-planned": "每台实例",
    "holder.interface": "{instance} 的弹性网卡 {interface}",
    "thing.live": "实时查询",
    "thing.documented": "官方文档",
    "thing.policy": "策略",
    "per.project": "项目",
    "per.referenced-group": "每个被引用的安全组",
    "per.group": "每个安全组",
    "per.instance": "每台实例",
    "per.interface": "每张弹性网卡",
    "limit.would-carry": "{holder:80}：将绑定 {n:of=group}",
    "limit.would-be-on": "{group} 将绑定在 {count}上（现有 {now}，新增 {more}）",
    "limit.would-have": "项目将有 {n:of=port}（现有 {now}，新增 {more}）",
    "limit.of-holder": "单个{unit:kind}的安全组数 {after}/{ceiling}",
    "limit.of-group": "{group} 绑定的{unit:kind}数 {after}/{ceiling}",
    "limit.of-project": "项目的 Neutron 端口数 {after}/{ceiling}",
    "limit.exceeded": "{change}，超出{per}的上限 {ceiling}（{source:kind}）{advice}。",
    "limit.advice": "；该上限为云平台的建议值，不强制",
    "limit.near": "{change}：接近上限 {after}/{ceiling}{share}（{source:kind}）。",
    "limit.share": "，{percent}%",
    "limit.without-effect": "有 {used} 条复合规则，上限 {ceiling} 条，超出的规则不生效（{note}）。",
    "limit.per-direction": "出入方向分别计算",
    "limit.and": "{note}；{own}",
    "limit.not-offered": "此处不提供 {action}",
    "limit.not-read": "未读取账号自身的配额",
    "limit.no-call": "API 2.0 没有查询配额的接口",
    "limit.of-referenced": "适用于被其他安全组的规则引用的安全组，弹性网卡也计入",
    "limit.left-out": "云平台的响应中没有 {key}",
    "limit.contradicted": "云平台返回 {told}，与其文档不符；如果账号的上限确实更高，请在策略中设置",
    "limit.raisable": "默认为 5，可申请提高到 10 或 16，并在策略中设置{page:silent}",
    "limit.basic-holders": "普通安全组（{page}）；新文档按私网 IP 计，最多 6000 个",
    "limit.advanced-holders": "企业级安全组，按弹性网卡计（{page}）",
    "limit.prefix-lists": "前缀列表按其最大条目数计{page:silent}",
    "limit.over-all-groups": "一张弹性网卡上全部安全组的规则总数（{page}）",
    "limit.basic-peers": "普通安全组可引用的安全组数（{page}）",
    "limit.advanced-peers": "企业级安全组不能引用安全组（{page}）",
    "limit.of-region": "每个账号每个地域，可申请提高",
    "limit.none": "OpenStack 不限制每个 Neutron 端口的安全组数，"
    "也不限制每个安全组的 Neutron 端口数",
    "limit.quota": "配额 {key}",
    "limit.advised": "厂商建议值",
    "limit.advised-more": "厂商建议值，超出后仍可绑定",
    "limit.silent": "按方向计；超出的规则会被接受但不生效，且没有提示",
    "limit.of-policy": "由策略设置",
    "limit.counted-at": "{where}{note:silent}",
    "launch.other-network": "{group} 属于网络 {theirs:40}，实例属于网络 {ours:40}。",
    "launch.other-project": "{group} 属于项目 {theirs:40}，实例属于项目 {ours:40}。",
    "launch.no-instance": "{place} 中找不到{subject}：它不存在，或当前凭证无权查看。",
    "launch.unbindable": "{subject} 当前不能绑定安全组{state}：{why}",
    "launch.state": "（状态 {state:30}）",
    "launch.interface-unchangeable": "实例 {instance} 的弹性网卡 {interface:40} 当前不能变更："
    "{why}",
    "launch.kinds-mixed": "{holder:80}：将同时绑定两种类型的安全组（{kinds:room=100}），"
    "云平台会报错（{code}）。",
    "launch.is-of-kind": "{group:40} 为 {kind} 类型",
    "launch.is-of-no-kind": "{group:40} 未分类型",
    "launch.forbidden": "策略禁止使用 {group}（launch.forbidden: {pattern}）。",
    "launch.forbidden.maybe": "策略可能禁止使用 {group}（launch.forbidden: {pattern}）："
    "未查到其名称，无法排除。",
    "launch.baseline": "{subject}：缺少基线安全组 {entry:60}，现有 {groups:rest}{unknown}。",
    "launch.baseline.none": "{subject}：缺少基线安全组 {entry:60}，未绑定任何安全组{unknown}。",
    "launch.nameless": "；未查到名称的有 {names:room=60}",
    "launch.default-taken": "未指定安全组：云平台将使用项目的默认安全组 {groups:room=80}。",
    "launch.default-unknown": "未指定安全组：云平台会自行选择，通常是项目的默认安全组，"
    "没有时自动创建；未检查其上限。",
    "launch.no-limit": "{subject}：未发现会超出的上限。",
    "launch.within": "{subject}：未超出任何上限（{usages:rest}）。",
    "bind.cloud-managed": "{group} 由 {owner} 托管，只能由该云产品绑定。",
    "bind.forbidden.maybe": "策略可能禁止使用 {group}（launch.forbidden: {pattern}）："
    "未查到其名称，无法排除。",
    "bind.cap": {"other": "将变更 {n} 个资源，超过策略允许的 {most} 个（caps.holders）。"},
    "bind.would-get": {
        "other": "共 {n} 个资源：{planned} 个将绑定 {group}，已绑定 {nothing} 个，"
        "不能绑定 {refused} 个。"
    },
    "bind.would-lose": {
        "other": "共 {n} 个资源：{planned} 个将解绑 {group}，未绑定 {nothing} 个，"
        "不能解绑 {refused} 个。"
    },
    "bind.uncounted": "未查到该安全组已绑定的资源数，而 {limit} 有上限。",
}
