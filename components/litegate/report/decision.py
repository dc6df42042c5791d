"""Which quantization to choose, as LiteRT's documentation advises, with the path of this run.

The questions put its table of techniques, hardware and data into words, and what it says of each technique:
https://ai.google.dev/edge/litert/models/post_training_quantization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litegate.report.run import Run
from litegate.variants import TARGETS

__all__ = ["Branch", "Leaf", "Question", "after_measuring", "decision_tree"]


@dataclass(frozen=True)
class Leaf:
    """What the documentation advises: variants with their verdicts in this run, or something else to do.

    Attributes:
        variants: each with its state; `not in this run` where it was not asked for.
    """

    text: str
    variants: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Branch:
    """An answer to a question, and where it leads; `taken` is this run's."""

    answer: str
    to: Question | Leaf
    taken: bool


@dataclass(frozen=True)
class Question:
    """A question of the tree."""

    text: str
    branches: tuple[Branch, ...]


def decision_tree(run: Run) -> Question:
    """The tree from its root."""
    target, states = run.spec.target, {row.name: row.state for row in run.variants}
    fine = target == "high_precision_integer"
    integers = TARGETS[target].integers or fine or run.policy.integer_only
    in_integers = Question(
        "Do its activations need more than 8 bits? (audio, super-resolution, denoising, HDR)",
        (
            Branch("yes", _leaf("16-bit activations with 8-bit weights", states, "int16x8"), integers and fine),
            Branch("no", _leaf("full integer", states, "int8", "uint8"), integers and not fine),
        ),
    )
    gpu = target == "gpu" and not integers
    in_float = Question(
        "Does it run on a GPU?",
        (
            Branch("yes", _leaf("float16: half the size, computed in float", states, "float16"), gpu),
            Branch("no, on a CPU", _on_cpu(states, not integers and not gpu), not integers and not gpu),
        ),
    )
    return Question(
        "Must every operator compute in integers? (Edge TPU, Ethos-U, microcontroller)",
        (Branch("yes", in_integers, integers), Branch("no", in_float, not integers)),
    )


def after_measuring(run: Run) -> Question:
    """What the documentation advises once the accuracy is known."""
    selected = run.selected
    shipped = ((selected.name, selected.state),) if selected else ()
    return Question(
        "Does a variant keep its accuracy?",
        (
            Branch("yes", Leaf("ship it", shipped), selected is not None),
            Branch(
                "no",
                Leaf(
                    "more bits for activations (int16x8), sensitive layers in float (selective quantization), or "
                    "training for quantization (quantization-aware training)"
                ),
                selected is None,
            ),
        ),
    )


def _on_cpu(states: Mapping[str, str], taken: bool) -> Question:
    """A spec always names representative data, so both answers are open: what needs none is tried as well."""
    calibrated = any(name in states for name in ("int8_float_fallback", "int8", "uint8"))
    plain = "dynamic_range" in states or "float16" in states
    return Question(
        "Are there representative samples to calibrate on?",
        (
            Branch(
                "yes",
                _leaf("integer with float fallback, or full integer", states, "int8_float_fallback", "int8"),
                taken and calibrated,
            ),
            Branch(
                "no, or as a first step",
                _leaf("dynamic range, the usual starting point", states, "dynamic_range", "float16"),
                taken and plain,
            ),
        ),
    )


def _leaf(text: str, states: Mapping[str, str], *variants: str) -> Leaf:
    return Leaf(text, tuple((name, states.get(name, "not in this run")) for name in variants))
