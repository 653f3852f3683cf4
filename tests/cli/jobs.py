"""The twelve jobs of an engineer on call, and how many commands each takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One job: its test, what it takes, and what is typed; without commands there is none yet."""

    name: str
    test: str = ""
    commands: int = 0
    typed: str = ""


JOBS = (
    Job("delete a dozen groups of a decommissioned environment", "dozen", 1, "`apply`"),
    Job("which groups are unused", typed="no command yet: `check delete` tells it of named groups"),
    Job("a Terraform destroy failed", "failed_destroy", 1, "`check delete`"),
    Job("the wrong group was deleted", "wrong_group", 2, "`decisions list`, `restore --group`"),
    Job("bind 300 instances", "three_hundred", 1, "`bind --from`"),
    Job("somebody must approve by link", "by_link", 2, "`approvals list`, `approvals link`"),
    Job("who deleted that last week", "last_week", 1, "`decisions list --target --since`"),
    Job("stop everything, with a broken policy", "stopped", 1, "`halt on`"),
    Job("will 50 instances fit", "fifty", 1, "`check launch --count 50`"),
    Job("two accounts, three regions", "two_accounts", 2, "`apply`, once with each account's key"),
    Job("chat and CI", typed="no command yet: the exit code and `--json` of every command"),
    Job("a month's report as CSV", "report", 1, "`decisions list --since 31d --csv`"),
)

COMMANDS = {job.test: job.commands for job in JOBS if job.test}
