"""``kubectl`` of a cluster with Knative: manifests, secrets, tokens, and a broker that delivers.

``kubectl kustomize`` itself makes the manifests. The dispatcher obeys what the trigger says: its
filters, the audience of its subscriber, and the service account of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.platforms import cluster, image, state

Json = dict[str, Any]
REAL = "/usr/bin/kubectl"
NAMESPACE = "sgguard"
_BROKER = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/sgguard/clouds"
_AUDIENCE = "eventing.knative.dev/broker/sgguard/clouds"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PORT = 8080
_ASK = ("ask", "--rm", "-i", "--restart=Never", "--image=curlimages/curl", "--")


def kubectl(words: list[str]) -> None:
    """One command of the page."""
    match words:
        case ["create", "namespace", name]:
            state.keep("namespace", name)
        case ["-n", "knative-eventing", "patch", "configmap", "config-features", "-p", text]:
            if yaml.safe_load(text) != {"data": {"authentication-oidc": "enabled"}}:
                raise state.refuse(text)
            state.keep("oidc", "enabled")
        case ["apply", "-k", folder]:
            _apply(folder)
        case ["-n", name, *rest] if name == state.kept("namespace"):
            _in_namespace(rest)
        case _:
            raise state.refuse(f"kubectl {words}")


def _in_namespace(words: list[str]) -> None:
    match words:
        case ["create", "secret", "generic", name, source]:
            option, _, file = source.partition("=")
            if option != "--from-env-file":
                raise state.refuse(source)
            rows = Path(file).read_text().splitlines()
            state.keep(f"secrets/{name}", dict(one.split("=", 1) for one in rows))
        case ["get", "broker", "clouds", "-o", form]:
            fields = {"url": _BROKER, "audience": _AUDIENCE}
            told = {f"jsonpath={{.status.address.{one}}}": v for one, v in fields.items()}
            if form not in told:
                raise state.refuse(form)
            print(told[form])
        case ["create", "token", account, "--audience", audience]:
            known = {"default", *(one["metadata"]["name"] for one in _kinds("ServiceAccount"))}
            if account not in known:
                raise state.refuse(f"no service account {account}")
            print(cluster.token(f"{NAMESPACE}:{account}", audience))
        case ["run", *rest] if tuple(rest[: len(_ASK)]) == _ASK:
            _ask(rest[len(_ASK) :])
        case ["logs", "-l", "serving.knative.dev/service=cloud-event"]:
            print((state.STATE / f"log-{_PORT}").read_text())
        case _:
            raise state.refuse(f"kubectl {words}")


def _kinds(kind: str) -> list[Json]:
    return [one for one in state.kept("manifests") if one["kind"] == kind]


def _apply(folder: str) -> None:
    made = subprocess.run([REAL, "kustomize", folder], capture_output=True, text=True, check=True)
    state.keep("manifests", list(yaml.safe_load_all(made.stdout)))
    (service,) = _kinds("Service")
    spec = service["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    name, _, digest = container["image"].partition("@")
    if digest.strip("0") == "sha256:":
        raise state.refuse(f"there is no image {container['image']}")
    env = {one["name"]: one["value"] for one in container["env"]}
    for source in container["envFrom"]:
        env |= state.kept(f"secrets/{source['secretRef']['name']}")
    for volume in spec["volumes"]:
        if "configMap" in volume:
            (mount,) = [m for m in container["volumeMounts"] if m["name"] == volume["name"]]
            (kept,) = [
                one
                for one in _kinds("ConfigMap")
                if one["metadata"]["name"] == volume["configMap"]["name"]
            ]
            for file, text in kept["data"].items():
                place = Path(mount["mountPath"], file)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
    _ACCOUNT.mkdir(parents=True, exist_ok=True)
    (_ACCOUNT / "token").write_text(cluster.OF_SERVICE_ACCOUNT)
    (_ACCOUNT / "ca.crt").write_text(Path(state.kept("config")["certificate"]).read_text())
    image.run(name, env, container["ports"][0]["containerPort"])


def _ask(words: list[str]) -> None:
    """Take an event as the broker does, and deliver it as the trigger says."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("url")
    parser.add_argument("-H", action="append")
    parser.add_argument("-d")
    asked = parser.parse_args(words)
    headers = {n.lower(): v for n, _, v in (one.partition(": ") for one in asked.H)}
    if (asked.url, asked.d) != (_BROKER, "@-"):
        raise state.refuse(f"{asked.url} -d {asked.d}")
    scheme, _, token = headers.pop("authorization", "").partition(" ")
    if state.kept("oidc") and scheme != "Bearer":
        raise state.refuse("401")
    cluster.subject(token, _AUDIENCE)
    if missing := {"ce-specversion", "ce-id", "ce-source", "ce-type"} - set(headers):
        raise state.refuse(f"400: {missing}")
    (trigger,) = _kinds("Trigger")
    (one,) = trigger["spec"]["filters"]
    if not any(_fits(headers["ce-type"], f) for f in one["any"]):
        raise state.refuse(f"no trigger takes {headers['ce-type']}")
    account = f"{NAMESPACE}:cloud-event-oidc-eventing.knative.dev-trigger"
    signed = cluster.token(account, trigger["spec"]["subscriber"]["audience"])
    headers["authorization"] = f"Bearer {signed}"
    sent = urllib.request.Request(
        f"http://127.0.0.1:{_PORT}/", sys.stdin.buffer.read(), headers, method="POST"
    )
    try:
        with urllib.request.urlopen(sent, timeout=60) as answer:
            state.keep("delivered", answer.status)
    except urllib.error.HTTPError as error:
        raise state.refuse(f"{error.code} {error.read().decode()}") from None


def _fits(value: str, one: Json) -> bool:
    ((kind, wanted),) = one.items()
    return value == wanted["type"] if kind == "exact" else value.startswith(wanted["type"])
