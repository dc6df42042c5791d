"""Code that users bring is loaded in one module, and only in processes that are confined."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import grimp

from litegate.execution.returned.claims import CLAIMS
from litegate.steps import STEPS

ROOT = Path(__file__).parents[3]
LOADER = "litegate.user_code.entry_point"
THEIR_OWN_TRAINING = {"prepare", "train"}
"""Steps that are there to run the user's code with the user's rights."""

LOADS_BY_NAME = {
    "litegate/execution/sandbox/__main__.py": "the program of the steps, of which a step says it is",
    "litegate/execution/warm/__main__.py": "what lists the modules to load before any step",
    "litegate/steps/preloading.py": "the steps' own modules and their libraries, before any user's code is there",
    "litegate/__init__.py": "the front door's own names, in the caller's process",
    "litegate/stack/__init__.py": "the names of the stack, of which a command takes what it needs",
    "litegate/engines/__init__.py": "an engine, by its row",
    "litegate/runtimes/__init__.py": "a runtime, by its row",
    "litegate/user_code/entry_point.py": "the user's functions and classes",
    "litegate/steps/child.py": "a step, by its name in the registry",
    "litegate/flavor/python_model.py": "litegate's own adapter, in the process of who serves a model",
    "litegate_airflow/events/notify.py": "Airflow notifiers, which who runs Airflow has installed",
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("litegate", "litegate_airflow")


def reaching(module: str) -> set[str]:
    """All that import a module, at any depth, also within functions."""
    return graph().find_downstream_modules(module)


def test_every_step_that_can_load_users_code_is_confined() -> None:
    steps = {name for name in STEPS if f"litegate.steps.{name}" in reaching(LOADER)}
    assert steps >= {"resolve", "snapshot", "sample", "lint", "evaluate", "gate", "drift"}, "the graph is whole"
    assert {name for name in steps if not STEPS[name].confined} == THEIR_OWN_TRAINING


def test_nothing_but_steps_and_what_they_use_can_load_users_code() -> None:
    """Operators, the command line, the servers and the parents of steps among them."""
    callers = ("litegate_airflow", "litegate.cli", "litegate.stack", "litegate.execution.step_run", "litegate.tracking")
    found = {name for name in reaching(LOADER) if name.startswith(callers)}
    assert found == set()


def test_every_step_whose_result_users_can_forge_has_its_result_compared() -> None:
    forgeable = {name for name, step in STEPS.items() if step.confined} | THEIR_OWN_TRAINING
    assert set(CLAIMS) == forgeable


def test_modules_are_loaded_by_name_in_known_places_only() -> None:
    found = set()
    for folder in (ROOT / "components", ROOT / "operators"):
        for path in folder.rglob("*.py"):
            if any(map(_loads_by_name, ast.walk(ast.parse(path.read_text())))):
                found.add(path.relative_to(folder).as_posix())
    assert found == set(LOADS_BY_NAME)


def _loads_by_name(node: ast.AST) -> bool:
    """A call of `import_module`, `exec` and the like, or of what unpickles."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    plain = isinstance(node.func, ast.Name)
    loading = {"import_module", "import_string", "__import__", "spec_from_file_location", "run_path", "run_module"}
    return name in loading or (plain and name in {"exec", "eval"})
