"""Which modules a step's result depends on: all that its module imports, at any depth, read from the text.

What is imported from a package counts as the module that defines it: a package that gathers names does not tie
together what it gathers. A module whose full name is in a string counts as imported, for that is how registries load
what they list. Where the text does not tell, more counts rather than less.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from litegate.digest import digest_bytes
from litegate.execution.file_state import source_files

__all__ = ["Closure", "SourceTree"]

_BINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
_TELLING = (ast.Import, ast.ImportFrom, ast.Constant, ast.Call)
_LOADERS = frozenset({"import_module", "__import__"})
_PARSING = Lock()


@dataclass(frozen=True)
class Closure:
    """What modules import, themselves included.

    Attributes:
        digests: SHA-256 of the source of each module of the tree, by dotted name.
        others: top-level names of what lies elsewhere: Python's own library, and distributions.
    """

    digests: Mapping[str, str]
    others: frozenset[str]


class SourceTree:
    """The source of one package; nothing of it is run.

    Args:
        root: its folder, which is named as the package is.
    """

    def __init__(self, root: Path) -> None:
        self.paths = _modules_in(root)
        self.package = root.name

    def closure(self, start: Iterable[str], without: Iterable[str] = ()) -> Closure:
        """What modules import.

        Args:
            start: the modules; one that is not there counts as all that are.
            without: modules, and packages with what is in them, that do not count and are not looked into.

        Raises:
            SyntaxError: a module is not valid Python.
        """
        left_out = tuple(without)
        within = tuple(f"{each}." for each in left_out)
        waiting = [name for each in start for name in self._behind(each)]
        found: dict[str, _Module] = {}
        while waiting:
            name = waiting.pop()
            if name not in found and name not in left_out and not name.startswith(within):
                module = found[name] = self._module(name)
                waiting += [inside for each in module.imports for inside in self._behind(*each)]
                waiting += [inside for each in module.named for inside in self._below(each)]
        others = {each.partition(".")[0] for module in found.values() for each, _ in module.imports}
        return Closure({name: module.digest for name, module in found.items()}, frozenset(others - {self.package}))

    def read(self) -> None:
        """Read all modules, for this process and those that it forks; one that changes later is read anew.

        Raises:
            SyntaxError: a module is not valid Python.
        """
        for name in self.paths:
            self._module(name)

    @cache  # noqa: B019  a tree lives as long as its process
    def _behind(self, module: str, name: str = "") -> tuple[str, ...]:
        """The modules of this tree that `import module` means, or `from module import name`."""
        return tuple(self._found_behind(module, name))

    def _found_behind(self, module: str, name: str) -> Iterator[str]:
        if not _within(module, self.package):
            return
        yield from (each for each in _packages_of(module) if each in self.paths and not self._module(each).only_binds)
        inside, passed_on = f"{module}.{name}", self._module(module).passed_on if module in self.paths else {}
        if inside in self.paths:
            yield inside
        if name in passed_on:
            yield from self._behind(passed_on[name], name)
        elif module not in self.paths:  # whatever it is, it is one of these
            yield from self.paths
        elif inside not in self.paths:
            yield module

    @cache  # noqa: B019
    def _below(self, name: str) -> tuple[str, ...]:
        """The modules that a string may mean: one of that name and all that is in it, or all that begin so."""
        begins = name if name.endswith(".") else f"{name}."
        return tuple(each for each in self.paths if each == name or each.startswith(begins))

    @cache  # noqa: B019
    def _module(self, name: str) -> _Module:
        path = self.paths[name]
        return _read(name, path.name == "__init__.py", path.read_bytes())


class _Module:
    """One module's text.

    Args:
        name: its dotted name.
        is_package: whether it is the module of a package.
        source: the text.

    Attributes:
        imports: pairs of a module and what of it; of a module as a whole, the latter is empty.
        named: strings that are names of modules, or beginnings of such names.
        passed_on: which modules of the tree a package has names from, by name; of another module nothing is passed on.
        only_binds: whether all that importing it does is to define names.
        digest: SHA-256 of the text.
    """

    def __init__(self, name: str, is_package: bool, source: bytes) -> None:
        self._package = name if is_package else name.rpartition(".")[0]
        self.digest = digest_bytes(source)
        body = [node for node in _parsed(source, name).body if not _is_for_types(node)]
        nodes = [node for part in body for node in ast.walk(part) if isinstance(node, _TELLING)]
        self.imports = {each for node in nodes for each in self._imported(node)}
        self.named = {each for node in nodes for each in self._names(node)}
        self.passed_on = self._names_of_others(body) if is_package else {}
        self.only_binds = all(isinstance(node, _BINDS) for node in body if not _is_text(node))

    def _names_of_others(self, body: Iterable[ast.stmt]) -> dict[str, str]:
        froms = [node for node in body if isinstance(node, ast.ImportFrom)]
        found = {name.asname or name.name: (self._absolute(node), name.name) for node in froms for name in node.names}
        top = self._package.partition(".")[0]
        others = {name: module for name, (module, own) in found.items() if name == own and module != self._package}
        return {name: module for name, module in others.items() if _within(module, top)}

    def _imported(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.Import():
                yield from ((alias.name, "") for alias in node.names)
            case ast.ImportFrom():
                yield from ((self._absolute(node), alias.name) for alias in node.names)
            case ast.Call(args=[ast.Constant(value=str(text)), *_]) if _loads(node) and not text.startswith("."):
                yield text, ""

    def _names(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)) if _is_name(text):
                yield text
            case ast.Call(args=[ast.Constant(value=str(text)), *_]) if not text.startswith("."):
                pass
            case ast.Call(args=[ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]), *_]) if _is_name(text):
                pass
            case ast.Call() if _loads(node):
                yield self._package  # by a name that is made as it runs: any that is beside it

    def _absolute(self, node: ast.ImportFrom) -> str:
        parents = self._package.split(".")
        start = parents[: len(parents) + 1 - node.level] if node.level else []
        return ".".join([*start, *([node.module] if node.module else [])])


def _parsed(source: bytes, name: str) -> ast.Module:
    """One thread at a time: before Python 3.13 the depth of the trees under construction is counted for all together.

    See https://github.com/python/cpython/issues/106905
    """
    with _PARSING:
        return ast.parse(source, name)


@cache
def _read(name: str, is_package: bool, source: bytes) -> _Module:
    return _Module(name, is_package, source)


def _loads(call: ast.Call) -> bool:
    """Whether it is `import_module` or the like that is called."""
    return (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) in _LOADERS


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_name(text: str) -> bool:
    return "." in text and all(part.isidentifier() for part in text.removesuffix(".").split("."))


def _modules_in(root: Path) -> dict[str, Path]:
    """The files of a package by their dotted names."""
    above = len(f"{root.parent}{os.sep}")
    paths = [path for path, _ in source_files(str(root))]
    return {path[above:-3].replace(os.sep, ".").removesuffix(".__init__"): Path(path) for path in sorted(paths)}


def _packages_of(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
