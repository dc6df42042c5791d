"""What a step needs for a request, of all that it imports."""

from __future__ import annotations

from litegate.digest import digest_bytes
from litegate.execution import needs
from litegate.records import Artifact, FileRef, QuantizeRequest
from litegate.variants import FINE_TUNED, FINE_TUNING, GIVEN, LITERT_QUANTIZER, RECOVERED, RECOVERY, TF_CONVERTER

BASELINE = Artifact(
    variant="float32", file=FileRef(name="float32.tflite", digest=digest_bytes(b"float32"), bytes=7), signatures={}
)


def unused(engine: str, variant: str = "int8") -> set[str]:
    request = QuantizeRequest(variant=variant, saved_model=(), baseline=BASELINE, engine=engine)
    return set(needs.of_quantization(request))


def test_only_a_search_depends_on_how_it_is_done() -> None:
    for engine in (TF_CONVERTER, LITERT_QUANTIZER, GIVEN):
        assert {"litegate.recovery", "litegate.engines.mixed_precision"} <= unused(engine)
    assert unused(RECOVERY, RECOVERED) == {"litegate.engines.tf_converter", "litegate.fine_tuning"}


def test_only_a_training_depends_on_how_it_is_done() -> None:
    for engine in (TF_CONVERTER, LITERT_QUANTIZER, GIVEN, RECOVERY):
        assert "litegate.fine_tuning" in unused(engine)
    found = unused(FINE_TUNING, FINE_TUNED)
    assert not found & {"litegate.fine_tuning", "litegate.engines.tf_converter", "litegate.recovery"}
    assert {"litegate.recovery.recovering", "litegate.engines.litert_quantizer"} <= found


def test_a_search_runs_where_the_quantizer_is() -> None:
    request = QuantizeRequest(variant=RECOVERED, saved_model=(), baseline=BASELINE, engine=RECOVERY)
    assert needs.where_it_is_made(request) == "tensorflow"


def test_a_training_runs_where_tensorflow_is() -> None:
    request = QuantizeRequest(variant=FINE_TUNED, saved_model=(), baseline=BASELINE, engine=FINE_TUNING)
    assert needs.where_it_is_made(request) == "tensorflow"
