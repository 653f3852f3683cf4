"""What could not be seen, and groups that are not there, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "thing.project": "项目",
    "thing.account": "账号",
    "thing.cloud": "云",
    "thing.alibaba": "阿里云",
    "thing.huawei": "华为云",
    "thing.openstack": "OpenStack",
    "thing.tencent": "腾讯云",
    "thing.tencent-dfw": "腾讯云 API 2.0",
    "place.region": "{provider:kind} {region:30}",
    "group.malformed": "“{text:60}”不是安全组 ID（{provider:kind}），正确格式如 {example:60}。",
    "group.not-found": "{place:50} 中找不到安全组 {group:60}：它不存在，或当前凭证无权查看。",
    "gap.unasked": "未能查询云平台：{why:rest}",
    "gap.unseen": "{about}：信息未查全：{what:60 kind}（{code:kind}：{why:rest}）。{then}",
    "gap.to-see-it": "{remedy:80}。",
    "gap.tolerated": "策略允许此缺口（tolerate_unseen: {code:30}）。",
    "gap.visibility": "策略要求可见范围为{required:kind}（{guard}.require_visibility），"
    "当前凭证只能看到一个{visible:kind}。{remedy}。",
}
