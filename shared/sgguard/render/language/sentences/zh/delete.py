"""The reasons of the delete guard, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "delete.default-group": "{group} 是所在项目的默认安全组，不能删除。",
    "delete.cloud-managed": "{group} 由 {owner:60} 托管，请在该云产品中删除。",
    "delete.protected": "策略禁止删除 {group}（delete.protected: {pattern}）。",
    "delete.protected.maybe": (
        "策略可能禁止删除 {group}（delete.protected: {pattern}）：未查到其名称，无法排除。"
    ),
    "delete.referenced": {
        "other": "{groups:of=other-group}的 {n:of=rule}引用了 {group}："
        "{holders:rest short 44}。{then}",
    },
    "delete.then.guard": "直接删除时，{guard:60} 会阻止（{code:40}）。",
    "delete.then.refused": "仍被引用时不能删除。",
    "delete.then.refused-with": "直接删除会失败（{code:40}）。",
    "delete.then.unknown": "直接删除可能失败，也可能连带删除这些规则且不提示。",
    "delete.cascade": (
        "若删除 {group}，云平台会连带删除 {groups:of=group}的 {n:of=rule}且不提示："
        "{holders:rest short 44}。"
    ),
    "delete.referenced.still": (
        "{group:48} 仍被 {holders:rest short 44} 引用；引用方虽在本次请求中，但自身不能删除。"
    ),
    "delete.referenced.circle": (
        "{group:48} 与 {holders:rest short 44} 循环引用，且查不到应先删除哪条规则。"
    ),
    "delete.within": (
        "引用 {group:48} 的只有同一请求中先于它删除的安全组：{holders:rest short 44}。"
    ),
    "delete.within.circle": "{group:40} 处于循环引用中（{circle:rest}），需先删除互相引用的规则。",
    "delete.bound": (
        "{group} 仍绑定在以下资源上：{kinds:room=80}（{holders:rest short 44}）。{refusal}"
    ),
    "delete.bound.short": "{group} 仍绑定在以下资源上：{kinds:room=80}。{refusal}",
    "delete.bound.refusing": "其中{who:40} 目前不能变更：{why:80}。",
    "delete.bound.refusing-more": {
        "other": "其中{who:40}（另有 {n} 个）目前不能变更：{why:80}。",
    },
    "delete.free": (
        "{group:48} 未发现占用（范围：{reach}）：{who}的入方向、出方向规则都没有引用它，"
        "也没有资源绑定它{blind}。"
    ),
    "delete.blind": "（另有 {n} 项查询盲区）",
    "who.another": "其他安全组",
    "who.staying": "保留的安全组",
    "reach.seen": "已查到的部分",
    "reach.project": "本项目可见的部分",
    "reach.account": "本账号",
    "reach.cloud": "整个云",
}
