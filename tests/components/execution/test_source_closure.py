"""What a module's result depends on, read from a package of the test's own."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from litegate.execution.source_closure import SourceTree, _parsed

FILES = {
    "__init__.py": '"""A package."""\nfrom shop.front import sell\n',
    "front.py": "import json\nimport numpy.linalg\nfrom shop.goods import Apple\ndef sell(): return Apple\n",
    "goods/__init__.py": "from shop.goods.fruit import Apple\nfrom shop.goods.tools import Saw\n__all__ = []\n",
    "goods/fruit.py": "class Apple: pass\n",
    "goods/tools.py": "import tensorflow\nclass Saw: pass\n",
    "late.py": "def look():\n    from shop.goods import tools\n    return tools\n",
    "whole.py": "from shop import goods\n",
    "lists.py": 'ENGINES = {"saw": "shop.goods.tools"}\n',
    "formats.py": 'import importlib\ndef load(name): return importlib.import_module(f"shop.goods.{name}")\n',
    "loose/__init__.py": "",
    "loose/any.py": "from importlib import import_module\ndef load(name): return import_module(name)\n",
    "loose/beside.py": "import pyarrow\n",
    "loud/__init__.py": "import warnings\nwarnings.simplefilter('ignore')\nfrom shop.goods import fruit\n",
    "loud/inside.py": "",
    "near.py": "from .goods.fruit import Apple\nfrom . import late\n",
    "typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.goods import tools\n",
    "lost.py": "from shop.gone import nothing\n",
    "stars.py": "from shop.goods import *\n",
    "renamed.py": "from shop.goods import Other\n",
    "spelled.py": "import importlib\nimportlib.import_module('shop.late')\nimportlib.import_module('h5py')\n",
    "relative.py": "import importlib\nimportlib.import_module('.late', __package__)\n",
    "outer/__init__.py": "from numpy import array\nfrom shop.goods.fruit import Apple as Pear\n",
    "asks.py": "from shop.outer import array\n",
    "pears.py": "from shop.outer import Pear\n",
    "twice/__init__.py": "from shop.goods.fruit import Apple\n",
    "twice/Apple.py": "",
    "apples.py": "from shop.twice import Apple\n",
    "own/__init__.py": "from shop.own import part\n",
    "own/part.py": "",
    "owner.py": "from shop.own import part\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    for name, text in FILES.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SourceTree(tmp_path / "shop")


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("front", {"front", "goods.fruit"}),  # what goods passes on of tools is not asked for
        ("late", {"late", "goods.tools"}),
        ("whole", {"whole", "goods", "goods.fruit", "goods.tools"}),
        ("lists", {"lists", "goods.tools"}),
        ("spelled", {"spelled", "late", "goods.tools"}),
        ("asks", {"asks", "outer", "goods.fruit"}),
        ("pears", {"pears", "outer", "goods.fruit"}),
        ("apples", {"apples", "twice.Apple", "goods.fruit"}),  # which of them it is depends on what ran before
        ("formats", {"formats", "goods.fruit", "goods.tools"}),
        ("loose.any", {"loose", "loose.any", "loose.beside"}),
        ("loud.inside", {"loud", "loud.inside", "goods.fruit"}),  # the package does something when it is imported
        ("near", {"near", "goods.fruit", "late", "goods.tools"}),
        ("typed", {"typed"}),
        ("stars", {"stars", "goods", "goods.fruit", "goods.tools"}),
        ("owner", {"owner", "own.part"}),
        ("renamed", {"renamed", "goods", "goods.fruit", "goods.tools"}),
    ],
)
def test_all_that_a_module_imports_or_loads_by_name_counts(tree: SourceTree, module: str, imports: set[str]) -> None:
    assert set(tree.closure([f"shop.{module}"]).digests) == {f"shop.{name}" for name in imports}


def test_what_cannot_be_told_counts_as_everything(tree: SourceTree) -> None:
    assert set(tree.closure(["shop.lost"]).digests) == set(tree.paths)
    assert set(tree.closure(["shop.relative"]).digests) == set(tree.paths)
    assert set(tree.closure(["shop.gone"]).digests) == set(tree.paths)


def test_other_packages_count_by_their_names(tree: SourceTree) -> None:
    assert tree.closure(["shop.front"]).others == {"json", "numpy"}
    assert tree.closure(["shop.late"]).others == {"tensorflow"}
    assert tree.closure(["shop.spelled"]).others == {"importlib", "h5py", "tensorflow"}
    assert tree.closure(["shop.asks"]).others == {"numpy"}


def test_what_is_left_out_is_not_looked_into(tree: SourceTree) -> None:
    assert set(tree.closure(["shop.whole"], ["shop.goods"]).digests) == {"shop.whole"}
    assert set(tree.closure(["shop.near"], ["shop.late"]).digests) == {"shop.near", "shop.goods.fruit"}


def test_a_changed_line_changes_the_digest_of_its_module_alone(tree: SourceTree, tmp_path: Path) -> None:
    before = tree.closure(["shop.whole"]).digests
    (tmp_path / "shop/goods/fruit.py").write_text("class Apple:\n    green = True\n")
    after = SourceTree(tmp_path / "shop").closure(["shop.whole"]).digests
    assert {name for name in after if after[name] != before[name]} == {"shop.goods.fruit"}


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(1)
    gc.callbacks.append(_yield)
    yield
    gc.callbacks.remove(_yield)
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)


def _yield(*_: object) -> None:
    """The collector runs this in the middle of building a tree, where another thread may then go on."""
    sum(range(500))


def test_threads_may_read_modules_at_the_same_time(hurried: None) -> None:
    source = b"x = [(a, [b, {c: (d, [e])}]) for a in f(g(h(1)))]\n" * 40
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(lambda number: _parsed(source, str(number)), range(24)))
    assert {len(tree.body) for tree in trees} == {40}
