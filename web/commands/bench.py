"""``frontdesk bench``: whatever web/bench holds."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import click


class BenchCommands(click.Group):
    """Each module of web/bench with a ``command`` is a sub-command; none is imported until it is called."""

    folder = Path(__file__).parent.parent / "bench"

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.py") if self._has_command(path))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        loaded: click.Command = importlib.import_module(f"web.bench.{cmd_name}").command
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._first_line(self.folder / f"{name}.py")) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    @staticmethod
    def _tree(path: Path) -> ast.Module:
        return ast.parse(path.read_text("utf-8"))

    @classmethod
    def _first_line(cls, path: Path) -> str:
        first = (ast.get_docstring(cls._tree(path)) or "").partition("\n\n")[0].replace("\n", " ")
        return first.removeprefix(f"``bench {path.stem}``: ")

    @classmethod
    def _has_command(cls, path: Path) -> bool:
        for node in cls._tree(path).body:
            if isinstance(node, ast.FunctionDef) and node.name == "command":
                return True
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == "command" for target in node.targets
            ):
                return True
        return False


@click.group(cls=BenchCommands)
def bench() -> None:
    """Measure: accuracy, retrieval, speed, load. Needs no running server and no company data."""
