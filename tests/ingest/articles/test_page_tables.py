import pytest

from ingest.articles.documents import article_of_html

pytest.importorskip("markdownify", reason="the documents extra is not installed")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            '<thead><tr><th>Size</th><th colspan=2>Fee</th></tr><tr><th></th><th>Once</th><th>Yearly</th></tr></thead>'
            '<tbody><tr><td>5</td><td>€49</td><td rowspan="2">€12</td></tr><tr><td>50</td><td>€29</td></tr></tbody>',
            "Size | Fee | Fee\n | Once | Yearly\n5 | €49 | €12\n50 | €29 | €12",
        ),
        ("<caption>Fees</caption><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr>", "Fees\n\na | b\n1 | 2",),
        ("<colgroup><col></colgroup><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr>", "a | b\n1 | 2"),
        ("<tr><td>Prices</td></tr><tr><td>1</td><td>2</td></tr>", "Prices\n1 | 2"),
        (
            "<thead><tr><th>a</th><th>b</th></tr></thead><tfoot><tr><td>sum</td><td>2</td></tr></tfoot>"
            "<tbody><tr><td>1</td><td>2</td></tr></tbody>",
            "a | b\n1 | 2\nsum | 2",
        ),
        ("<tr><td><p>Mind:</p><ul><li>x</li></ul></td></tr>", "Mind:\n- x"),
        (
            "<tr><td>Left.</td><td><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></td></tr>",
            "Left.\n\n1 | 2\n3 | 4",
        ),
    ],
    ids=["spanning header", "caption", "colgroup", "narrow first row", "foot", "box", "layout"],
)  # fmt: skip
def test_a_table_stays_one_whatever_its_parts(table, text):
    page = f"<html><title>Fees</title><body><table>{table}</table></body></html>"
    article = article_of_html(page, name="fees.html", slug="fees")
    assert "\n".join(passage.text for passage in article.passages) == text
