"""The demonstration: the real functions judge a built-in scenario on emulated clouds, offline."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from sgguard.demo.response import Answer, Paint, differences, line
from sgguard.demo.processes import Child, Function, StartError, running
from sgguard.emulator.core import Emulator
from sgguard.emulator.scenario import Scenario, ScenarioEvent, load
from sgguard.emulator.server import serve as serve_emulator
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.events import request
from sgguard.model.address import Address
from sgguard.operations import explain, restore
from sgguard.render import graph, text
from sgguard.web import server as serve

Say = Callable[[str], None]
Key = tuple[str, str]

# What would lead the functions to other clouds, and what would run them in another way.
_FOREIGN = (
    *("TENCENTCLOUD_", "ALIBABA_CLOUD_", "HUAWEICLOUD_", "OS_", "SGGUARD_"),
    *("FUNCTION_", "GUNICORN_", "WORKERS", "THREAD", "DEBUG", "LOG_EXECUTION_ID", "CLOUD_RUN_"),
)
_ANSWER_S = 15.0

NEXT = """\
Next, with a cloud of your own (only reads, nothing is changed):

  export TENCENTCLOUD_SECRET_ID=…  TENCENTCLOUD_SECRET_KEY=…
  {command} check delete tencent::ap-guangzhou:sg-…
  {command} explain tencent::ap-guangzhou:sg-… --format mermaid
  {command} check launch --provider tencent --region ap-guangzhou --group sg-… --count 20

  {command} emulate --port 8000     the clouds of this demo, for your own experiments
  {command} serve --port 8080       the functions, for curl"""


def run(
    say: Say, paint: Paint, complain: Say, *, name: str = "demo", width: int | None = None
) -> bool:
    """Run a scenario; True when every answer was the expected one.

    ``say`` takes one line of output, ``complain`` one of trouble, ``paint`` (text, verdict) gives
    the text in the verdict's colour. ``width`` are the columns of the terminal, if it is one.

    Raises:
        ValueError: there is no such scenario, or it does not fit.
    """
    begun_s = time.monotonic()
    scenario = load(name)
    with _stage(scenario) as (env, children):
        try:
            types = {key: child.ask_type() for key, child in children.items()}
        except StartError as error:
            complain(error.output)
            raise
        say(f"{scenario.title}.")
        say(f"{len(scenario.clouds)} emulated clouds, {len(children)} functions started\n")
        answers = []
        for number, event in enumerate(scenario.events, start=1):
            key = (event.function, event.policy)
            answer = _ask(children[key], types[key], event, f"demo-{number:02}")
            answers.append(answer)
            say(line(answer, paint, width))
        for answer in answers:
            if answer.event.is_shown and answer.status == httpx.codes.OK:
                _show(answer, env, say)
            if answer.document.get("outcome") == "remediated":
                _put_back(answer, env, say)
        wrong = [(answer, difference) for answer in answers for difference in differences(answer)]
        for answer, difference in wrong:
            complain(f"DIFFERENT: {answer.event.title}: {difference}")
        if wrong:
            for child in children.values():
                complain(f"--- {child.name} wrote:\n{child.output()}")
    say("\n" + NEXT.format(command=_command()))
    say("\n" + _count(answers, len(wrong), time.monotonic() - begun_s))
    return not wrong


@contextmanager
def _stage(scenario: Scenario) -> Iterator[tuple[dict[str, str], dict[Key, Child]]]:
    """Run the emulator and every function the events are for, one process for each policy."""
    emulator = Emulator.load({"clouds": scenario.clouds})
    with tempfile.TemporaryDirectory() as folder, serve_emulator(emulator) as server:
        env = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        env |= scenario.client_env(server.url)
        env["SGGUARD_STORE"] = f"sqlite:///{folder}/sgguard.db"
        for name, policy in scenario.policies.items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(policy), encoding="utf-8")
        sources = serve.functions()
        wanted = {(event.function, event.policy) for event in scenario.events}
        functions = {
            (name, policy): Function(
                name,
                sources[name],
                env | ({"SGGUARD_POLICY": f"{folder}/{policy}.json"} if policy else {}),
            )
            for name, policy in sorted(wanted)
        }
        with running(functions) as children:
            yield env, children


def _ask(child: Child, event_type: str, event: ScenarioEvent, event_id: str) -> Answer:
    attributes = {"specversion": "1.0", "id": event_id, "source": "/demo", "type": event_type}
    headers = {"content-type": "application/json"}
    body = event.data
    if event.delivery == "structured":
        headers = {"content-type": "application/cloudevents+json"}
        body = {**attributes, "datacontenttype": "application/json", "data": event.data}
    elif event.delivery == "binary":
        headers |= {f"ce-{name}": value for name, value in attributes.items()}
    answer = httpx.post(
        child.url, headers=headers, content=json.dumps(body), trust_env=False, timeout=_ANSWER_S
    )
    document = answer.json()
    is_event = "cloudevents" in answer.headers.get("content-type", "")
    return Answer(event, answer.status_code, document["data"] if is_event else document)


def _show(answer: Answer, env: Mapping[str, str], say: Say) -> None:
    """Print one delete in full with its graph, asked anew as the command line asks."""
    context = Context.from_env(env)
    wanted = request.delete_request({"target": answer.event.data["target"]})
    address = str(wanted.targets[0])
    say(f"\n$ {_command()} check delete {address}")
    say(text.full(decide.decide_delete(wanted, context, event_id=context.new_id())))
    say(f"\n$ {_command()} explain {address}")
    say(graph.to_text(graph.build(explain.read(Address.parse(address), context).groups)))


def _put_back(answer: Answer, env: Mapping[str, str], say: Say) -> None:
    """Print what was done about one event, and take it back as the command line does."""
    decision_id = answer.document["decision_id"]
    say(f"\n$ {_command()} decisions show {decision_id}")
    # Here every step of the plan is one change.
    for change, step in zip(answer.document["journal"], answer.document["plan"], strict=True):
        say(f"  {change['state']}: {step['summary']}")
    say(f"\n$ {_command()} restore {decision_id}")
    restored = restore.restore(decision_id, Context.from_env(env), by="demo")
    for step in restored["plan"]:
        say(f"  {restored['outcome'].replace('remediated', 'done')}: {step['summary']}")


def _command() -> str:
    """Return how ``sgguard`` is called from here: a checkout has it in its virtual environment."""
    return ".venv/bin/sgguard" if Path(".venv/bin/sgguard").exists() else "sgguard"


def _count(answers: list[Answer], wrong: int, took_s: float) -> str:
    verdicts = [a.document.get("verdict", "refused") for a in answers]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    end = "every answer as expected" if not wrong else f"{wrong} DIFFERENT FROM WHAT WAS EXPECTED"
    return f"{len(answers)} events: {counts}; {end}; {took_s:.1f} s."
