from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from sgguard.wire.form import decoded, encoded

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(
    r"[A-Za-z0-9_.~+/=&% -]*", fullmatch=True
)


@given(st.dictionaries(TEXTS, TEXTS, max_size=6))
def test_a_form_is_written_as_the_standard_library_writes_it(params):
    assert encoded(params) == urlencode(params)


@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=6))
def test_a_form_that_is_written_and_read_is_the_same(params):
    assert decoded(encoded(params).encode()) == params


@given(st.binary(max_size=40) | st.from_regex(rb"[a-c=&%+2]*", fullmatch=True))
def test_a_form_is_read_as_the_standard_library_reads_it(form):
    text = form.decode(errors="replace")
    assert decoded(form) == dict(parse_qsl(text, keep_blank_values=True))
