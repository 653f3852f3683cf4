"""What an event of a cloud meant, and what a delete broke, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "event.other-kind": "此函数不处理此类事件（{kind}）",
    "event.fresh": "每次判定都会重新查询规则和安全组，没有缓存需要刷新",
    "event.other-account": "事件发生在其他账号，不是此处凭证所属的账号",
    "event.long-ago": "事件发生在一天以前，未做任何变更",
    "event.ahead": "事件时间晚于当前时间，未做任何变更",
    "event.not-held": "调用返回 {code}，不足以说明安全组仍有占用，不做任何变更",
    "event.own-attempt": "判定 {decision} 刚刚尝试解除占用，未成功，不做任何变更",
    "event.interfaces-only": "事件中只有弹性网卡，云平台未返回其所属实例",
    "event.no-timer": "此处没有由定时器触发的任务",
    "after.unkept": "没有保存过该安全组的判定，此前的引用和绑定情况未知",
    "after.gap": "{what:kind}：{why:700}",
    "after.gap-before": "删除前也未查到：{what:kind}",
    "after.other-account": "账号 {account} 的 {group}：此处无法读取其规则",
    "after.referrer-gone": "引用它的 {group} 也已不存在，或当前凭证无权查看",
    "after.rules": "{group} 的规则：{why:700}",
    "after.holder": "{holder}：{why:700}",
    "after.holder-unreadable": "{holder}：此处无法读取其安全组",
    "after.there": "{group:200} 仍然存在：事件已过时，或安全组已重新创建",
    "after.broken": "{group:200} 已删除：{broken:room=700 apart}",
    "after.vanished": "其他安全组的 {n} 条规则随之消失",
    "after.dangling": "{n} 条规则成为悬空引用，不再匹配任何流量",
    "after.bare": "{n} 个资源已没有安全组",
    "after.doubtful": "{group:200} 已删除，其影响未能全部查明",
    "after.intact": "{group:200} 已删除，此前引用或绑定它的资源未受影响",
}
