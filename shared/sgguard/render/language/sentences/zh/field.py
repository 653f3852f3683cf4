"""Words for fields of events, types and scripts, by their English, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- what a policy permits a caller -----------------------------------------------------------
    "field.the event's source or type": "事件来源或类型",
    "field.what a timer starts": "定时任务",
    "field.a target": "安全组或实例",
    "field.who called the cloud": "云平台操作人",
    "field.requested_by": "申请人（requested_by）",
    "field.decisions": "判定",
    "field.cloud calls": "云平台调用",
    # -- types of JSON ----------------------------------------------------------------------------
    "field.an object": "对象",
    "field.a list": "数组",
    "field.a text": "字符串",
    "field.a whole number": "整数",
    "field.a number": "数字",
    "field.true or false": "布尔值",
    "field.null": "空值",
    # -- scripts ----------------------------------------------------------------------------------
    "field.Latin": "拉丁字母",
    "field.Cyrillic": "西里尔字母",
    "field.Greek": "希腊字母",
    "field.Cjk": "汉字",
    "field.Hiragana": "平假名",
    "field.Katakana": "片假名",
    "field.Hangul": "谚文",
    "field.Bopomofo": "注音符号",
    "field.Arabic": "阿拉伯字母",
    "field.Hebrew": "希伯来字母",
    "field.Armenian": "亚美尼亚字母",
    "field.Thai": "泰文",
    "field.Devanagari": "天城文",
    "field.Georgian": "格鲁吉亚字母",
    "field.Tamil": "泰米尔文",
    # -- fields, by what their schema says of them ------------------------------------------------
    "field.1 to 1000 groups to delete together, all of one provider, account and region, "
    "none twice": ("1 到 1000 个一起删除的安全组，须属于同一云平台、账号和地域，且不重复"),
    "field.Data of a sgguard.delete.requested.v1 event: a security group, or several "
    "together, are to be deleted.": (
        "sgguard.delete.requested.v1 事件的 data：要删除的一个或一批安全组"
    ),
    "field.an address of https that is told the decision and every change of its outcome; "
    "the policy permits its host": ("接收判定及其后续结果的 https 地址，主机须为策略所允许"),
    "field.provider:account:region:group-id (the account may be empty), such as "
    "tencent::ap-guangzhou:sg-5ua9adfv": (
        "provider:account:region:group-id（account 可为空），例如 tencent::ap-guangzhou:sg-5ua9adfv"
    ),
    "field.who asks, for the record: a text of 1 to 256 characters, none of them a control "
    "character": ("申请人，用于记录：1 到 256 个字符的字符串，不含控制字符"),
    "field.Data of a sgguard.launch.requested.v1 event: instances are about to be launched "
    "with these groups, or an instance exists already.": (
        "sgguard.launch.requested.v1 事件的 data：使用这些安全组创建的实例，或已有的实例"
    ),
    "field.a group's id, such as sg-5ua9adfv": "安全组 ID，例如 sg-5ua9adfv",
    "field.a provider's name, such as tencent": "云平台名称，例如 tencent",
    "field.how many instances are launched, 1 to 1000000": "创建的实例数，1 到 1000000",
    "field.the account's name; empty or absent for the configured one": (
        "账号名称；为空或不填时使用已配置的账号"
    ),
    "field.the cloud's own name of the region, such as ap-guangzhou": (
        "云平台的地域名称，例如 ap-guangzhou"
    ),
    "field.the existing instance's id, such as ins-7oerc1kr": "已有实例的 ID，例如 ins-7oerc1kr",
    "field.the network (VPC) of the planned instances": "待创建实例所属的网络（VPC）",
    "field.the project of the planned instances": "待创建实例所属的项目",
    "field.up to 100 ids of the groups the planned instances get, or that would be bound to "
    "the existing instance in addition": (
        "最多 100 个安全组 ID：待创建实例使用的安全组，或要为已有实例增加绑定的安全组"
    ),
    "field.1 to 100000 ids of instances, interfaces or ports; one that comes twice counts once": (
        "1 到 100000 个实例、弹性网卡或 Neutron 端口的 ID，重复的只计一次"
    ),
    "field.Data of a sgguard.bind.requested.v1 event: a group is to be put on many holders, "
    "or taken off them.": (
        "sgguard.bind.requested.v1 事件的 data：将一个安全组绑定到多个资源，或从多个资源解绑"
    ),
    "field.a pattern over names, such as web-*": "名称的匹配模式，例如 web-*",
    "field.a tag, key=value or a key": "标签：key=value，或只写 key",
    "field.bind puts the group on the holders, unbind takes it off; bind without it": (
        "bind 为绑定，unbind 为解绑；不填时为 bind"
    ),
    "field.further holders: all that fit every key given": "更多资源：符合全部所填条件的资源",
    "field.how many holders it changes": "要变更的资源数",
    "field.how many of its holders were over then": "当时已处理的资源数",
    "field.instead of holders: go on with a bind that was handed on; the function sends this "
    "itself": ("继续已移交的绑定任务，不与资源列表同时提供；由函数自身发送"),
    "field.the address of the group, such as tencent::ap-guangzhou:sg-5ua9adfv": (
        "安全组标识，例如 tencent::ap-guangzhou:sg-5ua9adfv"
    ),
    "field.the id of a group that they carry": "这些资源已绑定的一个安全组的 ID",
    "field.the id of a network": "网络 ID",
    "field.the id of the decision": "判定 ID",
    "field.Data of a sgguard.approvals.due.v1 event, sent by a cron trigger: close the "
    "approvals that expired and say which pending ones are worth a reminder. It says nothing "
    "itself.": ("sgguard.approvals.due.v1 事件的 data，由定时触发器发送，无需填写"),
    "field.Data of a sgguard.chat.post.v1 event: send the message of a decision to the "
    "channels that its routes name. Callbacks of chat channels come to the same address.": (
        "sgguard.chat.post.v1 事件的 data：将判定的消息发送到路由指定的渠道"
    ),
    "field.the id of a decision that is kept: a text of 1 to 128 characters, none of them a "
    "control character": ("已保存判定的 ID：1 到 128 个字符的字符串，不含控制字符"),
}
