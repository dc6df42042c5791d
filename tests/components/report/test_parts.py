"""The parts of the page by themselves: Pareto front, heat map, advice, decision tree, and what would make it surer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from litegate.records import Change, DataFinding, Lint, Overrides, Reason
from litegate.report.advice import advice
from litegate.report.certainty import certainty
from litegate.report.classes import heat_map
from litegate.report.decision import Leaf, Question, after_measuring, decision_tree
from litegate.report.headline import headline
from litegate.report.run import Run, kib
from litegate.report.tradeoffs import pareto_front
from litegate.variants import ETHOS_U, TARGETS
from tests.components.report.runs import AUC, TOP1, MadeRun, Variant, loss


def view(made: MadeRun) -> Run:
    return Run(made.request, made.result)


@dataclass(frozen=True, kw_only=True)
class Front:
    id: str
    points: dict[str, tuple[float, float]]
    front: tuple[str, ...]


FRONTS = (
    Front(id="none", points={}, front=()),
    Front(id="one", points={"a": (1, 1)}, front=("a",)),
    Front(id="beaten in both", points={"a": (1, 1), "b": (2, 2)}, front=("a",)),
    Front(id="each better in one", points={"b": (2, 1), "a": (1, 2)}, front=("a", "b")),
    Front(id="beaten in one, equal in the other", points={"a": (1, 1), "b": (1, 2), "c": (2, 1)}, front=("a",)),
    Front(id="the same twice", points={"a": (1, 1), "b": (1, 1)}, front=("a", "b")),
    Front(id="a gain counts as a loss below zero", points={"a": (2, -0.5), "b": (1, 0)}, front=("b", "a")),
)


@pytest.mark.parametrize("case", FRONTS, ids=lambda case: case.id)
def test_the_pareto_front_holds_what_nothing_beats_the_cheapest_first(case):
    assert pareto_front(case.points) == case.front


def test_the_heat_map_has_the_classes_that_lost_most_first_and_a_cell_for_each_variant():
    made = MadeRun(variants=[Variant(name="int8"), Variant(name="float16"), Variant(name="uint8", drop=None)])
    losses = {
        "int8": (loss(0, 0.01), loss(1, 0.2, proved=True), loss(2, -0.1)),
        "float16": (loss(0, 0.05), loss(1, 0.0)),
    }
    found = heat_map(view(made), losses)

    assert found is not None
    assert (found.variants, found.total, found.rest) == (("int8", "float16"), 3, None)
    assert [row.name for row in found.rows] == ["class-1", "class-0", "class-2"]
    cells = [[(cell.text, cell.side, cell.strength, cell.proved) for cell in row.cells] for row in found.rows]
    assert cells[0] == [("+20.0", "worse", 100, True), ("0.0", "same", 0, False)]
    assert cells[1] == [("+1.0", "worse", 5, False), ("+5.0", "worse", 25, False)]
    assert cells[2] == [("-10.0", "better", 50, False), ("", "same", 0, False)]


def test_of_many_classes_the_rest_is_a_mean_in_which_each_counts_the_same():
    made = MadeRun(variants=[Variant(name="int8")])
    found = heat_map(view(made), {"int8": [loss(label, 0.01 if label < 30 else -0.02) for label in range(40)]})

    assert found is not None
    assert found.rest is not None
    assert [row.name for row in found.rows] == [f"class-{label}" for label in range(30)]
    assert (found.rest.name, found.rest.cells[0].text) == ("mean of the 10 other classes", "-2.0")


def test_without_the_file_of_all_classes_the_few_of_the_verdict_are_shown():
    made = MadeRun(variants=[Variant(name="int8", classes=(loss(4, 0.3),))])
    found = heat_map(view(made), {})
    assert found is not None
    assert [row.name for row in found.rows] == ["class-4"]
    assert heat_map(view(MadeRun(variants=[Variant(name="int8")])), {}) is None


@pytest.mark.parametrize(("metric", "counted"), [(TOP1, "top1, in points"), (AUC, "correct predictions, in points")])
def test_a_metric_of_a_whole_set_has_correct_predictions_by_class(metric, counted):
    found = heat_map(view(MadeRun(variants=[Variant(name="int8", classes=(loss(0, 0.1),))], metric=metric)), {})
    assert found is not None
    assert found.counted == counted


@dataclass(frozen=True, kw_only=True)
class Wrong:
    id: str
    variant: str = "int8"
    code: str
    next: str


WRONG = (
    Wrong(id="int8 loses too much", code="above_max_drop", next="Try int16x8"),
    Wrong(id="uint8 is advised like int8", variant="uint8", code="above_max_drop", next="Try int16x8"),
    Wrong(id="float16 loses too much", variant="float16", code="above_max_drop", next="65,504"),
    Wrong(id="dynamic range loses too much", variant="dynamic_range", code="above_max_drop", next="float16"),
    Wrong(id="16x8 loses too much", variant="int16x8_float_fallback", code="above_max_drop", next="dynamic_range too"),
    Wrong(id="an output says nothing", code="dead_output", next="an output of its own"),
    Wrong(id="a class loses too much", code="above_max_class_drop", next="heat map"),
    Wrong(id="collapse", code="above_max_prediction_shift", next="scale of the calibration inputs"),
    Wrong(id="the baseline is bad", code="above_min_value", next="no quantization mends that"),
    Wrong(id="undecided", code="undecided_max_class_drop", next="more samples"),
    Wrong(id="not calibrated", code="quantize_not_calibrated", next="calibration.samples"),
    Wrong(id="an operator is not supported", code="quantize_unsupported", next="dynamic_range or float16"),
    Wrong(id="not integer", code="inspect_wrong_scheme", next="float fallback"),
    Wrong(id="crash", code="quantize_segfault", next="Native code crashed"),
    Wrong(id="out of memory", code="evaluate_out_of_memory", next="LITEGATE_MEMORY_LIMIT"),
    Wrong(id="killed for memory", code="evaluate_oom_killed", next="more memory free"),
    Wrong(id="too many processes", code="sample_too_many_processes", next="LITEGATE_PROCESS_LIMIT"),
    Wrong(id="too much on disk", code="evaluate_disk_limit", next="LITEGATE_DISK_LIMIT"),
    Wrong(id="full disk", code="evaluate_disk_full", next="litegate clean"),
    Wrong(id="too slow to evaluate", code="evaluate_timeout", next="max_samples_by_variant"),
    Wrong(id="a server", code="benchmark_infrastructure", next="did not answer"),
    Wrong(id="something else", code="smoke_python_error", next="log"),
)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_what_is_wrong_leads_to_what_to_try(case):
    reason = Reason(code=case.code, message="what was found")
    made = MadeRun(variants=[Variant(name=case.variant, state="failed", reasons=(reason,))])
    (found,) = advice(view(made))

    assert (found.names, found.wrong) == ((case.variant,), ("what was found",))
    assert case.next in " ".join(found.next)


HURT = Variant(name="int8", state="failed", reasons=(Reason(code="above_max_drop", message="hurt"),))
LOST = {
    "nothing is known": ([], ("Ask for dynamic_range", "Try int16x8"), ("not the weights",)),
    "8-bit weights do no harm": ([Variant(name="dynamic_range")], ("it is not the weights",), ("Ask for dynamic",)),
    "they may": ([replace(HURT, name="dynamic_range")], ("dynamic_range loses too",), ("not the weights",)),
    "they were not measured": (
        [Variant(name="dynamic_range", state="failed", reasons=(Reason(code="smoke_segfault", message="died"),))],
        ("Calibrate on more",),
        ("dynamic_range",),
    ),
    "16 bits are enough": ([Variant(name="int16x8")], ("int16x8 passed",), ("Try int16x8",)),
    "16 bits are not enough": ([replace(HURT, name="int16x8")], ("Calibrate on more",), ("Try int16x8",)),
}


@pytest.mark.parametrize("case", LOST)
def test_a_loss_is_blamed_on_what_the_run_has_shown(case):
    others, said, unsaid = LOST[case]
    (found,) = (item for item in advice(view(MadeRun(variants=[HURT, *others]))) if "int8" in item.names)
    text = " ".join(found.next)
    assert all(each in text for each in said)
    assert not any(each in text for each in unsaid)


@pytest.mark.parametrize("code", ["above_max_drop", "smoke_constant", "dead_output"])
def test_values_that_one_scale_cannot_hold_are_the_first_suspects(code):
    found = DataFinding(severity="warning", code="uneven_columns", input="serve/row", message="columns of two sizes")
    lint = Lint(findings=(found,), samples=100, compared=100, searched=100)
    reason = Reason(code=code, message="what was found")
    made = MadeRun(variants=[replace(HURT, name=name, reasons=(reason,)) for name in ("int8", "float16")], lint=lint)
    first = {name: item.next[0] for item in advice(view(made)) for name in item.names}
    assert first["int8"].startswith("Begin with the values of very different size in serve/row (uneven_columns")
    assert "uneven_columns" not in first.get("float16", "")


def test_what_passed_needs_no_advice_and_what_holds_is_not_wrong():
    within = Reason(code="within_max_drop", message="it keeps max_drop")
    large = Reason(code="too_large", message="9 bytes, at most 8 allowed")
    made = MadeRun(variants=[Variant(name="int8"), Variant(name="uint8", state="failed", reasons=(large, within))])
    (found,) = advice(view(made))
    assert (found.names, found.wrong) == (("uint8",), ("9 bytes, at most 8 allowed",))


def test_the_same_troubles_are_told_once_and_what_is_open_comes_first():
    hurt, open_ = Reason(code="above_max_drop", message="hurt"), Reason(code="undecided_max_drop", message="open")
    failed = Variant(name="int8", state="failed", reasons=(hurt,))
    made = MadeRun(
        variants=[
            failed,
            replace(failed, name="uint8"),
            replace(failed, name="int8_float_fallback", reasons=(replace_message(hurt, "hurt more"),)),
            Variant(name="float16", state="inconclusive", reasons=(open_,)),
        ]
    )
    found = advice(view(made))
    assert [item.names for item in found] == [("float16",), ("int8", "uint8"), ("int8_float_fallback",)]
    assert found[2].next == ("The same as for int8.",)


def replace_message(reason: Reason, message: str) -> Reason:
    return reason.model_copy(update={"message": message})


def leaves(node: Question | Leaf, path: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """The leaves that this run's path leads to, by text, with the answers on the way."""
    if isinstance(node, Leaf):
        return {node.text: path}
    taken = (branch for branch in node.branches if branch.taken)
    return {text: way for branch in taken for text, way in leaves(branch.to, (*path, branch.answer)).items()}


PATHS = {
    "cpu": {("no", "no, on a CPU", "yes"), ("no", "no, on a CPU", "no, or as a first step")},
    "gpu": {("no", "yes")},
    "edgetpu": {("yes", "no")},
    "microcontroller": {("yes", "no")},
    "high_precision_integer": {("yes", "yes")},
    **{name: {("yes", "no")} for name in ETHOS_U},
}


@pytest.mark.parametrize("target", TARGETS)
def test_the_path_through_the_decision_tree_follows_the_target(target):
    names = TARGETS[target].default
    made = MadeRun(variants=[Variant(name=name) for name in names], spec={"target": target, "variants": list(names)})
    assert set(leaves(decision_tree(view(made))).values()) == PATHS[target]


@pytest.mark.parametrize(("selected", "title"), [("int8", "int8 would ship"), (None, "nothing would ship")])
def test_an_override_run_says_what_would_ship_and_that_nothing_does(selected, title):
    overrides = Overrides(changes=(Change(key="gate.max_drop", spec=0.01, run=0.5),))
    made = MadeRun(variants=[Variant(name="int8")], selected=selected, overrides=overrides)
    found = headline(view(made))
    assert (found.title, found.file) == (f"An override run: {title}", "")
    assert "registered or promoted. This one: gate.max_drop 0.5 (spec: 0.01)." in found.why
    page = made.html()
    assert "ship this" not in page
    assert ("would ship</span>" in page) == (selected is not None)


def test_a_policy_of_integers_only_is_a_question_of_the_tree_too():
    made = MadeRun(variants=[Variant(name="int8")], spec={"gate": {"integer_only": True}})
    assert leaves(decision_tree(view(made))) == {"full integer": ("yes", "no")}


def test_what_to_do_after_measuring_depends_on_whether_something_may_ship():
    made = MadeRun(variants=[Variant(name="int8")])
    assert list(leaves(after_measuring(view(made))).values()) == [("no",)]
    assert leaves(after_measuring(view(replace(made, selected="int8")))) == {"ship it": ("yes",)}


@dataclass(frozen=True, kw_only=True)
class Open:
    id: str
    needed: int | None
    cap: int | None = None
    says: str


OPENS = (
    Open(id="more data", needed=23_456, says="int8: about 23,500 samples would decide it, 1,000 were there; add about"),
    Open(id="a cap", needed=23_456, cap=1000, says="raise evaluation.max_samples, or add labelled samples"),
    Open(id="no number", needed=None, says="int8: no number of samples would decide it; it is too close to its limit"),
    Open(id="the data has them", needed=900, says="the data has them"),
)


@pytest.mark.parametrize("case", OPENS, ids=lambda case: case.id)
def test_what_is_open_is_told_with_what_would_decide_it(case):
    data = {"uri": "s3://data/eval.npz", "format": "npz", "max_samples": case.cap}
    made = MadeRun(variants=[Variant(name="int8", state="inconclusive", needed=case.needed)], spec={"evaluation": data})
    found = certainty(view(made))
    assert case.says in found.surer[0]
    assert found.parts[0].open


def test_where_there_are_clusters_they_are_what_is_counted():
    data = {"uri": "s3://data/eval.npz", "format": "npz", "group": "video"}
    undecided = Variant(name="int8", state="inconclusive", needed=240, clusters=100)
    made = MadeRun(variants=[undecided], spec={"evaluation": data})
    found = certainty(view(made))
    assert "Samples of one group (`video`), and exact duplicates, are one cluster" in found.claim
    assert "the gate counts clusters: 1,000 samples in 100 clusters." in found.claim
    assert found.surer[0].startswith(
        "int8: about 240 clusters would decide it, 100 were there; add labelled samples that"
    )
    assert "1,000 samples in 100 clusters. It narrows" in found.surer[1]
    (line,) = found.parts[0].lines
    assert (line.samples, line.clusters, line.needed) == ("1,000", "in 100 clusters", "about 240 clusters")
    assert ">in 100 clusters<" in made.html()
    copies = MadeRun(variants=[replace(undecided, needed=None)])
    assert "Exact duplicates are one cluster" in certainty(view(copies)).claim
    assert certainty(view(copies)).surer[0].startswith("int8: no number of clusters would decide it")


def test_every_clause_shows_each_variant_with_its_bounds_and_the_widest_interval_is_named():
    made = MadeRun(variants=[Variant(name="int8", drop=0.002, half=0.005), Variant(name="float16", half=0.001)])
    found = certainty(view(made))

    (part,) = found.parts
    assert (part.key, part.limit, part.question) == ("max_drop", "1.00 points", "Drop of top1 against float32")
    assert [(line.name, line.found, line.bounds, line.needed) for line in part.lines] == [
        ("int8", "+0.20", "-0.30 to +0.70", ""),
        ("float16", "+0.20", "+0.10 to +0.30", ""),
    ]
    assert found.surer[0].startswith("The widest interval is that of int8: 1.00 points from end to end")
    assert "so the bounds of each are stricter: 97.5 % (Holm)." in found.claim


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.00 KiB"), (2048, "2.00 KiB"), (100_000, "97.7 KiB"), (20 * 1024**2, "20.0 MiB")]
)
def test_sizes_read_the_same_everywhere(size, text):
    assert kib(size) == text
