"""What may stand in the files of the deployments: every key, from the vendors' documents.

A key that is not listed here is misspelt, or needs a look at the document that has it. Sources,
read 2026-11-28: the provider documents of tencentcloud (``website/docs/r``) and huaweicloud
(``docs/resources``), ``src/schema.json`` of devsapp/fc3, the CRDs of knative/serving,
knative/eventing and eventing-kafka-broker, Kubernetes' core/v1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shape = Mapping[str, Any]
"""Key and what is below it: a shape, a list with the shape of its items, a type, a set of values,
or None for anything. ``*`` is any key; ``!`` lists the keys that have to be there."""


def misfits(found: Any, shape: Any, at: str = "") -> Iterator[str]:
    """What of a document does not fit its shape, each with its place."""
    if isinstance(shape, Mapping):
        yield from _of_table(found, shape, at)
    elif isinstance(shape, list):
        if not isinstance(found, list):
            yield f"{at}: is no list"
            return
        for number, one in enumerate(found):
            yield from misfits(one, shape[0], f"{at}/{number}")
    elif isinstance(shape, set):
        if found not in shape:
            yield f"{at}: {found!r} is not one of {sorted(shape)}"
    elif shape is not None and type(found) is not shape:
        yield f"{at}: {found!r} is of another type"


def _of_table(found: Any, shape: Shape, at: str) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield f"{at}: is no table"
        return
    yield from (f"{at}: {key} is missing" for key in shape.get("!", ()) if key not in found)
    for key, below in found.items():
        if key not in shape and "*" not in shape:
            yield f"{at}/{key}: is not known"
        else:
            yield from misfits(below, shape.get(key, shape.get("*")), f"{at}/{key}")


# -- Terraform ---------------------------------------------------------------------------------

_ANY = dict.fromkeys(("count", "for_each", "depends_on", "provider", "lifecycle"))

TERRAFORM: Shape = {
    "terraform": [
        {
            "required_version": None,
            "required_providers": [
                {
                    "tencentcloud": {"source": None, "version": None},
                    "huaweicloud": {"source": None, "version": None},
                }
            ],
        }
    ],
    "variable": [
        {"*": {"type": None, "description": None, "default": None, "sensitive": None}},
    ],
    "locals": [{"*": None}],
    "provider": [{"tencentcloud": {"region": None}, "huaweicloud": {"region": None}}],
    "resource": [
        {
            "tencentcloud_cam_role": {
                "*": {**_ANY, "name": None, "document": None, "description": None},
            },
            "tencentcloud_cam_policy": {
                "*": {**_ANY, "name": None, "document": None, "description": None},
            },
            "tencentcloud_cam_role_policy_attachment": {
                "*": {**_ANY, "role_id": None, "policy_id": None},
            },
            "tencentcloud_scf_function": {
                "*": {
                    **_ANY,
                    "!": ("name", "handler", "runtime", "zip_file", "role", "timeout"),
                    **dict.fromkeys(("name", "handler", "runtime", "zip_file", "mem_size")),
                    **dict.fromkeys(("timeout", "role", "vpc_id", "subnet_id", "environment")),
                    **dict.fromkeys(("namespace", "func_type", "description", "tags")),
                }
            },
            "tencentcloud_scf_function_event_invoke_config": {
                "*": {
                    **_ANY,
                    "function_name": None,
                    "namespace": None,
                    "async_trigger_config": [
                        {"msg_ttl": None, "retry_config": [{"retry_num": None}]}
                    ],
                }
            },
            "tencentcloud_eb_event_rule": {
                "*": {
                    **_ANY,
                    **dict.fromkeys(("event_bus_id", "rule_name", "event_pattern")),
                    **dict.fromkeys(("description", "enable", "tags")),
                }
            },
            "tencentcloud_eb_event_target": {
                "*": {
                    **_ANY,
                    **dict.fromkeys(("event_bus_id", "rule_id", "type")),
                    "target_description": [{"resource_description": None}],
                }
            },
            "huaweicloud_identity_agency": {
                "*": {
                    **_ANY,
                    **dict.fromkeys(("name", "description", "delegated_service_name")),
                    "project_role": [{"project": None, "roles": None}],
                }
            },
            "huaweicloud_fgs_function": {
                "*": {
                    **_ANY,
                    "!": ("name", "app", "handler", "runtime", "code_type", "memory_size"),
                    **dict.fromkeys(("name", "app", "agency", "handler", "runtime", "code_type")),
                    **dict.fromkeys(("code_filename", "func_code", "memory_size", "timeout")),
                    **dict.fromkeys(("initializer_handler", "initializer_timeout", "user_data")),
                    **dict.fromkeys(("encrypted_user_data", "vpc_id", "network_id")),
                }
            },
            "huaweicloud_fgs_function_trigger": {
                "*": {**_ANY, "function_urn": None, "type": None, "event_data": None}
            },
        }
    ],
}

ENCODED: Mapping[str, Shape] = {
    "document": {
        "version": None,
        "statement": [{"action": None, "effect": None, "principal": {"service": None}}],
    },
    "event_pattern": {"source": [str], "type": [str]},
    "event_data": {"name": None, "operations": [str]},
}
"""What stands in ``jsonencode`` by the argument; variables of functions are compared apart."""

# -- Serverless Devs ---------------------------------------------------------------------------

_EVENTBRIDGE: Shape = {
    "!": (
        *("triggerEnable", "asyncInvocationType", "eventRuleFilterPattern"),
        *("eventSourceConfig", "eventSinkConfig", "runOptions"),
    ),
    "triggerEnable": bool,
    "asyncInvocationType": bool,
    "eventRuleFilterPattern": str,
    "eventSourceConfig": {"eventSourceType": {"Default"}, "eventSourceParameters": {}},
    "eventSinkConfig": {
        "deliveryOption": {"mode": {"event-driven"}, "eventSchema": {"CloudEvents"}}
    },
    "runOptions": {"mode": {"event-driven"}},
}
FC3: Shape = {
    "!": ("edition", "name", "access", "resources"),
    "edition": {"3.0.0"},
    "name": str,
    "access": str,
    "vars": {"region": str, "role": str},
    "resources": {
        "*": {
            "!": ("component", "props"),
            "component": {"fc3"},
            "props": {
                "!": ("region", "functionName", "runtime", "code"),
                "region": str,
                "functionName": str,
                "description": str,
                "runtime": {"custom.debian12", "python3.12", "custom-container"},
                "code": str,
                "handler": str,
                "cpu": float,
                "memorySize": int,
                "diskSize": {512, 10240},
                "timeout": int,
                "instanceConcurrency": int,
                "role": str,
                "logConfig": {"auto"},
                "customRuntimeConfig": {"command": [str], "args": [str], "port": int},
                "environmentVariables": {"*": str},
                "asyncInvokeConfig": {
                    "maxAsyncRetryAttempts": set(range(9)),
                    "maxAsyncEventAgeInSeconds": int,
                },
                "triggers": [
                    {
                        "!": ("triggerName", "triggerType", "triggerConfig"),
                        "triggerName": str,
                        "triggerType": {"eventbridge"},
                        "triggerConfig": _EVENTBRIDGE,
                    }
                ],
            },
        }
    },
}

# -- Kubernetes and Knative --------------------------------------------------------------------

_META: Shape = {
    "!": ("name",),
    "name": str,
    "labels": {"networking.knative.dev/visibility": {"cluster-local"}},
    "annotations": {
        "eventing.knative.dev/broker.class": {"Kafka"},
        "kafka.eventing.knative.dev/delivery.order": {"ordered", "unordered"},
    },
}
_REF: Shape = {
    "!": ("apiVersion", "kind", "name"),
    **dict.fromkeys(("apiVersion", "kind", "name", "namespace"), str),
}
_DELIVERY: Shape = {
    "retry": int,
    "backoffPolicy": {"exponential", "linear"},
    "backoffDelay": str,
    "timeout": str,
    "deadLetterSink": {"ref": _REF},
}
_FILTER: Shape = {
    "exact": {"*": str},
    "prefix": {"*": str},
    "suffix": {"*": str},
    "any": [{"exact": {"*": str}, "prefix": {"*": str}, "suffix": {"*": str}}],
}
_CONTAINER: Shape = {
    "!": ("name", "image", "securityContext", "resources"),
    "name": str,
    "image": str,
    "ports": [{"containerPort": int}],
    "env": [{"name": str, "value": str}],
    "envFrom": [{"secretRef": {"name": str}}],
    "resources": {
        "requests": {"cpu": str, "memory": str},
        "limits": {"cpu": str, "memory": str},
    },
    "readinessProbe": {"httpGet": {"path": str}},
    "securityContext": {
        "!": ("readOnlyRootFilesystem", "runAsNonRoot"),
        "allowPrivilegeEscalation": {False},
        "readOnlyRootFilesystem": {True},
        "runAsNonRoot": {True},
        "runAsUser": int,
        "capabilities": {"drop": [{"ALL"}]},
        "seccompProfile": {"type": {"RuntimeDefault"}},
    },
    "volumeMounts": [{"name": str, "mountPath": str, "readOnly": bool}],
}


def _kind(api: str, **below: Any) -> Shape:
    return {
        "!": ("apiVersion", "kind", "metadata"),
        "apiVersion": {api},
        "kind": str,
        "metadata": {**_META, "namespace": str},
        **below,
    }


KINDS: Mapping[str, Shape] = {
    "Namespace": _kind("v1"),
    "ServiceAccount": _kind("v1", automountServiceAccountToken=bool),
    "ConfigMap": _kind("v1", data={"*": str}),
    "Service": _kind(
        "serving.knative.dev/v1",
        spec={
            "template": {
                "metadata": {
                    "annotations": {
                        "autoscaling.knative.dev/min-scale": str,
                        "autoscaling.knative.dev/max-scale": str,
                        "autoscaling.knative.dev/target": str,
                    }
                },
                "spec": {
                    "serviceAccountName": str,
                    "containerConcurrency": int,
                    "timeoutSeconds": int,
                    "containers": [_CONTAINER],
                    "volumes": [
                        {
                            "name": str,
                            "configMap": {"name": str},
                            "emptyDir": {"medium": {"Memory"}, "sizeLimit": str},
                        }
                    ],
                },
            }
        },
    ),
    "Broker": _kind("eventing.knative.dev/v1", spec={"config": _REF, "delivery": _DELIVERY}),
    "Trigger": _kind(
        "eventing.knative.dev/v1",
        spec={
            "!": ("broker", "subscriber"),
            "broker": str,
            "filters": [_FILTER],
            "delivery": _DELIVERY,
            "subscriber": {"ref": _REF, "audience": str, "uri": str},
        },
    ),
    "KafkaSource": _kind(
        "sources.knative.dev/v1",
        spec={
            "!": ("bootstrapServers", "topics", "sink"),
            "consumerGroup": str,
            "bootstrapServers": [str],
            "topics": [str],
            "ordering": {"ordered", "unordered"},
            "sink": {"ref": _REF},
        },
    ),
    "KafkaSink": _kind(
        "eventing.knative.dev/v1alpha1",
        spec={
            "!": ("topic", "bootstrapServers"),
            "topic": str,
            "numPartitions": int,
            "replicationFactor": int,
            "bootstrapServers": [str],
            "contentMode": {"binary", "structured"},
        },
    ),
}
REFERENCES: Shape = {
    "!": ("nameReference",),
    "nameReference": [
        {
            "!": ("kind", "fieldSpecs"),
            "kind": {"ConfigMap"},
            "version": {"v1"},
            "fieldSpecs": [
                {
                    "!": ("path", "kind"),
                    "path": {"spec/template/spec/volumes/configMap/name"},
                    "group": {"serving.knative.dev"},
                    "version": {"v1"},
                    "kind": {"Service"},
                }
            ],
        }
    ],
}

KUSTOMIZATION: Shape = {
    "!": ("apiVersion", "kind", "resources"),
    "apiVersion": {"kustomize.config.k8s.io/v1beta1"},
    "kind": {"Kustomization"},
    "namespace": str,
    "resources": [str],
    "configurations": [str],
    "images": [{"name": str, "digest": str}],
    "configMapGenerator": [{"name": str, "files": [str], "behavior": {"replace"}}],
}
