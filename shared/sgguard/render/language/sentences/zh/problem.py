"""Why a request, a link or a click is refused, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- approval requests and their links -------------------------------------------------------
    "approval.none": "审批单 {approval:80} 不存在",
    "approval.unlisted": "{name:60} 不在审批人名单中（approval.approvers），不能审批",
    "approval.nameless": "未注明姓名的人不在审批人名单中（approval.approvers），不能审批",
    "approval.requester-unknown": "未注明申请人，可能就是审批人本人：请在事件中填写 requested_by，"
    "或设置 approval.may_approve_own",
    "approval.own": "{name:60} 是申请人，不能审批自己的申请（approval.may_approve_own）",
    "approval.approved": "{name:60} 已于 {at} 同意",
    "approval.approved-and": "{name:60} 已于 {at} 同意，结果：{outcome:kind}",
    "approval.approved-changed": "{name:60} 已同意，但现状已与申请时不同，未做任何变更；"
    "新的审批单是 {approval}",
    "approval.denied": "{name:60} 已于 {at} 拒绝",
    "approval.superseded": "现状已与申请时不同，未做任何变更",
    "approval.superseded-by": "现状已与申请时不同，未做任何变更；新的审批单是 {approval}",
    "approval.expired": "审批单已于 {at} 过期，如仍需要请重新发起",
    "approval.busy": "正在执行，请稍后再试",
    "approval.busy-by": "{name:60} 已同意，正在执行，请稍后再试",
    "approval.stays-open": "{why:2000}；审批单保持待审批",
    "approval.observing": "当前为观察模式，不做任何变更；审批单保持待审批",
    "approval.incomplete": "{why:2000}审批单保持待审批。",
    "approval.incomplete-bind": "信息未查全；审批单保持待审批",
    "approval.meanwhile": "该审批单刚刚已有结果",
    "approval.withdrawn": "未开始执行：{why:2000}；未做任何变更，如仍需要请重新发起",
    "thing.remediated": "已执行",
    "thing.undone": "已回滚",
    "thing.partly-undone": "部分回滚",
    "thing.unfinished": "未完成",
    "thing.accepted": "已人工关闭",
    "thing.superseded": "已失效",
    "thing.refused": "已拒绝",
    "link.expired": "链接已过期，请重新获取审批链接",
    "link.invalid": "链接无效，请获取新链接",
    "link.other-facts": "现状已与生成此链接时不同，请获取新链接",
    "link.no-token": "提交的内容不完整，请从链接重新打开页面",
    # -- events and messages ---------------------------------------------------------------------
    "event.busy": "同一事件正由另一个进程处理",
    "event.other-content": "同一来源已有 ID 为 {event:200} 的事件，且内容不同："
    "新的请求须使用新的 ID",
    "decision.unfinished": "{why:2000}；判定 {decision} 尚未完成",
    "chat.unsigned": "没有渠道为此请求签名",
    "chat.unreadable": "回调无法解析",
    "chat.no-decision": "判定不存在",
    "chat.sending": "此消息正由另一个进程发送",
    "chat.waits": "消息待发：{why:400}",
    "chat.too-wide": "消息超出渠道的长度上限",
    "chat.acting": "该申请正在处理中",
    # -- restores --------------------------------------------------------------------------------
    "restore.none": "判定 {decision:80} 不存在，可用 sgguard decisions list 查看",
    "restore.nothing": "判定 {decision} 未做任何变更，无需恢复",
    "restore.unfinished": "判定 {decision} 尚未完成，请先执行 sgguard resume {decision}",
    "restore.undone": "判定 {decision} 已回滚，无需恢复",
    "restore.bind": "判定 {decision} 绑定了安全组，请用 sgguard undo {decision} 回滚",
    "restore.moving": "判定 {decision} 所删除的内容一直在变化，请稍后再试",
    "restore.busy": "判定 {decision} 正在恢复中",
    "restore.too-often": {"other": "判定 {decision} 已恢复 {n} 次，均未成功"},
    "restore.exists": "{group} 未被删除，或已重新创建",
    "restore.twin": "{twins:room=2000}：可能已有人手工重建。如仍要另建一个，请用命令行加 --twin",
    "restore.namesake": "{group} 与原来的 {before} 同名（{name}）",
    "restore.used": "此按钮或链接已使用过：判定 {decision} 的恢复已由它开始",
    "restore.over": "恢复判定 {decision} 的按钮或链接已于 {at} 过期，"
    "请用 sgguard restore {decision}",
    "restore.changed": "情况已变：判定 {decision} 在此之后已恢复过，或已尝试恢复",
    "restore.unlisted": "{name:60} 不在审批人名单中（approval.approvers），不能恢复",
}
