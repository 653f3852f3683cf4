"""What a plain delete would do now, and why, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "fate.hidden": "其他项目的规则和 Neutron 端口（如有）不可见",
    "fate.malformed": "ID 格式错误，云平台不接受",
    "fate.absent": "当前凭证下没有该安全组",
    "fate.foreign": "它属于其他项目",
    "fate.read-only": "当前凭证只有只读权限",
    "fate.carried": "仍有资源绑定它",
    "fate.named": "其他安全组的规则引用了它",
    "fate.carried-and-named": "仍有资源绑定它，其他安全组的规则也引用了它",
    "fate.guarded": "{why}；{guard:60} 会阻止删除",
    "fate.either": "{why}；两种原因的错误码都是 {code:40}",
    "fate.uncoded": "{why}；官方文档未写明错误码",
    "fate.default": "它是默认安全组",
    "fate.managed": "它由云产品托管",
    "fate.lost": {"other": "{groups:of=group}的 {n:of=rule}会连带删除且不提示"},
    "fate.lost-and-hidden": {
        "other": "{groups:of=group}的 {n:of=rule}会连带删除且不提示；"
        "其他项目的规则和 Neutron 端口（如有）不可见",
    },
    "fate.unseen": "信息未查全（{what:60 kind}）",
    "fate.managed-unknown": "官方文档未写明其他云产品的安全组能否删除",
    "fate.undocumented": "官方文档未写明只是被引用的安全组会删除失败还是连带删除规则",
    "fate.depends": "取决于同一请求中引用它的安全组的结果",
}
