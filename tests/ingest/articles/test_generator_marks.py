import pytest

from ingest.articles.generator_marks import plain_marks


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Rooms {{< price 12 >}}here{% endraw %}.", "Rooms here."),
        ("Call {{% phone %}} now.", "Call now."),
        ("## Fees {#fees}", "## Fees"),
        ("See [[Rooms]] and [[rates|the rates]].", "See Rooms and the rates."),
        ("Cot free[^1]\n\n[^1]: On request.", "Cot free (1)\n\n(1) On request."),
        (":::tip[Good to know]\nAsk first.\n:::", "**Good to know**\n\nAsk first.\n"),
        ("> [!NOTE]\n> Ask first.", "> \n> Ask first."),
        (
            '!!! note "Late"\n    Ring twice.\n\n    Wait.\nThen go.',
            "**Late**\n\nRing twice.\n\nWait.\nThen go.",
        ),
        (
            "Write {{name}} and [x](y), ![[picture.png]] stays.",
            "Write {{name}} and [x](y), ![[picture.png]] stays.",
        ),
        ("```\n{{< x >}} [[y]]\n```\n{{< x >}}", "```\n{{< x >}} [[y]]\n```\n"),
        ("    code\n", "    code\n"),
    ],
)
def test_what_only_generators_read_is_left_out(text, told):
    assert plain_marks(text) == told
