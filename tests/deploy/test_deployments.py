"""The deployments: every key is one that its platform knows, and what they name is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lark.exceptions import LarkError

from sgguard.callers import LIBRARIES
from sgguard.packaging.runtime import RUNTIMES
from sgguard.policy.start import load_started
from sgguard.runtimes.names import variables
from sgguard.web.installed import functions
from tests.deploy import shapes, terraform
from tests.deploy.grants import DEPLOY, FOLDERS, PARTS, actions, checks, texts
from tests.deploy.shapes import misfits

TERRAFORM = ("tencent-scf", "huawei-functiongraph")
KNATIVE = DEPLOY / "knative"
PAGES = (*TERRAFORM, "alibaba-fc", "google-cloud-run", "knative", "systemd", "container")


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


# -- every key ---------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", TERRAFORM)
@pytest.mark.sampled(2)
def test_every_argument_and_name_of_a_terraform_configuration_is_known(folder):
    assert terraform.unknown((DEPLOY / folder / "main.tf").read_text()) == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", TERRAFORM)
def test_a_typo_in_any_key_of_a_terraform_configuration_is_found(folder):
    text = (DEPLOY / folder / "main.tf").read_text()
    ends = [one.end(1) for one in re.finditer(r"^ *(\w+) +(?:=|\{)", text, re.MULTILINE)]
    assert len(ends) > 40
    missed = [text.count("\n", 0, n) + 1 for n in ends if not _fails(f"{text[:n]}x{text[n:]}")]
    assert missed == []


def _fails(text: str) -> bool:
    try:
        return bool(terraform.unknown(text))
    except LarkError:
        return True


def test_every_key_of_the_serverless_devs_file_is_known():
    (found,) = documents(DEPLOY / "alibaba-fc" / "s.yaml")
    assert list(misfits(found, shapes.FC3)) == []
    named = {v for d in _leaves(found) for v in re.findall(r"\$\{vars\.(\w+)\}", str(d))}
    assert named == set(found["vars"])
    for one in found["resources"].values():
        assert set(one["props"]["environmentVariables"]) <= set(variables())


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield value


_OTHERS = {"Kustomization": shapes.KUSTOMIZATION, "": shapes.REFERENCES}


def manifests() -> dict[str, tuple[Path, dict[str, Any], Any]]:
    found = {}
    for path in sorted(KNATIVE.rglob("*.yaml")):
        for one in documents(path):
            kind = one.get("kind", "")
            shape = _OTHERS.get(kind) or shapes.KINDS.get(kind)
            name = one.get("metadata", {}).get("name", path.parent.name)
            found[f"{path.stem}-{kind}-{name}"] = (path, one, shape)
    return found


@pytest.mark.parametrize("name", manifests())
@pytest.mark.sampled(8)
def test_every_key_of_a_manifest_is_known(name):
    path, found, shape = manifests()[name]
    assert shape is not None, path
    assert list(misfits(found, shape)) == []


def _renamed(value: Any) -> Iterator[Any]:
    """The document with one of its keys misspelt, for each of them."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield {f"{key}x" if name == key else name: one for name, one in value.items()}
            for other in _renamed(below):
                yield {**value, key: other}
    elif isinstance(value, list):
        for number, one in enumerate(value):
            for other in _renamed(one):
                yield [*value[:number], other, *value[number + 1 :]]


def _own_names(document: Any, shape: Any) -> int:
    """How many keys of a document may have any name."""
    if isinstance(shape, dict) and isinstance(document, dict):
        return sum(
            (key not in shape and "*" in shape) + _own_names(below, shape.get(key, shape.get("*")))
            for key, below in document.items()
        )
    if isinstance(shape, list) and isinstance(document, list):
        return sum(_own_names(one, shape[0]) for one in document)
    return 0


@pytest.mark.parametrize("name", ["s.yaml", *manifests()])
@pytest.mark.sampled(8)
def test_a_typo_in_any_key_of_a_document_is_found(name):
    if name == "s.yaml":
        (found,), shape = documents(DEPLOY / "alibaba-fc" / "s.yaml"), shapes.FC3
    else:
        _, found, shape = manifests()[name]
    passed = sum(not list(misfits(one, shape)) for one in _renamed(found))
    assert passed == _own_names(found, shape)


# -- what they name ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("policy.toml")), ids=str)
def test_every_policy_of_a_deployment_can_be_used_and_names_functions_that_there_are(path):
    policy = load_started(str(path))
    assert policy.callers
    assert {name for one in policy.callers for name in one.functions} <= set(functions())


@pytest.mark.parametrize("folder", PAGES)
def test_a_page_packages_what_the_callers_of_its_policy_need(folder):
    kinds = {
        caller.kind
        for path in (DEPLOY / folder).rglob("policy.toml")
        for caller in load_started(str(path)).callers
    }
    page = (DEPLOY / folder / "README.md").read_text()
    assert not kinds & set(LIBRARIES) or "--extra jwt" in page


@pytest.mark.parametrize("path", list(texts()), ids=lambda one: "-".join(one.parts[-2:]))
@pytest.mark.sampled(4)
def test_least_privilege_documents_are_what_the_providers_ask(path):
    assert path.read_text() == texts()[path]


@pytest.mark.parametrize("provider", FOLDERS)
def test_observing_is_granted_no_change_and_each_kind_of_change_its_own(provider):
    reads, *changes = (set(actions(provider, part)) for part in PARTS)
    assert all(one.partition(":")[2].startswith("Describe") for one in reads)
    assert not reads & set().union(*changes)
    known = {one.grant.partition(" in ")[0] for one in checks(provider)}
    assert set().union(reads, *changes) == known
    delete, rules, holders = changes
    assert not holders & (delete | rules)
    assert rules - delete
    assert delete - rules


def test_the_audit_events_of_a_deployment_are_those_of_its_trigger_page():
    """A pattern with ``ApiCall`` alone would miss everything that is done in a console."""
    pages = {
        "tencent-scf/main.tf": "tencent-eventbridge",
        "alibaba-fc/s.yaml": "alibaba-eventbridge",
    }
    for file, page in pages.items():
        text = (DEPLOY / "triggers" / f"{page}.md").read_text()
        pattern = json.loads(text.split("<!-- pattern -->\n```json\n")[1].split("```")[0])
        deployed = (DEPLOY / file).read_text()
        wanted = [
            *pattern["source"],
            *(t if isinstance(t, str) else t["suffix"] for t in pattern["type"]),
        ]
        assert [one for one in wanted if f'"{one}"' not in deployed] == []


@pytest.mark.parametrize("folder", PAGES)
@pytest.mark.sampled(4)
def test_a_page_says_how_to_begin_to_upgrade_and_to_go_back_and_what_is_unproven(folder):
    text = (DEPLOY / folder / "README.md").read_text()
    for part in ("## From nothing to the first decision", "rollback", "## Unproven here"):
        assert part in text, part
    for command in re.findall(r"sgguard package [^\n]*(?:\\\n[^\n]*)*", text):
        words = command.replace("\\\n", " ").split()
        assert words[2] in functions()
        assert words[words.index("--runtime") + 1] in RUNTIMES
    for file in re.findall(r"`([\w./-]+\.(?:json|toml|tf|yaml|sh|service|conf))`", text):
        assert (DEPLOY / folder / file).exists(), file
    for name in re.findall(r"\bSGGUARD_[A-Z_]+\b", text):
        assert name in variables(), name


def test_every_runtime_has_a_page():
    pages = [path for folder in PAGES for path in (DEPLOY / folder).glob("*.[ms][dh]")]
    text = "".join(path.read_text() for path in pages)
    assert [name for name in RUNTIMES if f"--runtime {name}" not in text] == []


# -- with the tools that there are -------------------------------------------------------------


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def run(*command: str, cwd: Path = DEPLOY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("folder", TERRAFORM)
def test_terraform_reads_the_configuration_and_finds_nothing_to_format(folder):
    ended = run(tool("terraform"), "fmt", "-check", "-diff", folder)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("overlay", ["observe", "enforce"])
def test_kustomize_makes_manifests_that_fit(overlay):
    ended = run(tool("kubectl"), "kustomize", str(KNATIVE / "overlays" / overlay))
    assert ended.returncode == 0, ended.stderr
    made = list(yaml.safe_load_all(ended.stdout))
    assert {one["kind"] for one in made} == set(shapes.KINDS)
    assert [found for one in made for found in misfits(one, shapes.KINDS[one["kind"]])] == []
    (kept,) = (one for one in made if one["kind"] == "ConfigMap")
    assert f'mode = "{overlay}"' in kept["data"]["policy.toml"]
    (service,) = (one for one in made if one["kind"] == "Service")
    volumes = service["spec"]["template"]["spec"]["volumes"]
    named = [one["configMap"]["name"] for one in volumes if "configMap" in one]
    assert named == [kept["metadata"]["name"]]


@pytest.mark.slow
def test_systemd_knows_every_key_of_the_unit(tmp_path):
    analyze = tool("systemd-analyze")
    text = (DEPLOY / "systemd" / "sgguard@.service").read_text()
    unit = tmp_path / "sgguard@delete.service"
    unit.write_text(re.sub("ExecStart=.*", "ExecStart=/bin/true", text))
    ended = run(analyze, "verify", "--man=no", str(unit))
    assert ended.stderr == ""
    for key in re.findall(r"^([A-Z][A-Za-z]+)=", text, re.MULTILINE):
        misspelt = re.sub(rf"^{key}=", f"{key}x=", unit.read_text(), flags=re.MULTILINE)
        other = tmp_path / "sgguard@other.service"
        other.write_text(misspelt)
        assert f"{key}x" in run(analyze, "verify", "--man=no", str(other)).stderr, key


@pytest.mark.slow
def test_nginx_knows_every_directive(tmp_path):
    nginx = tool("nginx")
    openssl = tool("openssl")
    made = run(
        *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
        *("-subj", "/CN=guard.example", "-keyout", str(tmp_path / "key.pem")),
        *("-out", str(tmp_path / "cert.pem")),
    )
    assert made.returncode == 0, made.stderr
    text = (DEPLOY / "systemd" / "sgguard.conf").read_text()
    text = text.replace("/etc/sgguard/tls", str(tmp_path))

    def read(own: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "sgguard.conf").write_text(own)
        around = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        around += f"http {{ include {tmp_path}/sgguard.conf; }}\n"
        (tmp_path / "nginx.conf").write_text(around)
        return run(nginx, "-t", "-q", "-c", str(tmp_path / "nginx.conf"))

    assert (read(text).returncode, read(text).stderr) == (0, "")
    for directive in set(re.findall(r"^ +([a-z_]+) ", text, re.MULTILINE)):
        assert read(text.replace(f" {directive} ", f" {directive}x ", 1)).returncode != 0, directive


@pytest.mark.slow
def test_gcloud_knows_every_option_of_the_script():
    script = DEPLOY / "google-cloud-run" / "deploy.sh"
    assert run(tool("bash"), "-n", str(script)).returncode == 0
    known = run(tool("gcloud"), "help", "functions", "deploy").stdout
    given = re.findall(r"^  (--[a-z0-9-]+)", script.read_text(), re.MULTILINE)
    assert len(given) > 10
    ours = ["--compile-with"]
    words = {one: one.replace("--no-", "--[no-]") for one in given if one not in ours}
    assert [one for one, other in words.items() if one not in known and other not in known] == []
