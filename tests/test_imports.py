"""Who may import whom: web → ingest → chatbot, inside each downward only, and no circle.

Imports are read from the source (``ast``), so the test costs nothing and sees imports inside functions too. Those
count for the direction between packages; for circles and for what a module drags in at import time only the
top-level ones do, because a function's import is how a cost is put off.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("chatbot", "ingest", "web", "migrations")

# Lower may not import higher. Same number: both ways forbidden between different groups, except as listed.
LAYERS = {
    "chatbot.errors": 0,
    "chatbot.settings": 0,
    "chatbot.progress": 0,
    "chatbot.extras": 1,
    "chatbot.outbound": 1,
    "chatbot.signatures": 1,
    "chatbot.termination": 0,
    "chatbot.waiting_line": 1,
    "chatbot.language": 1,
    "chatbot.inference.classifier_config": 1,  # what a network is made of, for those who train it and those who load it
    "chatbot.neural": 2,
    "chatbot.dialogue.cards": 0.2,  # pure, and part of an answer and of the trace
    "chatbot.dialogue.trace": 0.4,  # plain dataclasses that everybody speaks in
    "chatbot.dialogue.danger_texts": 0.5,  # plain texts, in the options
    "chatbot.dialogue.hours": 0.5,  # pure, and part of the options
    "chatbot.dialogue.action_templates": 1,
    "chatbot.dialogue.actions": 1.5,  # plain: what an admin makes and the tables keep
    "chatbot.dialogue.options": 1.6,  # with the site's own patterns, for redaction too
    "chatbot.records": 2,
    "chatbot.inference": 3,
    "chatbot.retrieval": 4,
    "chatbot.dialogue": 5,
    "chatbot.learning": 6,
    "ingest": 7,
    "web": 8,
}
MIGRATIONS_SEE = ("migrations", "chatbot.settings", "chatbot.records")

SERVING = (
    "chatbot.language",
    "chatbot.inference",
    "chatbot.retrieval",
    "chatbot.dialogue",
    "chatbot.records",
    "web",
)
TRAINING_LIBRARIES = ("torch", "sentence_transformers", "transformers", "accelerate", "onnxscript")
TRAINING = ("chatbot.neural", "chatbot.learning.training")
NOT_IN_TRAINING = ("sqlalchemy", "alembic", "flask", "faiss", "tantivy", "huey", "redis", "psycopg")


@dataclass(frozen=True)
class Import:
    module: str  # who imports
    target: str  # what, as far as it is a module
    line: int
    at_import: bool  # at the top level, outside TYPE_CHECKING

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def modules() -> dict[str, Path]:
    return {name_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports_of(module: str, path: Path) -> list[Import]:
    found: list[Import] = []

    def visit(node: ast.AST, at_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend(Import(module, alias.name, child.lineno, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module}:{child.lineno}: a relative import; write the whole name"
                for alias in child.names:
                    whole = f"{child.module}.{alias.name}"
                    target = whole if whole in modules() else str(child.module)
                    found.append(Import(module, target, child.lineno, at_import))
            elif isinstance(child, ast.If) and is_type_checking(child):
                visit(child, False)
            else:
                visit(child, at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    visit(ast.parse(path.read_text("utf-8")), True)
    return found


@lru_cache(maxsize=1)
def all_imports() -> tuple[Import, ...]:
    return tuple(one for module, path in modules().items() for one in imports_of(module, path))


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def layer_of(module: str) -> tuple[str, int] | None:
    """The layer with the longest name that the module lies in."""
    names = [name for name in LAYERS if within(module, (name,))]
    longest = max(names, key=len, default=None)
    return (longest, LAYERS[longest]) if longest else None


def test_the_walk_sees_the_packages() -> None:
    walked = {one.module.partition(".")[0] for one in all_imports()}
    assert walked >= {"chatbot", "ingest", "web", "migrations"}
    assert any(one.target == "chatbot.errors" for one in all_imports())


def test_imports_go_from_web_over_ingest_to_chatbot_and_inside_it_downward() -> None:
    wrong = []
    for one in all_imports():
        here, there = layer_of(one.module), layer_of(one.target)
        if here and there and here[0] != there[0] and there[1] >= here[1]:
            wrong.append(str(one))
    assert not wrong, "\n".join(wrong)


def test_every_part_of_chatbot_has_a_layer() -> None:
    unknown = [name for name in modules() if name.startswith("chatbot.") and layer_of(name) is None]
    assert not unknown


def test_migrations_see_the_settings_and_the_records_alone() -> None:
    wrong = [
        str(one)
        for one in all_imports()
        if within(one.module, ("migrations",))
        and within(one.target, PACKAGES)
        and not within(one.target, MIGRATIONS_SEE)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_but_migrations_itself_and_the_schema_names_migrations() -> None:
    wrong = [
        str(one)
        for one in all_imports()
        if within(one.target, ("migrations",)) and not within(one.module, ("migrations",))
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in modules()}
    for one in all_imports():
        if one.at_import and one.target in graph and one.target != one.module:
            graph[one.module].add(one.target)
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "a circle: " + " → ".join([*path[path.index(module) :], module])
        if module not in done:
            for target in sorted(graph[module]):
                walk(target, (*path, module))
            done.add(module)

    for module in graph:
        walk(module, ())


@lru_cache(maxsize=1)
def targets() -> dict[str, set[str]]:
    """What each module imports at its top level."""
    found: dict[str, set[str]] = {}
    for one in all_imports():
        if one.at_import:
            found.setdefault(one.module, set()).add(one.target)
    return found


@cache
def reached(start: str) -> frozenset[str]:
    """Every module and library that importing ``start`` imports, read from the source."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        todo.extend(targets().get(module, ()))
        package = module.rpartition(".")[0]
        if package in modules():
            todo.append(package)
    return frozenset(seen)


@lru_cache(maxsize=1)
def serving_modules() -> list[str]:
    return [module for module in modules() if within(module, SERVING) and not within(module, ("web.bench",))]


def test_serving_drags_in_no_training_library() -> None:
    wrong = [
        f"{module} → {library}"
        for module in serving_modules()
        for library in reached(module)
        if within(library, TRAINING_LIBRARIES)
    ]
    assert not wrong, "\n".join(wrong)


def test_serving_reaches_no_training_library_inside_a_function_either() -> None:
    """``web.jobs``, ``web.demo`` and the command do, on purpose: in a child process, or before anything is served."""
    may = ("web.jobs", "web.demo", "web.cli", "web.commands")
    wrong = [
        f"{one} → {library}"
        for one in all_imports()
        if one.module in serving_modules() and not within(one.module, may)
        for library in {one.target, *reached(one.target)}
        if within(library, TRAINING_LIBRARIES)
    ]
    assert not wrong, "\n".join(wrong)


def test_training_sees_no_database_no_web_and_no_index() -> None:
    wrong = []
    for module in modules():
        if within(module, TRAINING):
            for target in reached(module):
                if within(
                    target, (*NOT_IN_TRAINING, "web", "ingest", "chatbot.records", "chatbot.retrieval")
                ):
                    wrong.append(f"{module} → {target}")
    assert not wrong, "\n".join(wrong)


def test_only_the_vector_index_imports_faiss() -> None:
    users = {one.module for one in all_imports() if within(one.target, ("faiss",))}
    assert users <= {"chatbot.retrieval.vector_index"}


def test_nobody_imports_pickle() -> None:
    users = {
        one.module
        for one in all_imports()
        if within(one.target, ("pickle", "cPickle", "dill", "cloudpickle"))
    }
    assert not users


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("web.cli", ("torch", "sqlalchemy", "flask", "numpy", "rich", "pydantic", "onnxruntime")),
        (
            "web.application",
            (*TRAINING_LIBRARIES, "alembic", "huey", "psycopg"),
        ),  # a start waits for each of them
        ("web.supervisor", ("pydantic", "sqlalchemy", "flask", "numpy")),
        ("web.worker", (*TRAINING_LIBRARIES, "flask", "onnxruntime", "numpy")),
        ("chatbot.dialogue.assistant", TRAINING_LIBRARIES),
    ],
)
def test_a_fresh_interpreter_imports_it_without(module: str, forbidden: tuple[str, ...]) -> None:
    """The same, as the interpreter sees it: libraries import libraries, which the source walk does not follow."""
    script = (
        f"import json, sys, {module}; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(json.loads(run.stdout))
    assert not loaded & set(forbidden)
