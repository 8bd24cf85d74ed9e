"""Reading captions: pure functions."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.folding import fold_tag
from videos.templatetags.captions import caption_html
from videos.text import clean_comment, clean_text, hashtags, mentions, parse


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#sea and #Sea are one", ["sea"]),
        ("#a#b touching", ["a", "b"]),
        ("no tag: a#b, &#39; /#x ##y", []),
        ("#1 is a number, #1st is not", ["1st"]),
        ("#münchen, #東京! #हिन्दी #สวัสดี #عربي.", ["münchen", "東京", "हिन्दी", "สวัสดี", "عربي"]),
        ("#STRASSE #straße", ["strasse"]),
        ("#ｆｕｌｌ #full", ["full"]),
        ("#snake_case-and-dash", ["snake_case"]),
        ("#می‌خواهم", ["می‌خواهم"]),
        ("#" + "x" * 51, []),
        ("#" + "x" * 50, ["x" * 50]),
        ("https://example.org/a#not-a-tag #tag", ["tag"]),
        ("# alone", []),
        ("#", []),
        ("#😀", []),
        ("line\n#next", ["next"]),
        ("(#inside)", ["inside"]),
    ],
)
def test_hashtags_are_found_in(text: str, tags: list[str]) -> None:
    assert hashtags(text) == tags


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("hi @anna and @Ben_2.", ["anna", "ben_2"]),
        ("@anna @ANNA", ["anna"]),
        ("mail me@example.org", []),
        ("@a is too short", []),
        ("@" + "x" * 25, []),
        ("https://example.org/@anna", []),
        ("@dots.in.it...", ["dots.in.it"]),
    ],
)
def test_mentions_are_found_in(text: str, handles: list[str]) -> None:
    assert mentions(text) == handles


@given(st.text())
def test_parsing_loses_nothing(text: str) -> None:
    assert "".join(segment.text for segment in parse(text)) == text


@given(st.text())
def test_a_tag_that_is_folded_twice_stays_the_same(text: str) -> None:
    for tag in hashtags(f"#{text}"):
        assert fold_tag(tag) == tag
        assert hashtags(f"#{tag}") == [tag]


@given(st.text(alphabet="<>&\"'#@/:hatps.xyz \n") | st.text())
def test_html_of_a_caption_has_no_markup_but_our_links(text: str) -> None:
    rendered = caption_html(text)
    bare = re.sub(
        r'<a( class="(tag|mention)")? href="[^"<>]*"( rel="[a-z ]*")?>|</a>', "", rendered
    )
    assert "<" not in bare
    assert ">" not in bare
    assert html.unescape(bare) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        (None, ""),
        ("#Sea!", '<a class="tag" href="/tag/sea">#Sea</a>!'),
        ("@Anna.", '<a class="mention" href="/@anna">@Anna</a>.'),
    ],
)
def test_html_of(text: str | None, expected: str) -> None:
    assert caption_html(text) == expected


def test_an_address_is_linked_without_the_sentence_around_it() -> None:
    rendered = caption_html('see (https://example.org/a_(b)?x=1&y="2").')
    assert 'href="https://example.org/a_(b)?x=1&amp;y="' in rendered
    assert 'rel="nofollow ugc noopener noreferrer"' in rendered


@pytest.mark.parametrize(
    "text", ["a\x00b", "a\x1bb", "a\x7fb", "a\ud800b", "a\u202eb", "\x85 a\x85b"]
)
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        clean_comment(text)
    assert refused.value.fields["text"][0][0] == "control_characters"


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u200b"])
def test_an_invisible_comment_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        clean_comment(text)
    assert refused.value.fields["text"][0][0] == "blank"


def test_line_ends_become_one_kind_and_edges_go() -> None:
    assert clean_text("caption", " a\r\nb\rc \n", max_length=10) == "a\nb\nc"


def test_the_longest_comment_is_let_in_and_one_more_is_not() -> None:
    assert clean_comment("x" * 1000)
    with pytest.raises(DomainError):
        clean_comment("x" * 1001)
