"""A note of a run or a journal's line: English for whoever reads the table, and sentences."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.model.change import Change
from sgguard.model.codes import Outcome
from sgguard.model.failure import failure_of
from sgguard.model.sending import UNSENT, UnsentError
from sgguard.model.sentence import Sentence, counted, listed, said, thing, together
from sgguard.remedy.progress import Progress
from sgguard.render.kept import english, joined, notes_kept, sentences_kept, to_keep
from sgguard.render.language.sentence import in_english, in_words
from sgguard.render.outcome import with_outcome
from sgguard.store import codec
from sgguard.store.rows import Entry
from tests.chinese import CHINESE
from tests.examples import examples

OLD = "tencent DeleteSecurityGroup: UnauthorizedOperation"
TEXTS = st.text(min_size=1, max_size=40)
SENTENCES = st.recursive(
    TEXTS.map(lambda text: said("note.text", text=text))
    | st.builds(lambda one: said("note.deleted", group=one), TEXTS)
    | st.builds(lambda n: said("plan.impossible", why=counted(n, "rule")), st.integers(0, 9)),
    lambda inner: st.builds(lambda a, b: said("note.not-undone", step=a, why=b), inner, inner),
    max_leaves=4,
)


@examples(100)
@given(st.lists(SENTENCES, max_size=4))
def test_sentences_are_the_same_after_they_were_kept(notes):
    text = to_keep(*notes)
    assert notes_kept(text) == tuple(notes)
    assert bool(text) is bool(notes)


def test_whoever_reads_the_table_reads_english_first():
    notes = (said("note.deleted", group="sg-1"), said("note.late"))
    text = to_keep(*notes)
    assert text.startswith("group sg-1 was deleted; a newer event about the same")
    assert english(text) == joined(notes)
    assert [one["code"] for one in sentences_kept(text)] == ["note.deleted", "note.late"]


@pytest.mark.parametrize("old", [OLD, "two\nlines", '{"request_id": "r-1"}', '\n{"notes": no JSON'])
def test_a_note_of_an_earlier_version_is_read_as_it_is(old):
    assert notes_kept(old) == (english(old),)
    assert sentences_kept(old) == []
    assert notes_kept("") == ()


def test_a_note_of_a_later_version_is_shown_in_its_english():
    later = 'it is different\n{"notes": [{"code": "note.late", "args": 7}]}'
    assert notes_kept(later) == ("it is different",)


def test_what_was_not_sent_is_known_by_its_note_in_every_version():
    change = codec.dump(Change("remove-rule", "sg-1"))
    for note in (str(UnsentError("no time")), to_keep(failure_of(UnsentError("no time")))):
        assert note.startswith(UNSENT)
        entries = [
            Entry("d", 0, 0, change, state="not-done", note=note),
            Entry("d", 1, 0, change),
        ]
        progress = Progress(entries=entries)
        assert not progress.was_tried(entries[1])


def test_a_line_of_the_journal_has_its_sentences_beside_the_english():
    refused = said("why.call", text=OLD, action="DeleteSecurityGroup", code="Unauthorized")
    lines = [Entry("d", 0, 0, "{}", state="not-done", note=to_keep(refused))]
    lines.append(Entry("d", 1, 0, "{}", state="not-done", note=OLD))
    new, old = with_outcome({}, Outcome.UNDONE, journal=lines)["journal"]
    assert new["note"] == old["note"] == OLD
    assert "notes" not in old
    assert json.loads(json.dumps(new["notes"])) == [
        {
            "code": "why.call",
            "args": {"text": OLD, "action": "DeleteSecurityGroup", "code": "Unauthorized"},
        }
    ]


def test_several_sentences_are_one_without_a_full_stop_between_them():
    bound = said("delete.default-group", group=thing("sg-1"))
    order = said("since.order", group="sg-1")
    assert together([]) == ""
    assert together([order, order]) == order
    both = together([bound, order])
    assert isinstance(both, Sentence)
    assert in_words(both, CHINESE) == (
        "sg-1 是所在项目的默认安全组，不能删除；制定执行计划后，sg-1 的规则顺序有改动"
    )
    many = together([said("since.order", group=f"sg-{n}") for n in range(60)])
    assert in_english(many, 20_000).endswith(" and 20 more")
    assert in_english(said("note.all", notes=listed([order]))) == in_english(order)
