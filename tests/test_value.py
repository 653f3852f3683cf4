"""Our value types do what the standard library's frozen, slotted dataclasses do."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import typing

import pytest

import sgguard
from sgguard import value


@value.dataclass(frozen=True, slots=True)
class Ours:
    name: str
    count: int = 1
    tags: list[str] = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="", repr=False)

    def twice(self) -> int:
        return self.count * 2


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    name: str
    count: int = 1
    tags: list[str] = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="", repr=False)

    def twice(self) -> int:
        return self.count * 2


BOTH = pytest.mark.parametrize("kind", [Ours, Theirs], ids=["ours", "theirs"])


@BOTH
def test_it_is_made_with_positions_names_and_defaults(kind):
    one = kind("a", tags=["x"])
    assert (one.name, one.count, one.tags, one.secret, one.twice()) == ("a", 1, ["x"], "", 2)
    assert kind("a").tags is not kind("a").tags
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind("a", nothing=1)


@BOTH
def test_it_cannot_be_changed(kind):
    one = kind("a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        one.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        del one.name
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        one.other = 1
    assert not hasattr(one, "__dict__")


@BOTH
def test_it_equals_what_has_the_same_fields_and_is_of_the_same_type(kind):
    assert kind("a") == kind("a")
    assert kind("a") != kind("b")
    assert kind("a") != ("a", 1, [], "")
    assert Ours("a") != Theirs("a")


@BOTH
def test_it_can_be_a_key_when_its_fields_can(kind):
    with pytest.raises(TypeError, match="unhashable"):
        hash(kind("a"))
    assert hash(kind("a", 1, ())) == hash(kind("a", 1, ()))


@BOTH
def test_what_is_hidden_does_not_show(kind):
    assert repr(kind("a", secret="s3cret")) == f"{kind.__name__}(name='a', count=1, tags=[])"


@BOTH
def test_the_standard_librarys_functions_take_it(kind):
    one = kind("a", 2)
    assert dataclasses.is_dataclass(one)
    assert dataclasses.replace(one, name="b") == kind("b", 2)
    assert dataclasses.asdict(one) == {"name": "a", "count": 2, "tags": [], "secret": ""}
    match one:
        case Ours(name, count) | Theirs(name, count):
            assert (name, count) == ("a", 2)
    assert str(inspect.signature(kind)).startswith("(name: 'str', count: 'int' = 1")
    assert typing.get_type_hints(kind.__init__)["tags"] == list[str]


@BOTH
def test_it_can_be_copied_and_pickled(kind):
    one = kind("a", tags=["x"])
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
    assert copy.deepcopy(one).tags is not one.tags


@value.dataclass(frozen=True, slots=True)
class Spoken:
    secret: str

    def __repr__(self) -> str:
        return "Spoken()"


def test_a_repr_of_its_own_is_kept():
    assert repr(Spoken("s3cret")) == "Spoken()"


def test_what_is_not_offered_is_refused_when_the_type_is_made():
    with pytest.raises(TypeError, match="frozen"):
        value.dataclass(frozen=True, slots=False)
    with pytest.raises(TypeError, match="standard library"):

        @value.dataclass(frozen=True, slots=True)
        class Late:
            name: str

            def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match="standard library"):

        @value.dataclass(frozen=True, slots=True)
        class Named:
            name: str = dataclasses.field(kw_only=True)


def test_every_secret_that_was_hidden_stays_hidden():
    """Each value type of the package shows exactly the fields that say they may be shown."""
    for module in pkgutil.walk_packages(sgguard.__path__, "sgguard."):
        if module.name.endswith("__main__"):
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and hasattr(kind, "__shown__"):
                shown = {f.name for f in dataclasses.fields(kind) if f.repr}
                assert set(kind.__shown__) == shown, kind
