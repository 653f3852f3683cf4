"""What sgguard never does, each with the tests that would fail if it did."""

from __future__ import annotations

NEVER: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "allow a delete or launch where anything that the verdict needs was not read whole",
        "guards/test_every_judgement.py",
        (
            "a_delete_is_allowed_only_when_everything_was_read_and_found_empty",
            "a_launch_is_allowed_only_on_whole_facts",
        ),
    ),
    (
        "take an answer that it does not understand for an empty one",
        "functions/test_faulty_cloud.py",
        ("no_kind_of_garbage_in_the_place_of_any_one_call_allows_anything",),
    ),
    (
        "change anything out of the box, or in mode `observe`",
        "engine/test_decide.py",
        ("out_of_the_box_nothing_is_done_to_the_cloud",),
    ),
    (
        "change anything while it judges, whatever the mode is",
        "contract/test_every_provider.py",
        ("reading_changes_nothing_in_the_cloud",),
    ),
    (
        "change more of a group, or in a plan, than the policy permits",
        "remedy/test_caps.py",
        (
            "a_plan_has_no_more_changes_than_permitted",
            "no_more_of_a_group_is_revoked_than_permitted",
        ),
    ),
    (
        "revoke the last rule that lets anybody in at a management port",
        "remedy/test_caps.py",
        ("the_last_rule_that_lets_a_management_port_in_stays",),
    ),
    (
        "leave a change behind that nobody knows of, whenever its process dies",
        "crash/test_crash.py",
        ("no_story_whose_workers_are_killed_breaks_an_invariant",),
    ),
    (
        "overwrite what somebody else changed in the meantime",
        "crash/test_concurrent_editor.py",
        ("a_concurrent_edit_before_any_call_is_kept",),
    ),
    (
        "carry one event out twice",
        "engine/test_once.py",
        ("a_worker_that_was_frozen_writes_nothing_over_what_another_one_did",),
    ),
    (
        "change anything before somebody approved it, in mode `approve`",
        "approvals/test_resolve.py",
        ("an_approval_request_changes_nothing_in_the_cloud",),
    ),
    (
        "carry an approval out for other facts than those that were approved",
        "approvals/test_resolve.py",
        ("changed_facts_stop_the_plan_and_request_approval_of_the_new_one",),
    ),
    (
        "begin a change, or continue one, while `sgguard halt` is on",
        "crash/test_deadlines.py",
        ("a_halt_stops_any_plan_between_any_two_changes",),
    ),
    (
        "parse anything for a sender that proves no caller",
        "callers/test_permit.py",
        ("nothing_is_parsed_for_a_stranger_and_a_large_body_is_not_even_read",),
    ),
    (
        "write a key, token, header or body into a log line, metric or trace",
        "telemetry/test_otel.py",
        ("no_secret_is_in_a_span_or_a_metric",),
    ),
    (
        "ask for a permission that it does not use",
        "contract/test_least_privilege.py",
        ("a_remedy_is_granted_what_it_and_its_way_back_use_and_nothing_else",),
    ),
)


def listing() -> str:
    """A line for each, with its tests."""
    return "\n".join(
        f"- {sentence} (`tests/{file}`: {', '.join(f'*{_words(name)}*' for name in names)})"
        for sentence, file, names in NEVER
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
