"""Why an event cannot be taken, and why one of a cloud concerns nobody, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- an event, or what it asks for, as a whole ------------------------------------------------
    "unread.data": "事件的 data 不符合要求",
    "unread.format": "不支持此 Content-Type 的请求正文，应为 {right:2000}",
    "unread.content-type": "不支持此 Content-Type 的请求正文",
    "unread.body": "请求正文{problem:2000}",
    "unread.no-object": "请求正文不是 JSON 对象",
    "unread.bad-id": "事件的 id 无效",
    "unread.no-list": "批量事件须为 JSON 数组",
    "unread.batch-of": "一批 {events} 个事件过多，每批最多 {most} 个",
    "unread.batch": "一批中的事件过多，每批最多 {most} 个",
    "unread.other-type": "此处不处理此类型的事件，type 应为 {type:200}",
    "unread.no-cloudevent": "不是有效的 CloudEvent",
    "unread.none": "投递的内容中没有事件",
    "unread.inner": "投递的内容中，有一段文本不是 JSON",
    "unread.two-sources": "该事件同时符合两种来源的格式",
    "unread.no-source": "没有可以解析该事件的来源",
    "unread.not-whole": "疑似 {source} 的事件，但内容不完整",
    "unread.bulk-ports": "批量操作的 Neutron 端口超过 {most} 个，不予处理",
    "unread.no-region": "{text:silent}{source} 的事件不含区域，请设置 {names:room=400}",
    "unread.moving": "执行计划涉及的内容正由他人变更，请稍后再试",
    "unread.only-clouds": "此处只接收云平台自身的事件",
    "unread.targets": "这些安全组不能放在同一请求中判定",
    "unread.groups": "这些安全组不能放在同一请求中判定",
    "unread.address": "有一项不是安全组标识",
    "unread.callback": "回调地址：{why:2000}（要求：{right:2000}）",
    "unread.compressed": "不支持压缩的请求正文",
    "unread.too-large": "请求正文超过 {bytes} 字节",
    "unread.cut-off": "请求正文未能读取完整",
    "unread.paths": "可用的路径：{known:room=2000}；如网关在路径前加了前缀，请设置 {variable}",
    "unread.no-function": "没有此函数，可用的函数：{known:room=2000}",
    "unread.method": "不支持 {method:16}，请使用 {right}",
    # -- whose request it is ----------------------------------------------------------------------
    "caller.uncovered": (
        "调用方 {caller:200} 的身份证明不包含 ce- 开头的请求头，"
        "请以结构化模式（structured）发送 CloudEvent"
    ),
    "caller.not-permitted": "{what:200 field}超出策略允许调用方 {caller:200} 的范围",
    "caller.function": "调用方 {caller:200} 无权调用 {function}",
    "caller.budget": "调用方 {caller:200} 每分钟 {most} 次{what:field}的额度已用完",
    "unread.account-named": "{text:silent}此处的凭证属于账号 {here}，不是账号 {account}",
    "unread.account-nameless": (
        "{text:silent}此处凭证所属的账号未命名（{here}），不能按账号 {account} 查询"
    ),
    "unread.bind-may-not": "该调用方无权做任何变更",
    "unread.bind-none": "没有可以继续的绑定任务",
    "unread.bind-busy": "判定 {decision} 正在处理中",
    # -- addresses of groups ----------------------------------------------------------------------
    "address.form": (
        "{text:silent}“{given:200}”不是安全组标识，格式：provider:account:region:group-id"
        "（account 可为空），例如 tencent::ap-guangzhou:sg-5ua9adfv"
    ),
    "address.lacks": "{text:silent}“{given:200}”缺少 {part}，只有 account 可以为空",
    "address.provider": "{text:silent}“{given:200}”中的“{value:60}”不是云平台名称",
    "address.part": "{text:silent}“{given:200}”中的“{value:60}”不能用作 {part}",
    # -- why an event of a cloud concerns nobody --------------------------------------------------
    "ignored.foreign": "其他来源的 CloudEvent，与安全组无关",
    "ignored.product-event": "云产品事件，不是操作审计中的 API 调用",
    "ignored.other-call": "该调用不变更安全组，也不变更绑定关系",
    "ignored.refused-call": "调用失败，未做任何变更",
    "ignored.other-attribute": "变更的属性与安全组无关",
    "ignored.other-instance-event": "不是实例状态变化的事件",
    "ignored.other-state": "实例状态不是已创建或运行中",
    "ignored.subscription": "订阅确认消息，由运维人员确认",
    "ignored.other-service": "华为云其他服务的事件",
    "ignored.job": "任务已受理，以任务结果的 CTS 事件为准",
    "ignored.unknown-port": "无法确认该 Neutron 端口属于实例",
    "ignored.other-port": "该 Neutron 端口不属于实例",
    "ignored.notification": "该通知与安全组和实例创建无关",
    "ignored.start": "只表示请求已提交，是否完成以 .end 结尾的事件为准",
    "ignored.failed": "操作失败，未产生绑定关系",
    "ignored.port-gone": "Neutron 端口已删除，不再绑定安全组",
}
