"""Fields that a Struct does not show of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sgguard import hiding


@hiding("secret")
class Key(msgspec.Struct, frozen=True):
    name: str
    secret: str = ""


@hiding("note")
class Described(Key, frozen=True):
    note: str = ""
    title: str = ""


def test_a_hidden_field_is_in_no_text_of_it():
    for text in map(Key("one", "sesame").__format__, ("",)):
        assert "sesame" not in text
    assert repr(Key("one", "sesame")) == str(Key("one", "sesame")) == "Key(name='one')"


def test_a_field_stays_hidden_in_a_class_that_hides_more():
    shown = repr(Described("one", "sesame", "long", "short"))
    assert shown == "Described(name='one', title='short')"


def test_what_a_rich_traceback_would_print_is_hidden_too():
    rich: Iterator[Any] = Key("one", "sesame").__rich_repr__()
    assert list(rich) == [("name", "one")]


def test_a_misspelt_field_is_no_silent_leak():
    with pytest.raises(TypeError, match="no field secrets to hide"):
        hiding("secrets")(Key)


def test_hiding_changes_neither_equality_nor_what_is_written():
    assert Key("one", "sesame") != Key("one", "other")
    assert msgspec.to_builtins(Key("one", "sesame")) == {"name": "one", "secret": "sesame"}
