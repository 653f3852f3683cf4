"""What became of a decision, in Chinese: the sentences of its note."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "note.text": "{text:20000}",
    "note.late": "同一对象已有更新的请求，未做任何变更",
    "note.changed": "现状已与申请时不同，未做任何变更",
    "note.waits": "等待审批：sgguard approvals approve {approval}",
    "note.new-plan-waits": "已按最新现状重新发起审批：sgguard approvals approve {approval}",
    "note.denied": "已拒绝，未做任何变更",
    "note.expired": "已过期，无人审批，未做任何变更",
    "note.lapsed": "已同意，但未能在截止时间前开始执行，未做任何变更",
    "note.moved": "开始执行后现状已发生变化，未做任何变更，如仍需要请重新发起",
    "note.observing": "当前为观察模式，未做任何变更",
    "note.unasked": "当前须先审批，而此操作未经审批，未做任何变更，如仍需要请重新发起",
    "note.nothing-changed": "未做任何变更",
    "note.accepted": "已由 {who:2000} 按现状关闭",
    "note.bound": "共 {holders} 个资源："
    "新绑定 {done} 个，原已绑定 {nothing} 个，未能绑定 {refused} 个",
    "note.unbound": "共 {holders} 个资源："
    "新解绑 {done} 个，原未绑定 {nothing} 个，未能解绑 {refused} 个",
    "note.failed": "步骤失败：{step}——{why:9000}",
    "note.unknown-outcome": "结果未知：{step}——{how:9000}",
    "note.kept": "未回滚（其目标安全组已删除）：{step}",
    "note.not-undone": "未能回滚：{step}——{why:9000}",
    "note.deleted": "安全组 {group} 已删除",
    "why.named": "{groups:room=300} 的规则现在引用了它",
    "why.only-restore": "只能用 sgguard restore 重新创建",
    "why.changed-since": "此后已有其他改动：{how:9000}",
    "halted": "{by} 已紧急停止所有变更：{reason:2000}",
    "halted.policy": "策略文件停止了所有变更（halt = true）",
    "left.there": "安全组 {group} 未被删除，或已重新创建",
    "left.peer-gone": "{group} 的规则 {rule:80}：所引用的安全组 {peer} 已不存在",
    "left.group-gone": "规则 {rule:80}：所属的安全组 {group} 已不存在",
    "left.rule-gone": "{group} 的规则 {rule:80} 已不存在",
    "left.stays": "{group} 的规则 {rule:80} 保留：被它替换的规则还不能恢复",
    "left.with-peer": "{group} 的规则 {rule:80} 可能随 {peer} 一起恢复",
    "left.holder-gone": "{holder} 已不存在",
    "left.holder-bare": "{holder} 现在未绑定安全组",
    "left.holder-has": "{holder} 现在绑定的是 {groups:room=300}",
    "left.holder-has-gone": "{holder} 现在绑定的是 {groups:room=300}（{gone:room=200} 已不存在）",
    "note.lacking": "{new} 与原安全组 {old} 相比缺少：{lacking:room=9000}",
    "note.left-out": "未恢复：{what:9000}",
}
