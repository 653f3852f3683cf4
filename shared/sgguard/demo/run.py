"""The demonstration: the real functions judge a built-in scenario on emulated clouds, offline."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from sgguard.callers.secret import hash_of, new_token
from sgguard.demo.processes import Child, Function, StartError, running
from sgguard.demo.response import Paint, Response, differences, line
from sgguard.emulator.core import Emulator
from sgguard.emulator.scenario import Scenario, ScenarioEvent, load
from sgguard.emulator.server import serve
from sgguard.engine.context import Context
from sgguard.events import request
from sgguard.model.address import Address
from sgguard.operations import explain, restore
from sgguard.render import graph, text
from sgguard.web import installed

Echo = Callable[[str], None]
Key = tuple[str, str]

WIDTH = 120
"""Columns of the output where the terminal has as many or more, or where there is none."""

# Variables that would lead the functions to other clouds, or run them in another way.
_FOREIGN = (
    *("TENCENTCLOUD_", "ALIBABA_CLOUD_", "HUAWEICLOUD_", "OS_", "SGGUARD_"),
    *("FUNCTION_", "GUNICORN_", "WORKERS", "THREAD", "DEBUG", "LOG_EXECUTION_ID", "CLOUD_RUN_"),
)
_TIMEOUT_S = 15.0
_CALLER = "demo"

_HEADER = f"{'VERDICT':<9} {'CLOUD':<11} {'GROUP OR INSTANCE':<25} MAIN REASON"

NEXT = """\
Next:
  {command} demo --full            all of this in full: every reason, what was seen, the plans
  {command} emulate --port 8000    the clouds of this demo, to try the other commands on
  {command} serve --port 8080      the functions, to send them events with curl

With a cloud of your own (these only read):
  export TENCENTCLOUD_SECRET_ID=…  TENCENTCLOUD_SECRET_KEY=…
  {command} doctor --region ap-guangzhou
  {command} check delete tencent::ap-guangzhou:sg-…"""


class Output(msgspec.Struct, frozen=True):
    """Where and how a run is printed.

    ``echo`` takes lines of output, ``error`` those of trouble, ``paint`` (text, verdict) gives the
    text in the verdict's colour. ``width`` is in columns; ``is_full`` prints every decision whole.
    ``seen`` takes each response.
    """

    echo: Echo
    error: Echo
    paint: Paint
    width: int = WIDTH
    is_full: bool = False
    seen: Callable[[Response], None] = lambda _response: None


def run(output: Output, *, name: str = "demo") -> bool:
    """Run a scenario; return whether every response was the expected one.

    Raises:
        ValueError: there is no such scenario, or it is not valid.
        StartError: a function did not start; its output has been printed.
    """
    begun_s = time.monotonic()
    scenario = load(name)
    with _started(scenario) as (env, children, token):
        try:
            types = {key: child.ask_type() for key, child in children.items()}
        except StartError as error:
            output.error(error.output)
            raise
        output.echo(f"{scenario.title}.\n")
        output.echo(_HEADER)
        responses = []
        for number, event in enumerate(scenario.events, start=1):
            key = (event.function, event.policy)
            responses.append(_send(children[key], types[key], event, f"demo-{number:02}", token))
            _print(responses[-1], output)
        wrong = [(one, difference) for one in responses for difference in differences(one)]
        output.echo("\n" + _count(responses, len(wrong), time.monotonic() - begun_s))
        for response, difference in wrong:
            output.error(f"DIFFERENT: {response.event.title}: {difference}")
        if wrong:
            for child in children.values():
                output.error(f"--- output of {child.name}:\n{child.output()}")
            return False
        for response in responses:
            if response.event.is_shown:
                _explain(response, env, output)
            if response.document.get("outcome") == "remediated":
                _restore(response, env, output)
        output.echo("\n" + NEXT.format(command=_command()))
    return True


@contextmanager
def _started(scenario: Scenario) -> Iterator[tuple[dict[str, str], dict[Key, Child], str]]:
    """Run the emulator and every function the events are for, one process for each policy."""
    emulator = Emulator.load({"clouds": scenario.clouds})
    with tempfile.TemporaryDirectory() as folder, serve(emulator) as cloud:
        env = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        env |= scenario.client_env(cloud.url)
        env["SGGUARD_STORE"] = f"sqlite:///{folder}/sgguard.db"
        token = new_token(_CALLER)
        for name, policy in {"": {}, **scenario.policies}.items():
            text = json.dumps({**policy, "caller": [_caller(token)]})
            (Path(folder) / f"{name}-policy.json").write_text(text, encoding="utf-8")
        sources = installed.functions()
        wanted = {(event.function, event.policy) for event in scenario.events}
        functions = {
            (name, policy): Function(
                name,
                sources[name],
                env | {"SGGUARD_POLICY": f"{folder}/{policy}-policy.json"},
            )
            for name, policy in sorted(wanted)
        }
        with running(functions) as children:
            yield env, children, token


def _caller(token: str) -> dict[str, object]:
    """Return the caller that the events of the demonstration come from."""
    return {
        "name": _CALLER,
        "proof": {"bearer": [hash_of(token)]},
        "functions": sorted(installed.functions()),
        "targets": ["*:*:*:*"],
        "mode": "enforce",
        "speaks_for": ["*"],
    }


def _send(
    child: Child, event_type: str, event: ScenarioEvent, event_id: str, token: str
) -> Response:
    attributes = {"specversion": "1.0", "id": event_id, "source": "/demo", "type": event_type}
    headers = {"content-type": "application/json"}
    body = event.data
    if event.delivery == "structured":
        headers = {"content-type": "application/cloudevents+json"}
        body = {**attributes, "datacontenttype": "application/json", "data": event.data}
    elif event.delivery == "binary":
        headers |= {f"ce-{name}": value for name, value in attributes.items()}
    if event.is_proven:
        headers["authorization"] = f"Bearer {token}"
    reply = httpx.post(
        child.url, headers=headers, content=json.dumps(body), trust_env=False, timeout=_TIMEOUT_S
    )
    document = reply.json()
    is_event = "cloudevents" in reply.headers.get("content-type", "")
    return Response(event, reply.status_code, document["data"] if is_event else document)


def _print(response: Response, output: Output) -> None:
    """Print one event on one line; in full also what it is about, and the whole decision."""
    if output.is_full:
        output.echo(f"\n# {response.event.title}")
    output.echo(line(response, output.paint, output.width))
    output.seen(response)
    if not output.is_full:
        return
    if response.status == httpx.codes.OK:
        output.echo("\n" + text.full(response.document, width=output.width))
    else:
        output.echo("\n" + json.dumps(response.document, indent=2, ensure_ascii=False))


def _explain(response: Response, env: Mapping[str, str], output: Output) -> None:
    """Print the graph of one group, as the command line does."""
    wanted = request.delete_request({"target": response.event.data["target"]})
    address = str(wanted.targets[0])
    facts = explain.read(Address.parse(address), Context.from_env(env))
    output.echo(
        "\n# What references this group, what is bound to it, and how to detach each of them:"
    )
    output.echo(f"$ {_command()} explain {address}")
    output.echo(graph.to_text(graph.build(facts.groups), width=output.width))


def _restore(response: Response, env: Mapping[str, str], output: Output) -> None:
    """Print what was done about one event, and undo it as the command line does."""
    decision_id = response.document["decision_id"]
    output.echo('\n# This plan was carried out, since its policy has mode = "enforce"; in short:')
    output.echo(f"$ {_command()} decisions show {decision_id}")
    # Here every step of the plan is one change.
    changes = zip(response.document["journal"], response.document["plan"], strict=True)
    done = [f"{change['state']}: {step['summary']}" for change, step in changes]
    _print_decision(response.document, done, output)
    restored = restore.restore(decision_id, Context.from_env(env), by="demo")
    state = restored["outcome"].replace("remediated", "done")
    output.echo("\n# And this undoes it:")
    output.echo(f"$ {_command()} restore {decision_id}")
    done = [f"{state}: {step['summary']}" for step in restored["plan"]]
    _print_decision(restored, done, output)


def _print_decision(document: dict[str, object], done: Sequence[str], output: Output) -> None:
    if output.is_full:
        output.echo(text.full(document, width=output.width))
        return
    for one in done:
        output.echo(f"  {one}")


def _command() -> str:
    """Return how ``sgguard`` is called from here: a checkout has it in its virtual environment."""
    return ".venv/bin/sgguard" if Path(".venv/bin/sgguard").exists() else "sgguard"


def _count(responses: Sequence[Response], wrong: int, took_s: float) -> str:
    verdicts = [one.document.get("verdict", "refused") for one in responses]
    counts = ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))
    end = "every response as expected" if not wrong else f"{wrong} DIFFERENT FROM WHAT IS EXPECTED"
    return f"{len(responses)} events: {counts}; {end}; {took_s:.1f} s."
