"""``gcloud``: service accounts, secrets, and a function that the buildpack's command starts."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.deploy.platforms import state

_APIS = {"cloudfunctions", "run", "cloudbuild", "artifactregistry", "secretmanager"}
_ACCESSOR = "roles/secretmanager.secretAccessor"
_PORT = 8080
_OPTIONS = (
    *("--project", "--region", "--runtime", "--source", "--entry-point", "--ingress-settings"),
    *("--service-account", "--memory", "--cpu", "--concurrency", "--timeout", "--max-instances"),
    *("--set-env-vars", "--set-secrets"),
)
_FLAGS = ("--gen2", "--trigger-http", "--no-allow-unauthenticated")


def gcloud(words: list[str]) -> None:
    """One command of the page or of its script."""
    match words:
        case ["services", "enable", *apis]:
            state.keep("apis", [one.removesuffix(".googleapis.com") for one in apis])
        case ["iam", "service-accounts", "create", name]:
            state.keep("service-account", name)
        case ["secrets", *rest]:
            _secrets(rest)
        case ["functions", "deploy", name, *options]:
            _deploy(name, state.parsed(options, *_OPTIONS, flags=_FLAGS))
        case ["functions", "describe", name, *options]:
            found = state.kept(f"functions/{name}")
            where = state.parsed(options, "--region", "--project", "--format", flags=("--gen2",))
            if where != {**found, "format": "value(serviceConfig.uri)", "gen2": True}:
                raise state.refuse(f"{where}")
            print(f"http://127.0.0.1:{_PORT}")
        case ["auth", "print-identity-token"]:
            print("token.of.person")
        case _:
            raise state.refuse(f"gcloud {words}")


def _secrets(words: list[str]) -> None:
    match words:
        case ["create", name, "--data-file=-"]:
            state.keep(f"secrets/{name}", sys.stdin.read())
        case ["add-iam-policy-binding", name, *options]:
            state.kept(f"secrets/{name}")
            given = state.parsed(options, "--member", "--role")
            kind, _, member = given["member"].partition(":")
            if (kind, given["role"]) != ("serviceAccount", _ACCESSOR):
                raise state.refuse(f"{given}")
            state.keep(f"grants/{name}", member)
        case _:
            raise state.refuse(f"gcloud secrets {words}")


def _deploy(name: str, given: dict[str, str]) -> None:
    if missing := _APIS - set(state.kept("apis")):
        raise state.refuse(f"not enabled: {missing}")
    account = f"{state.kept('service-account')}@{given['project']}.iam.gserviceaccount.com"
    if given["service-account"] != account:
        raise state.refuse(f"there is no {given['service-account']}")
    if given["ingress-settings"] != "all":
        raise state.refuse("nobody outside of the network can ask it")
    if given["runtime"] != "python312":
        raise state.refuse(given["runtime"])
    env = dict(one.split("=", 1) for one in given["set-env-vars"].split(","))
    for one in given["set-secrets"].split(","):
        variable, _, place = one.partition("=")
        secret, _, version = place.partition(":")
        if version != "latest" or state.kept(f"grants/{secret}") != account:
            raise state.refuse(f"{account} may not read {secret}:{version}")
        env[variable] = state.kept(f"secrets/{secret}")
    code = Path(given["source"]).absolute()
    start = "from functions_framework._cli import _cli; _cli()"
    target = given["entry-point"]
    command = [state.interpreter("3.12"), "-S", "-c", start, "--target", target]
    command += ["--source", str(code / "main.py")]
    env |= {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "x", "PORT": str(_PORT)}
    state.started(command, {**env, **state.of_cloud()}, _PORT)
    state.keep(f"functions/{name}", {one: given[one] for one in ("region", "project")})
