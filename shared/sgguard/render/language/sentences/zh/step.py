"""The steps of plans, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "thing.any": "全部协议",
    "thing.ingress": "入方向",
    "thing.egress": "出方向",
    "traffic.from": "{traffic:kind}，来源 {group}",
    "traffic.to": "{traffic:kind}，目的 {group}",
    "holder.named": "{kind:kind} {holder}",
    "holder.part": "实例 {instance} 的{kind:kind} {holder}",
    "holder.every-planned": "待创建的每台实例",
    "plan.revoke": "删除 {holder} 的{way:kind}规则 {rule}（{traffic}）",
    "plan.put-back": "把{way:kind}规则 {rule}（{traffic}）加回 {holder}",
    "plan.rewrite": "改写 {holder} 的{way:kind}规则 {rule}（{traffic}）：改为引用 {group}",
    "plan.rewrite-back": "改写 {holder} 的{way:kind}规则 {rule}（{traffic}）：改回引用 {group}",
    "plan.unbind": "解绑安全组 {group:60}：{holder}",
    "plan.bind": "绑定安全组 {group:60}：{holder}",
    "plan.bind-again": "重新绑定安全组 {group:60}：{holder}",
    "plan.move": "从 {group:60} 换绑到 {new}（先绑后解）：{holder}",
    "plan.move-back": "换绑回 {group:60}：{holder}",
    "plan.replace": "将全部安全组替换为 {group}：{holder}",
    "plan.replace-back": "恢复原有的安全组（{groups:rest}）：{holder}",
    "plan.replace-back.none": "恢复为未绑定安全组：{holder}",
    "plan.delete": "删除安全组 {group}",
    "plan.delete-forced": "强制删除安全组 {group}（云平台会同时从实例解绑）",
    "plan.create": "重新创建安全组 {group}（ID 会变）",
    "plan.create-without": "重新创建安全组 {group}（ID 会变，无法恢复：{lost:rest}）",
    "plan.restore-rule": "恢复 {group} 的规则 {rule}",
    "plan.clear-place": "删除 {group} 中占用其位置的规则 {rule}",
    "plan.restore-groups": "恢复原有的安全组（{groups:rest}）：{holder}",
    "plan.take-back": "回滚：{step}",
    "plan.lacking": "{step}；恢复时会缺少：{lacking:rest}",
    "lost.name": "名称（未查到）",
    "lost.tags": "标签（未查到）",
    "lost.sharing": "共享对象（未查到）",
}
