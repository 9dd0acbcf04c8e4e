"""What is wrong, and what to do about it, in Chinese: every error that a page can show, found in the source."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from chatbot import errors
from web.sentences import in_words

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
VALUE = re.compile(r"X\d")
WORD = re.compile(r"[A-Za-z][a-z]{2,}")
GAP = re.compile("\0([^\0]+)\0")
ENGLISH = {  # modules whose errors no page shows, and who reads them
    "chatbot/learning/adversarial.py": "frontdesk evaluate",
    "chatbot/learning/conversations_played.py": "frontdesk evaluate",
    "chatbot/inference/label_sets.py": "frontdesk labels, and the log",
    "chatbot/learning/label_sets.py": "frontdesk labels",
    "ingest/labelled_texts.py": "frontdesk labels",
    "chatbot/learning/index_check.py": "frontdesk index",
    "chatbot/learning/questions.py": "frontdesk evaluate",
    "chatbot/learning/release_figures.py": "frontdesk evaluate",
    "chatbot/learning/search_calibration.py": "a wrong call: the arguments stand in the source",
    "chatbot/learning/search_judging.py": "a wrong call: the arguments stand in the source",
    "chatbot/records/database.py": "whoever starts the server",
    "chatbot/records/moving.py": "frontdesk db move",
    "chatbot/signatures.py": "programs that sign what they send to the API",
    "ingest/demo/": "frontdesk demo",
    "web/api/": "programs: the API is English",
    "web/backup.py": "frontdesk backup and restore",
    "web/bench/": "frontdesk bench",
    "web/commands/": "the terminal",
    "web/demo.py": "frontdesk demo",
    "web/identity.py": "the developer of the page around the widget, in the browser's console",
    "web/job_queue.py": "whoever starts the server",
    "web/metrics.py": "the program that collects the metrics",
    "web/news.py": "whoever starts the server",
    "web/pictures.py": "whoever takes the pictures of the manual",
    "web/secrets.py": "whoever starts the server",
    "web/serve.py": "whoever starts the server",
    "web/widget/languages.py": "frontdesk doctor and the log",
}
SAID_BY = {  # which arguments say what is wrong, and what to do
    **{
        name: (0,)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.FrontdeskError)
    },
    "NotNeeded": (0,),
    "Refused": (0,),
    "RowError": (1, 3),
    "RowProblem": (0,),
    "Unsendable": (0,),
}
KEYWORDS = {"message", "remedy"}
PIECES = {  # what stands in a gap that holds words instead of a value
    ("ingest/articles/markdown.py", "line"): ("", " in line 8"),
    ("ingest/intents.py", "field"): ("titles", "approved"),
    ("ingest/transcripts/json_records.py", "where"): ("", " at column 8"),
    ("web/widget_options.py", "name"): ("corners", "position", "theme"),
}
# the same in Chinese: names, and what is typed
STAY = """Bearer Chatwoot Dense Excel Help Lines Office Pooling Rasa Transformer Webhook Word
action agent answer article auto beam bot check cpu cuda customer data discard export faker false frontdesk
gzip http https ignore import index ingest install intents jobs label list look max mean nlu null oos optuna order pip
pypinyin python question rasa releases retrain role snapshot text torch transcripts true try tune validate"""


def _texts(node: ast.expr | None, constants: dict[str, ast.expr]) -> list[str]:
    """The sentences that an argument can be; a value in one is the source of it between two NULs."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = [
            ast.unparse(one.value) if isinstance(one, ast.FormattedValue) else one for one in node.values
        ]
        return [
            "".join(f"\0{one}\0" if isinstance(one, str) else str(ast.literal_eval(one)) for one in parts)
        ]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, constants) + _texts(node.orelse, constants)
    if isinstance(node, ast.BoolOp):
        return [text for one in node.values for text in _texts(one, constants)]
    if isinstance(node, ast.BinOp):
        return [a + b for a, b in product(_texts(node.left, constants), _texts(node.right, constants))]
    if isinstance(node, ast.Subscript):
        return _texts(node.value, constants)
    if isinstance(node, ast.Name):
        return _texts(constants.get(node.id), {})
    return []


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _told(call: ast.Call, places: tuple[int, ...], keywords: set[str]) -> list[ast.expr]:
    words = [word.value for word in call.keywords if word.arg in keywords]
    return [call.args[at] for at in places if at < len(call.args)] + words


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _handed_on(function: ast.FunctionDef) -> tuple[tuple[int, ...], set[str]]:
    """(places, names) of the parameters that a function says as what is wrong or what to do."""
    said = {
        leaf.id
        for call in _calls(function)
        if _name(call) in SAID_BY
        for told in _told(call, SAID_BY[_name(call)], KEYWORDS)
        for leaf in ast.walk(told)
        if isinstance(leaf, ast.Name) and not isinstance(told, ast.JoinedStr)
    }
    by_place = [one.arg for one in function.args.args if one.arg != "self"]
    names = said & {*by_place, *(one.arg for one in function.args.kwonlyargs)}
    return tuple(at for at, name in enumerate(by_place) if name in names), names


def _sentences(module: str) -> set[str]:
    """What the errors of a module say."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    constants = {
        one.targets[0].id: one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    tellers = {
        one.name: handed
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and (handed := _handed_on(one))[1]
    }
    told = [
        argument
        for call in _calls(tree)
        for argument in (
            _told(call, SAID_BY[_name(call)], KEYWORDS)
            if _name(call) in SAID_BY
            else _told(call, *tellers.get(_name(call), ((), set())))
        )
    ]
    return {text for one in told for text in _texts(one, constants) if text}


def _examples(module: str, sentence: str) -> Iterator[str]:
    """``sentence`` with values: X1, X2, … or what stands there instead."""
    gaps = list(dict.fromkeys(GAP.findall(sentence)))
    values = [PIECES.get((module, gap), (f"X{number}",)) for number, gap in enumerate(gaps, 1)]
    for chosen in product(*values):
        filled = dict(zip(gaps, chosen, strict=True))
        yield GAP.sub(lambda gap, filled=filled: filled[gap[1]], sentence)  # type: ignore[misc]


def _modules() -> Iterator[str]:
    for package in ("chatbot", "ingest", "web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            if not module.startswith(tuple(ENGLISH)):
                yield module


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str]]:
    """(module, sentence) of everything an error can say that a page may show."""
    return [
        (module, example)
        for module in _modules()
        for sentence in sorted(_sentences(module))
        for example in _examples(module, sentence)
    ]


def test_every_error_that_a_page_can_show_has_chinese_words(found: list[tuple[str, str]]) -> None:
    assert len(found) > 800
    lacking = [one for one in found if not HAN.search(in_words(one[1], "zh"))]
    assert lacking == [], "translate it in web/texts/zh.sentences.json"


def test_an_error_keeps_its_values_and_no_english_word(found: list[tuple[str, str]]) -> None:
    """A template that is too wide swallows another sentence and leaves words of it as if they were a value."""
    stay = set(STAY.split())
    for module, sentence in found:
        told = in_words(sentence, "zh")
        assert set(VALUE.findall(told)) == set(VALUE.findall(sentence)), (module, sentence, told)
        left = [one for one in re.findall("[!-~]+", told) if WORD.fullmatch(one) and one not in stay]
        assert left == [], (module, sentence, told)


def test_the_english_modules_are_there() -> None:
    assert [name for name in ENGLISH if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (  # the line that a report keeps of an error
            "orders.csv is empty (got 'orders.csv'). Fill in its first sheet.",
            "orders.csv 是空文件（orders.csv）。请填写第一个工作表。",
        ),
        (
            "No article could be read from a.csv (got 'The row has no answer'). Leave this row out.",
            "无法从 a.csv 读出文章（这一行没有答案）。请去掉这一行。",
        ),
        (
            "https://a.example/x: This is no address (got 'x'). Give the address of a page.",
            "https://a.example/x：这不是网址（x）。请给出网页地址。",
        ),
        (
            "nothing to repeat at position 0; for example [A-Z]{2}-\\d{6}",
            "没有可重复的内容（位置 0）；例如 [A-Z]{2}-\\d{6}",
        ),
        ("ValueError: all is lost. Nobody knows why.", "ValueError: all is lost. Nobody knows why."),
    ],
)
def test_a_stored_error_is_told_in_chinese(english: str, chinese: str) -> None:
    assert in_words(english, "zh") == chinese
    assert in_words(english, "en") == english
