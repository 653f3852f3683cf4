"""Every promise and every known pitfall of a runtime, with the tests that cover it.

A promise whose test was renamed or removed fails here: enter the new name, or write a new test.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.docs.never import NEVER

TESTS = Path(__file__).resolve().parent

FALSE_ALLOW = {
    "an allow needs whole facts, whatever the guard is asked": (
        "guards/test_every_judgement.py",
        "a_delete_is_allowed_only_when_everything_was_read_and_found_empty",
        "a_launch_is_allowed_only_on_whole_facts",
    ),
    "no verdict on a random cloud is false": (
        "false_verdicts/test_search.py",
        "no_verdict_on_a_random_cloud_is_false",
    ),
    "an id missing from the response is not free": (
        "facts/test_gather.py",
        "an_id_missing_from_a_response_is_unseen_and_never_empty",
        "a_part_that_cannot_be_read_is_unseen_once_for_every_group",
        "unreadable_limits_are_unseen",
        "a_count_that_is_missing_is_unseen_for_its_group",
    ),
    "a missing permission is named on every cloud": (
        "contract/test_every_provider.py",
        "a_missing_permission_on_references_is_reported_and_not_read_as_none",
    ),
    "garbage with status 200 is never an empty list": (
        "functions/test_faulty_cloud.py",
        "garbage_with_a_success_status_in_the_place_of_any_one_call_allows_nothing",
        "no_kind_of_garbage_in_the_place_of_any_one_call_allows_anything",
        "any_server_in_place_of_a_cloud_gets_nothing_allowed_within_the_deadline",
    ),
    "every page is read": (
        "contract/test_every_provider.py",
        "every_page_of_a_long_list_is_read",
    ),
    "a list of 100 may be cut": (
        "providers/test_alibaba_scan.py",
        "references_beyond_the_ceiling_are_found_in_the_rules",
        "beyond_the_ceiling_only_other_accounts_remain_unseen",
    ),
    "the wrong samples of the documents are no empty lists": (
        "providers/test_alibaba_references.py",
        "both_samples_of_the_document_name_both_groups",
        "every_other_shape_is_an_error_and_never_no_references",
    ),
}

ONCE_AND_WITHIN_LIMITS = {
    "calls keep within the documented rates": (
        "contract/test_every_provider.py",
        "reads_keep_within_the_clouds_documented_rates",
    ),
    "a pause told to one thread holds for the others": (
        "wire/test_pacing.py",
        "no_second_sees_more_calls_than_the_documented_rate",
        "a_pause_told_to_one_thread_holds_for_the_others",
    ),
    "many instances that share an account keep within one rate": (
        "pace/test_property.py",
        "no_window_holds_more_than_the_limit_and_everybody_gets_a_turn",
    ),
    "retries are bounded by attempts and time": (
        "wire/test_retry.py",
        "attempts_are_bounded_and_the_last_error_is_raised",
        "a_wait_that_would_pass_the_deadline_is_not_begun",
    ),
    "the deadline holds over HTTP": (
        "functions/test_attacks.py",
        "a_cloud_that_is_too_slow_is_not_waited_for",
        "throttling_clouds_mean_retry_later",
        "a_cloud_that_is_killed_during_a_decision_means_retry_later",
    ),
    "the same event has the same decision everywhere": (
        "functions/test_attacks.py",
        "two_instances_with_the_same_request_at_once_give_the_same_decision",
        "sixty_four_senders_at_once_each_get_their_own_answer",
    ),
}

NO_SECRET = {
    "none in a repr or an error of any provider": (
        "contract/test_every_provider.py",
        "no_secret_is_in_a_repr_or_an_error",
    ),
    "none in a response or a log line": (
        "functions/test_attacks.py",
        "credentials_lent_in_headers_never_come_back",
        "no_secret_of_any_cloud_is_in_any_answer",
    ),
    "none of a cloud that quotes the signed request": (
        "functions/test_faulty_cloud.py",
        "a_cloud_that_quotes_the_signed_request_leaks_no_secret",
        "a_redirect_is_not_followed_with_credentials",
    ),
    "log lines have listed fields only": (
        "telemetry/test_logs.py",
        "an_unknown_field_is_never_written",
        "an_exceptions_text_is_not_written",
    ),
    "the emulator keeps no header": (
        "emulator/test_attacks.py",
        "a_log_of_many_requests_has_no_credentials_of_theirs",
    ),
    "signatures are held byte by byte": (
        "emulator/test_forgery.py",
        "a_header_that_was_changed_or_left_out_is_refused",
        "a_byte_of_the_path_or_the_query_that_was_changed_is_refused",
        "a_byte_of_the_body_that_was_changed_is_refused",
        "a_nonce_is_good_once",
        "a_request_of_another_hour_is_refused",
        "the_key_of_another_account_with_our_signature_is_refused",
    ),
}

OBSERVE = {
    "out of the box nothing is done": (
        "engine/test_decide.py",
        "out_of_the_box_nothing_is_done_to_the_cloud",
    ),
    "every call only reads, over HTTP": (
        "functions/test_attacks.py",
        "nothing_was_changed_in_any_cloud_and_every_call_only_read",
    ),
    "reading changes nothing on any cloud": (
        "contract/test_every_provider.py",
        "reading_changes_nothing_in_the_cloud",
    ),
}

RUNTIME_TRAPS = {
    "the framework's 400 page prints every header": (
        "functions/test_http.py",
        "a_wrong_request_gets_problem_details_and_none_of_its_headers",
    ),
    "an uncaught exception is a page without details": (
        "web/test_response.py",
        "a_bug_is_an_incident_with_a_number_and_without_words",
    ),
    "a batch or a JSON list crashes": (
        "functions/test_delete_request.py",
        "a_wrong_event_of_a_batch_never_hides_the_others",
        "an_empty_batch_has_an_empty_answer",
    ),
    "an empty body is 415": ("functions/test_http.py", "a_wrong_request_gets_problem_details"),
    "OPTIONS is refused": (
        "functions/test_http.py",
        "options_allows_post_and_consents_to_no_webhook",
        "other_methods_are_not_answered",
    ),
    "octets of /invoke are 415": (
        "functions/test_http.py",
        "alibabas_invoke_call_labels_json_as_octets",
    ),
    "no limit of a body": (
        "functions/test_attacks.py",
        "a_body_that_is_far_too_large_is_refused_and_never_held_in_memory",
        "an_unexpected_body_is_never_held_in_memory",
    ),
    "timeouts do not bite": (
        "functions/test_attacks.py",
        "a_sender_that_stalls_gets_503_at_the_deadline",
        "stalled_senders_do_not_block_other_requests",
        "a_cloud_that_is_too_slow_is_not_waited_for",
    ),
    "SIGTERM in the midst of a request": (
        "functions/test_attacks.py",
        "a_request_under_way_is_answered_when_the_platform_ends_the_function",
    ),
    "an SDK that adds a time changes the hash": (
        "events/test_read.py",
        "a_bare_body_is_one_event_named_by_the_hash_of_its_bytes",
    ),
}

CLOUDEVENTS = {
    "header values are percent-decoded, once, after unquoting": (
        "events/test_cloudevents.py",
        "a_header_value_is_unquoted_and_then_decoded_once",
        "a_broken_header_value_is_refused",
        "every_text_survives_the_way_through_a_header",
    ),
    "a missing id is not made up": ("events/test_cloudevents.py", "an_id_is_never_made_up"),
    "the content type decides the mode": (
        "events/test_cloudevents.py",
        "the_content_type_tells_the_mode_whatever_its_case",
        "the_body_of_a_structured_event_wins_over_ce_headers",
    ),
    "binary data that is no JSON is no bytes": (
        "events/test_cloudevents.py",
        "a_binary_event_whose_body_is_no_json_is_refused_and_not_taken_for_bytes",
    ),
    "names, sources and times are held to the letter": (
        "events/test_cloudevents.py",
        "a_wrong_attribute_of_a_structured_event_is_named",
        "a_wrong_attribute_of_a_binary_event_is_named_by_its_header",
        "an_attribute_of_a_type_no_attribute_has_is_refused",
    ),
    "ce-datacontenttype is not allowed": (
        "events/test_cloudevents.py",
        "ce_datacontenttype_is_not_allowed_in_headers",
    ),
    "a batch is capped": (
        "functions/test_attacks.py",
        "a_batch_of_a_hundred_is_answered_and_one_more_is_too_large",
    ),
    "64 KB must be forwarded": (
        "functions/test_attacks.py",
        "an_event_of_sixty_four_kilobytes_is_read_as_every_bus_may_send_it",
    ),
    "duplicate, late and mixed events": (
        "functions/test_attacks.py",
        "a_batch_of_every_cloud_with_wrong_repeated_and_late_events_is_answered_one_by_one",
    ),
    "an unknown format is 415": (
        "events/test_cloudevents.py",
        "an_event_format_other_than_json_is_refused",
        "data_in_another_format_than_json_is_refused",
    ),
    "429 and 503 say when to come again": (
        "functions/test_delete_request.py",
        "an_unavailable_cloud_means_retry_later",
    ),
    "whatever is changed in an event": (
        "functions/test_fuzz.py",
        "a_bare_request_with_any_error_gets_a_documented_response",
        "a_structured_event_with_any_error_gets_a_documented_response",
        "a_batch_with_any_error_gets_a_documented_response",
        "a_binary_event_with_any_headers_gets_a_documented_response",
    ),
}

PROMISES = {
    **FALSE_ALLOW,
    **ONCE_AND_WITHIN_LIMITS,
    **NO_SECRET,
    **OBSERVE,
    **RUNTIME_TRAPS,
    **CLOUDEVENTS,
}


@pytest.mark.parametrize("held", PROMISES.values(), ids=PROMISES)
@pytest.mark.sampled(6)
def test_a_promise_is_covered_by_tests_that_exist(held):
    require_tests(*held)


@pytest.mark.parametrize(("sentence", "file", "names"), NEVER, ids=[one[0] for one in NEVER])
@pytest.mark.sampled(6)
def test_what_is_never_done_is_covered_by_tests_that_exist(sentence, file, names):
    require_tests(file, *names)


def require_tests(file, *names):
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    known = {node.name.removeprefix("test_") for node in tree.body if hasattr(node, "name")}
    assert names
    missing = [name for name in names if not any(k.startswith(name) for k in known)]
    assert not missing
