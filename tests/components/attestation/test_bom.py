"""The bill of materials is one by CycloneDX's own schema, and names what the version was made of."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from litegate.attestation.bom import bill_of_materials

SCHEMAS = files("cyclonedx.schema._res")
NAMES = ("bom-1.6", "spdx", "jsf-0.82", "cryptography-defs")


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """That of CycloneDX 1.6, with those that it refers to; nothing is fetched."""
    texts = [json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text()) for name in NAMES]
    known = [(text["$id"], Resource(text, DRAFT7)) for text in texts]
    registry = Registry().with_resources(
        [
            *known,
            *(
                (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", Resource(text, DRAFT7))
                for name, text in zip(NAMES, texts, strict=True)
            ),
        ]
    )
    return Draft7Validator(texts[0], registry=registry)


@pytest.fixture
def bill(toy) -> dict:
    request = toy.request(tools={"tensorflow": "2.21.0", "isolation": "complete"})
    subjects = {"toy-int8.tflite": request.candidates[1].artifact.file.digest, "firmware/toy.c": "0" * 64}
    return json.loads(bill_of_materials(request, request.verdicts[2], request.candidates[1], subjects, "0.1.0"))


def test_it_is_valid_by_the_schema(bill, schema):
    assert [error.message for error in schema.iter_errors(bill)] == []
    assert [*schema.iter_errors(bill | {"components": [{"type": "model"}]})], "the schema is really asked"


def test_it_names_file_source_datasets_and_tools(bill, toy):
    model = bill["metadata"]["component"]
    request = toy.request()
    assert model["type"] == "machine-learning-model"
    assert model["hashes"] == [{"alg": "SHA-256", "content": request.candidates[1].artifact.file.digest}]
    parts = {part["bom-ref"]: part for part in bill["components"]}
    assert set(parts) == {"source", "calibration", "evaluation", "shipped firmware/toy.c"}
    assert parts["source"]["hashes"][0]["content"] == request.resolved.model.digest
    assert parts["evaluation"]["data"][0]["contents"]["url"] == "s3://data/toy/eval.npz"
    tools = {tool["purl"] for tool in bill["metadata"]["tools"]["components"]}
    assert tools == {"pkg:pypi/tensorflow@2.21.0", "pkg:pypi/litegate@0.1.0"}
    assert bill["dependencies"] == [{"ref": "file", "dependsOn": ["source", "calibration", "evaluation"]}]


def test_the_model_card_has_the_metric_and_its_loss_with_bounds(bill):
    found = bill["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert found[0] == {"type": "top1", "value": "0.918"}
    drop = found[1]
    assert (drop["value"], drop["confidenceInterval"]) == ("0.002", {"lowerBound": "-0.004", "upperBound": "0.007"})
    assert found[2]["slice"] == "class cat"


def test_the_same_version_has_the_same_bill(toy):
    request = toy.request()
    one, other = (bill_of_materials(request, request.verdicts[2], request.candidates[1], {}, "0.1.0") for _ in range(2))
    assert one == other
