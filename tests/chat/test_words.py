"""Every language has every sentence, with the same placeholders and its own plurals and marks."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sgguard
from sgguard import clouds
from sgguard.model.codes import Outcome, ReasonCode, UnseenCode
from sgguard.model.sentence import Named
from sgguard.render.language import words
from sgguard.render.language.message import STATES
from sgguard.render.language.words import Words, entries, languages
from sgguard.render.wording import columns

PACKAGE = Path(sgguard.__file__).parent
USERS = [PACKAGE / name for name in ("approvals", "chat", "cli", "render", "restores", "web")]
EN, ZH = entries("en"), entries("zh")
HAN = re.compile(r"[\u4e00-\u9fff]")
FORMS = {"en": {"one", "other"}, "zh": {"other"}}


def texts(entry) -> list[str]:
    return list(entry.values()) if isinstance(entry, Mapping) else [entry]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def every(language: str):
    return [(key, text) for key, entry in entries(language).items() for text in texts(entry)]


def test_there_are_two_languages():
    assert languages() == ("en", "zh")


def test_both_languages_have_the_same_keys():
    assert set(EN) == set(ZH)


def test_a_sentence_has_the_same_placeholders_in_every_form_and_language():
    for key in EN:
        found = [placeholders(text) for entry in (EN[key], ZH[key]) for text in texts(entry)]
        most = max(found, key=len)
        for one in found:
            # "1 step is carried out" may say its number in words.
            assert one == most or one == most - {"n"}, key
        english = set().union(*map(placeholders, texts(EN[key])))
        assert english == set().union(*map(placeholders, texts(ZH[key]))), key


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plural_forms_are_those_of_the_language(language):
    for key, entry in entries(language).items():
        if isinstance(entry, Mapping):
            assert set(entry) == FORMS[language], key
        assert isinstance(entry, Mapping) == isinstance(EN[key], Mapping), key


def test_every_code_of_the_model_has_its_words():
    for language in languages():
        found = entries(language)
        assert {f"state.{one}" for one in STATES} <= set(found)
        assert {f"verdict.{one}" for one in STATES} <= set(found)
        assert {f"reason.{one}" for one in ReasonCode} <= set(found)
        assert {f"unseen.{one}" for one in UnseenCode} <= set(found)
        assert {f"provider.{one}" for one in clouds.names()} <= set(found)


def test_every_outcome_is_a_state_but_those_that_are_told_apart():
    assert {*Outcome} - {*STATES} == {"unchanged", "left-to-caller", "refused"}


def test_no_sentence_is_left_untranslated():
    same = {key for key in EN if EN[key] == ZH[key] and HAN.search(str(ZH[key])) is None}
    alike = ("place", "provider.openstack", "step.other", "undo.command", "whole.command", "usage")
    assert same <= {
        *alike,
        "list.separator",
        "holder.of-kind",
        "holder.counted",
        "holder.named",
        "place.region",
        "note.text",
        "note.all",
        "gap.what",
        "right.described",
        "right.type",
    }


def test_chinese_is_punctuated_as_chinese():
    found = {key: text for key, text in every("zh") if HAN.search(text) and not is_chinese(text)}
    assert not found


def is_chinese(text: str) -> bool:
    """Full-width marks beside Han, a space between Han and Latin, none beside a full-width mark."""
    plain = re.sub(r"sgguard [a-z]+ [a-z]+( \{\w+\})?( --as NAME)?", "", text)
    plain = plain.replace("provider:account:region:group-id", "")
    return not (
        re.search(r"[\u4e00-\u9fff] ?[,;:!?()]|[,;:!?()] ?[\u4e00-\u9fff]", plain)
        or re.search(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", plain)
        or re.search(r" [，。：；（）、【】]|[，。：；（）、【】] ", plain)
        or "您" in text
        or "！" in text
    )


@pytest.mark.parametrize("text", ["变更:一个", "变更 group一", "变更 ，一个", "您的变更", "变更！"])
def test_a_text_that_is_punctuated_otherwise_is_found(text):
    assert not is_chinese(text)


FORBIDDEN = (
    "撤销",
    "帐号",
    "账户",
    "限额",
    "群组",
    "入站",
    "出站",
    "驳回",
    "工单",
    "抱歉",
    "凭据",
    "决策",
    "方案",
)


@pytest.mark.parametrize("term", FORBIDDEN)
def test_a_term_that_means_something_else_is_not_used(term):
    assert not [key for key, text in every("zh") if term in text]


def test_numbers_have_singular_and_plural():
    en = Words("en", UTC)
    assert (en.count(1, "rule"), en.count(2, "rule")) == ("1 rule", "2 rules")
    assert (en.count(0, "group"), en.count(3, "spaceship")) == (
        "0 security groups",
        "3 × spaceship",
    )
    zh = Words("zh", UTC)
    assert (zh.count(1, "instance"), zh.count(5, "interface")) == ("1 台实例", "5 张弹性网卡")


def test_lists_say_how_many_more():
    en, zh = Words("en", UTC), Words("zh", UTC)
    named = [Named(f"sg-{n}") for n in range(8)]
    assert en.names(named, 2) == "sg-0, sg-1 and 6 more"
    assert zh.names(named, 5).endswith("、sg-4，另有 3 个")
    assert en.names(named[:2], 2) == "sg-0, sg-1"
    assert en.names(named, 0) == "8 not shown"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2026-11-29 14:42:10 UTC"),
        ("Asia/Shanghai", "2026-11-29 22:42:10 UTC+8"),
        ("America/St_Johns", "2026-11-29 11:12:10 UTC-3:30"),
    ],
)
def test_a_time_says_its_zone(zone, shown):
    moment = datetime(2026, 11, 29, 14, 42, 10, tzinfo=UTC)
    assert Words("zh", ZoneInfo(zone)).time(moment) == shown


@given(st.text(max_size=80), st.integers(2, 60))
def test_a_line_is_cut_to_its_columns_and_its_isolates_are_closed(text, width):
    found = words.within(words.plain(text, 80), width)
    assert columns(found) <= max(width, 2)
    assert found.count("\u2068") == found.count("\u2069")
    assert "\n" not in found


def test_no_sentence_is_written_for_nobody():
    source = "".join(
        path.read_text(encoding="utf-8") for folder in USERS for path in folder.rglob("*.py")
    )
    source = re.sub(r"(?s)(?:MESSAGES|PAGES): .*?\n}\n", "", source)
    for key in EN:
        head = key.rpartition(".")[0]
        is_named = f'"{key}"' in source or f'f"{head}.{{' in source or f'"{head}."' in source
        assert is_named or f'f"{head.partition(".")[0]}.{{' in source, key
