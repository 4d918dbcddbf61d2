"""Every template of the published reference is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.domain.stacks.templates import compare, document, read

REFERENCE = Path(__file__).parents[5] / "shared" / "seeds"
PAGES = ("mobingi-alm-v3-reference.md", "mobingi-alm-v3-hosted.txt")

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="the published reference is not here")


def values(text: str) -> Iterator[Any]:
    """Every JSON object and list that begins a line, and what is in them."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if text[at] in "{[":
            try:
                value, end = decoder.raw_decode(text, at)
                yield from below(value)
            except ValueError:
                pass
        at = end


def below(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from below(each)


def texts(page: str) -> list[str]:
    found = list(values((REFERENCE / page).read_text()))
    templates = [json.dumps(value) for value in found if isinstance(value, dict) and "configurations" in value]
    return templates + [value for value in found if isinstance(value, str) and '"configurations"' in value]


@pytest.mark.parametrize("page", PAGES)
def test_every_published_template_is_taken_without_a_warning(page):
    published = texts(page)

    assert len(published) >= 6
    for text in published:
        found = read(text)
        assert found.flags == ("Web01",)
        assert not found.warnings


@pytest.mark.parametrize("page", PAGES)
def test_the_published_comparison_is_ours(page):
    """But for one path: the example says `/1/` of the only layer."""
    (published,) = [
        value for value in values((REFERENCE / page).read_text()) if isinstance(value, dict) and "diff" in value
    ]

    found = compare(published["source"], published["target"]).as_document()

    expected = published["diff"]
    expected["removed"] = {path.replace("/1/", "/"): value for path, value in expected["removed"].items()}
    assert found == expected
    assert list(found["edited"]) == list(expected["edited"])


@pytest.mark.parametrize("page", PAGES)
def test_the_published_body_of_a_comparison_has_a_comma_too_many_and_is_read(page):
    bodies = [text for text in texts(page) if text.startswith("{\n")]

    assert bodies
    for body in bodies:
        with pytest.raises(ValueError):
            json.loads(body)
        assert document(body)["configurations"][0]["provision"]["instance_count"] == 2
