"""The documentation names folders, files and functions: they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGES = ("chatbot", "ingest", "web")


def test_the_list_of_packages_is_that_of_the_tree() -> None:
    block = ARCHITECTURE.split("```\n")[1]
    named = re.findall(r"(?m)^([a-z][a-z/]*) ", block)
    there = [
        path.parent.relative_to(ROOT).as_posix()
        for top in PACKAGES
        for path in (ROOT / top).rglob("__init__.py")
    ]
    assert sorted(named) == sorted(set(there) - {"chatbot"})


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=lambda path: path.name
)
def test_every_python_file_that_is_named_is_there(document: Path) -> None:
    """A name may leave out the folders that the text has just spoken of."""
    files = [
        "/" + path.relative_to(ROOT).as_posix()
        for top in (*PACKAGES, "tests")
        for path in (ROOT / top).rglob("*.py")
    ]
    named = set(re.findall(r"[\w/]+\.py\b", document.read_text("utf-8")))
    assert [name for name in sorted(named) if not any(path.endswith("/" + name) for path in files)] == []


def test_every_function_among_the_interfaces_is_there() -> None:
    block = ARCHITECTURE.split("```python\n")[1].split("```")[0]
    named = re.findall(r"\b(?:chatbot|ingest|web)(?:\.\w+)+|(?<= \| )\w+", block)
    assert len(named) > 10
    missing, module = [], Path()
    for name in named:
        *folders, last = name.split(".")
        if folders:
            owners = [part for part in folders if part[0].isupper()]
            module = ROOT.joinpath(*(part for part in folders if part not in owners))
            last = owners[0] if owners else last
        file = module.with_suffix(".py") if module.with_suffix(".py").is_file() else module / "__init__.py"
        body = ast.parse(file.read_text("utf-8")).body if file.is_file() else []
        if last not in {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}:
            missing.append(name)
    assert missing == []
