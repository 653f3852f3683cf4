"""What no call of a cloud tells, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "spot.tencent-templates": (
        "腾讯云不统计引用该安全组的启动模板和伸缩配置，此处也未查询：请一并核对，日后由其创建的"
        "实例仍需要该安全组。"
    ),
    "spot.tencent-locked": (
        "安全组是否已锁定、删除是否需要审批，只有执行删除时才能知道（"
        "UnsupportedOperation.LockedResources、MemberApprovalApplication）。"
    ),
    "spot.tencent-cam": (
        "按标签或资源授权的 CAM 策略可能使列表只返回一部分且不报错：绑定的资源和引用关系已与该"
        "安全组的统计数核对，但没有接口能证明统计数覆盖整个账号。"
    ),
    "spot.dfw-products": (
        "API 2.0 只列出实例和弹性网卡：绑定该安全组的负载均衡、云数据库等产品查不到（tencent 可"
        "统计）。"
    ),
    "spot.dfw-templates": ("API 2.0 没有接口列出引用该安全组的启动模板和伸缩配置。"),
    "spot.dfw-cam": (
        "按标签或资源授权的 CAM 策略可能使列表只返回一部分且不报错，而 API 2.0 没有可供核对的资"
        "源数。"
    ),
    "spot.huawei-templates": ("弹性伸缩配置和启动模板中保存的安全组 ID 查不到。"),
    "spot.huawei-products": ("云数据库等产品只在运行时以 Neutron 端口的形式出现。"),
    "spot.huawei-eps": (
        "无权查看的企业项目中的规则，在没有 v1 配额接口或规则超过 4000 条时查不到。"
    ),
    "spot.huawei-iam": ("带条件的身份策略所隐藏的弹性网卡查不到。"),
    "spot.huawei-shared": ("其他账号对共享 VPC 或共享安全组的使用查不到。"),
    "spot.huawei-fresh": ("最近几秒内创建的资源可能尚未出现。"),
    "spot.openstack-projects": (
        "项目的令牌看不到其他项目的规则和 Neutron 端口，通常也无从得知其是否存在。"
    ),
    "spot.openstack-policy": ("云平台自己的策略文件可能允许令牌查看安全组，却隐藏其共享策略。"),
    "spot.openstack-building": ("正在创建的实例要到 Neutron 端口建立后才显示所绑定的安全组。"),
    "spot.openstack-services": (
        "Heat、Magnum、Senlin 和 Trove 在模板中保存安全组 ID 或名称，Neutron 端口上看不到。"
    ),
    "spot.openstack-defaults": (
        "新建安全组的默认规则（default-security-group-rules）可能引用该安全组。"
    ),
    "spot.alibaba-protection": (
        "删除保护（ACK 集群的安全组）无法查询：此时删除会失败（"
        "InvalidOperation.DeletionProtection）。"
    ),
    "spot.alibaba-templates": (
        "启动模板、伸缩配置和节点池引用安全组但不绑定；ECS 不返回有哪些引用，删除后由其创建的实"
        "例会失败。"
    ),
    "spot.alibaba-whitelists": (
        "RDS、Redis、PolarDB 等产品的白名单可能引用安全组，只能在这些产品中查看。"
    ),
    "spot.alibaba-ram": (
        "按标签或资源组授权的 RAM 策略只返回一部分资源。未查到绑定资源的安全组，已与其私网 IP 数"
        "核对；如果只遗漏了个别资源，或云平台不统计，则无法发现，此时 DeleteSecurityGroup 会报错。"
    ),
    "spot.launch-interfaces": ("每台待创建的实例按一张弹性网卡计数，更多的弹性网卡也需要余量。"),
    "spot.launch-templates": ("启动模板所加的安全组，只有在请求中写明时才会检查。"),
}
