"""Terraform as far as functions go, and ``tccli scf Invoke`` for those of Tencent Cloud."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.deploy import terraform as hcl
from tests.deploy.platforms import state

Json = dict[str, Any]
_PROVIDERS = {"tencentcloudstack/tencentcloud", "huaweicloud/huaweicloud"}
_FUNCTIONS = {"tencentcloud_scf_function": "tencent", "huaweicloud_fgs_function": "functiongraph"}
_FILES = re.compile(r'\bfile\("\$\{path\.module\}/([\w.-]+)"\)')
_PAIRS = re.compile(r'\b([A-Z][A-Z0-9_]+) *= *("[^"]*"|var\.\w+)')


def terraform(words: list[str]) -> None:
    """``init``, then ``apply`` with every variable that has no default."""
    text = Path("main.tf").read_text()
    found = hcl.read(text)
    if problems := hcl.unknown(text):
        raise state.refuse("; ".join(problems))
    match words:
        case ["init"]:
            (one,) = found["terraform"][0]["required_providers"]
            if unknown := {given["source"] for given in one.values()} - _PROVIDERS:
                raise state.refuse(f"no provider {unknown}")
            Path(".terraform").mkdir(exist_ok=True)
        case ["apply", *rest]:
            if not Path(".terraform").is_dir():
                raise state.refuse("terraform init comes first")
            _apply(text, found, _variables(found, rest))
        case _:
            raise state.refuse(f"terraform {words}")


def _variables(found: Json, words: list[str]) -> Json:
    declared = {name: one for row in found["variable"] for name, one in row.items()}
    given: Json = {}
    for option, text in zip(words[::2], words[1::2], strict=True):
        name, sign, value = text.partition("=")
        if option != "-var" or not sign or name not in declared or value in ("", "…"):
            raise state.refuse(f"terraform apply {option} {text}")
        given[name] = value
    missing = [name for name, one in declared.items() if "default" not in one and name not in given]
    if missing:
        raise state.refuse(f"no value for {missing}")
    return {name: one.get("default") for name, one in declared.items()} | given


def _apply(text: str, found: Json, variables: Json) -> None:
    for name in _FILES.findall(text):
        json.loads(Path(name).read_text())
    keys = re.findall(r'"(\w+)"', found["locals"][0]["functions"])
    for resource in found["resource"]:
        for kind, named in resource.items():
            if kind in _FUNCTIONS:
                for one in named.values():
                    for key in keys:
                        _deploy(_FUNCTIONS[kind], one, key, variables)


def _deploy(platform: str, one: Json, key: str, variables: Json) -> None:
    def plain(value: str) -> str:
        value = value.replace('${replace(each.key, "_", "-")}', key.replace("_", "-"))
        value = value.replace("${each.key}", key).replace("${path.module}", ".")
        return re.sub(r"\$\{var\.(\w+)\}", lambda m: str(variables[m[1]]), value)

    archive = Path(plain(one["zip_file" if platform == "tencent" else "code_filename"])).absolute()
    if not archive.exists():
        raise state.refuse(f"no {archive}")
    # Only what holds without a condition: the store of the others is empty here.
    said = re.sub(r'var\.\w+ == "".*', "", one.get("environment") or one["user_data"])
    env = {n: v.strip('"') if v[0] == '"' else variables[v[4:]] for n, v in _PAIRS.findall(said)}
    state.keep(
        f"functions/{plain(one['name'])}",
        {
            "name": plain(one["name"]),
            "archive": str(archive),
            "handler": one["handler"],
            "python": plain(one["runtime"]).removeprefix("Python"),
            "env": env,
        },
    )
    print(f"{platform}: {plain(one['name'])}: Creation complete")


def tccli(words: list[str]) -> None:
    """``tccli scf Invoke``."""
    if words[:2] != ["scf", "Invoke"]:
        raise state.refuse(f"tccli {words}")
    asked = state.parsed(words[2:], "--FunctionName", "--ClientContext")
    deployed = state.kept(f"functions/{asked['FunctionName']}")
    event = json.loads(asked["ClientContext"])
    answer = state.handled(Path(deployed["archive"]), deployed, "tencent", event)
    told = {"InvokeResult": 0, "RetMsg": json.dumps(answer), "FunctionRequestId": "r-1"}
    print(json.dumps({"Result": told, "RequestId": "r-2"}, indent=4))
