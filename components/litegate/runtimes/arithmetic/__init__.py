"""The integer arithmetic of the reference kernels, in numpy and on whole batches: a host near a microcontroller.

What TensorFlow Lite Micro gives for a quantized file, at a fraction of its time. It judges nothing: its outcomes are
the control variate of a target that runs few samples, so a bit that differs costs width and no validity. What it does
not know it refuses by name as the file is loaded.

The formulas are those of the specification (https://ai.google.dev/edge/litert/models/quantization_spec), of B. Jacob et
al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", arXiv:1712.05877
(2017), and of gemmlowp's fixed-point numbers (https://github.com/google/gemmlowp/blob/master/doc/quantization.md).
"""

from __future__ import annotations

from litegate.runtimes.arithmetic.model import KERNELS, ArithmeticModel, facts, load

__all__ = ["KERNELS", "ArithmeticModel", "facts", "load"]
