"""Why something is not at its end, and what will happen to it, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "open.held": "正由一个进程处理",
    "open.held-next": "由该进程完成；若到 {at} 仍未完成，请执行 sgguard resume {decision}",
    "open.unreadable": "{text:silent}保存的执行计划、快照或执行记录由其他版本的 sgguard 写入，"
    "此版本无法识别",
    "open.unreadable-next": "此处不会继续执行；如需按现状关闭，"
    "请执行 sgguard resume {decision} --accept",
    "open.unreachable": "{text:silent}此处无法访问该云：配置或凭证不可用"
    "（可用 sgguard doctor 检查）",
    "open.unreachable-next": "先修正配置，再执行 sgguard resume {decision}；如需按现状关闭，"
    "请执行 sgguard resume {decision} --accept",
    "open.stopped-next": "解除紧急停止前不会继续；如需按现状关闭，"
    "请执行 sgguard resume {decision} --accept",
    "open.stuck": "部分步骤未能回滚：{note:9000}",
    "open.stuck-next": "先排除原因，再执行 sgguard resume {decision}；如需按现状关闭，"
    "请执行 sgguard resume {decision} --accept",
    "open.bind": "执行进程中断，已处理 {over}/{n} 个资源",
    "open.bind-next": "重新投递该事件或执行 sgguard resume {decision} 后继续",
    "open.run": "执行进程中断，已完成 {made}/{n} 项变更",
    "open.run-next": "重新投递该事件或执行 sgguard resume {decision} 后继续完成，无法完成则回滚",
    "open.restore-next": "再次恢复或执行 sgguard resume {decision} 后继续完成，无法完成则回滚",
    "open.approved": "{who:60} 已同意，但进程在开始执行前中断",
    "open.approved-next": "执行 sgguard resume {decision} 后核对现状并开始执行；"
    "{at} 起由定时任务关闭",
    "open.unkept-question": "进程中断，判定未能保存",
    "open.asks-anew": "重新投递该事件后会重新发起审批；此审批单于 {at} 过期",
    "open.late": "已过截止时间，无人审批",
    "open.late-next": "由定时任务关闭，或在有人点击时关闭",
    "open.asked": "{who:60} 已申请，等待审批",
    "open.asked-by-nobody": "已申请（未注明申请人），等待审批",
    "open.asked-next": "执行 sgguard approvals approve {approval} 同意，"
    "或用 sgguard approvals deny 拒绝；于 {at} 过期",
    "open.unkept": "变更已结束（{state:kind}），但进程在保存判定前中断",
    "open.unkept-next": "执行 sgguard resume {decision} 补记结果",
    "open.unbegun": "进程在执行第一项变更前中断，未做任何变更",
    "open.unbegun-next": "重新投递该事件后会重新判定；如需关闭，"
    "请执行 sgguard resume {decision} --accept",
    "open.unheard": "审批单{state:kind}，但进程在更新判定前中断",
    "open.unheard-next": "由定时任务补记，或在有人点击时补记",
    "open.event": "未能判定，或进程中断；未做任何变更",
    "open.event-next": "重新投递后会判定；若不再投递，{days} 天后清除",
    "open.event-held-next": "由该进程判定；若到 {at} 仍未完成，由下一次投递接手",
    "thing.finished": "已完成",
    "thing.stuck": "部分未能回滚",
    "thing.denied": "已拒绝",
    "thing.expired": "已过期",
}
