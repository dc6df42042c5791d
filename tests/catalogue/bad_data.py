"""Datasets that are damaged, hostile, do not fit the model, or would spoil calibration."""

from __future__ import annotations

import numpy as np

from tests.catalogue.damaged_data import DAMAGED
from tests.catalogue.data_makers import (
    calibration,
    changed,
    data_row,
    keys_of,
    near_copies,
    put,
    unnamed_pair,
    with_changed,
)

SHAPES = (
    data_row(
        "missing",
        "No data at the address",
        "evaluation.uri: expected an existing file, folder or S3 object, got nothing at",
        lambda p: keys_of("evaluation", p.folder / "none.npz", "npz"),
        "resolve",
    ),
    data_row(
        "float64",
        "float64 in place of float32",
        "to be type float32, got float64",
        changed(with_changed(image=lambda v: v.astype(np.float64))),
    ),
    data_row(
        "uint8", "uint8 in place of float32", "got uint8", changed(with_changed(image=lambda v: v.astype(np.uint8)))
    ),
    data_row(
        "shape",
        "Images of another size",
        "shape (batch, 8, 8, 1), got",
        changed(with_changed(image=lambda v: v[:, :7])),
    ),
    data_row(
        "channels-first",
        "Channels first",
        "shape (batch, 8, 8, 1), got",
        changed(with_changed(image=lambda v: v.transpose(0, 3, 1, 2))),
    ),
    data_row(
        "flat",
        "Flattened images",
        "shape (batch, 8, 8, 1), got",
        changed(with_changed(image=lambda v: v.reshape(len(v), 64))),
    ),
    data_row(
        "name",
        "An array under another name",
        "image, got picture",
        changed(lambda a: {"picture": a["image"], "label": a["label"]}),
    ),
    data_row(
        "extra",
        "An array more than the model has inputs",
        "got image, mask",
        changed(lambda a: a | {"mask": a["image"]}),
    ),
    data_row(
        "lengths",
        "More images than labels",
        "the same number of samples in every array",
        changed(with_changed(label=lambda v: v[:5])),
    ),
    data_row(
        "empty",
        "No samples",
        "at least one sample, got none",
        changed(lambda a: {name: value[:0] for name, value in a.items()}),
    ),
    data_row(
        "only-labels",
        "Labels without samples",
        "one array per input of the model, got no array besides the labels",
        changed(lambda a: {"label": a["label"]}),
    ),
    data_row(
        "unlabelled",
        "No labels to evaluate with",
        "labels, which top1 needs, got none",
        changed(lambda a: {"image": a["image"]}),
        "lint",
    ),
    data_row(
        "label-large",
        "A label beyond the model's classes",
        "labels from 0 to 3, got 4",
        changed(with_changed(label=lambda v: v + 1)),
        "lint",
    ),
    data_row(
        "label-negative",
        "A negative label",
        "labels from 0 to 3, got -1",
        changed(with_changed(label=lambda v: v - 1)),
        "lint",
    ),
    data_row(
        "label-float",
        "Numbers in place of classes",
        "integers of shape (samples,) as labels for top1...if they are numbers of classes, save them as integers",
        changed(with_changed(label=lambda v: v.astype(np.float32))),
        "lint",
    ),
    data_row(
        "label-text",
        "Words in place of classes",
        "array 'label': expected numbers",
        changed(with_changed(label=lambda v: v.astype(str))),
    ),
    data_row(
        "label-one-hot",
        "One-hot labels",
        "integers of shape (samples,) as labels for top1...one-hot? save label.argmax(axis=1)",
        changed(with_changed(label=lambda v: np.eye(4)[v])),
        "lint",
    ),
    data_row(
        "nan",
        "NaN in a sample",
        "finite numbers, got NaN or infinity in sample 3",
        changed(lambda a: put(a, "image", (3, 0, 0, 0), np.nan)),
    ),
    data_row(
        "infinity",
        "Infinity in a sample",
        "finite numbers, got NaN or infinity in sample 5",
        changed(lambda a: put(a, "image", (5, 0, 0, 0), np.inf)),
    ),
    data_row(
        "overflow",
        "A sample for which float32 gives NaN",
        "finite outputs of float32, got NaN or infinity in its output...for sample 5",
        changed(lambda a: put(a, "image", 5, 3e38)),
        "lint",
    ),
)


CALIBRATION = (
    data_row(
        "calibration-nan",
        "NaN in a calibration sample, which the converter ignores",
        "finite numbers, got NaN or infinity",
        calibration(lambda a: put(a, "image", (slice(None), 0, 0, 0), np.nan)),
        "sample",
    ),
    data_row(
        "calibration-infinity",
        "Infinity in a calibration sample, which kills the converter",
        "finite numbers, got NaN or infinity",
        calibration(lambda a: put(a, "image", (slice(None), 0, 0, 0), -np.inf)),
        "sample",
    ),
    data_row(
        "calibration-scale",
        "Calibration without the scaling of the evaluation data",
        "sane calibration data...scale",
        calibration(with_changed(image=lambda v: v * 255)),
        "lint",
    ),
    data_row(
        "calibration-zeros",
        "Calibration samples of nothing but zeros",
        "sane calibration data...constant...every value of every sample is 0",
        calibration(with_changed(image=np.zeros_like)),
        "lint",
    ),
    data_row(
        "calibration-outlier",
        "A pixel of 1e5 among the calibration samples",
        "sane calibration data...outliers",
        calibration(lambda a: put(a, "image", (slice(None, None, 40), 0, 0, 0), 1e5)),
        "lint",
    ),
    data_row(
        "calibration-shift",
        "Calibration samples that are shifted",
        "sane calibration data",
        calibration(with_changed(image=lambda v: v - 10)),
        "lint",
    ),
    data_row(
        "calibration-few",
        "Two calibration samples",
        "sane calibration data...too_few",
        calibration(lambda a: {name: value[:2] for name, value in a.items()}),
        "lint",
    ),
    data_row(
        "calibration-leak",
        "Calibration samples out of the evaluation set",
        "sane calibration data...leakage",
        lambda p: keys_of("calibration", p.models / "test.npz", "npz"),
        "lint",
    ),
    data_row(
        "calibration-swap",
        "Two unnamed inputs of one shape, which could be swapped",
        "could be swapped",
        lambda p: unnamed_pair(p),
        "sample",
    ),
)


EVALUATION = (
    data_row(
        "evaluation-one-class",
        "Evaluation data of one class only",
        "an evaluation that means something...one_class",
        changed(with_changed(label=np.zeros_like)),
        "lint",
    ),
    data_row(
        "evaluation-binary",
        "Labels of two classes for a model with four outputs",
        "an evaluation that means something...chance: float32 has top1 0.5",
        changed(with_changed(label=lambda v: v % 2)),
        "lint",
    ),
    data_row(
        "evaluation-other-labels",
        "Labels that are none of the samples'",
        "an evaluation that means something...chance",
        changed(with_changed(label=lambda v: (v + 1) % 4)),
        "lint",
    ),
    data_row(
        "evaluation-near-leak",
        "The calibration samples with a little noise, as the evaluation set",
        "an evaluation that means something...near_leakage",
        near_copies,
        "lint",
    ),
)


DATA = (*SHAPES, *DAMAGED, *CALIBRATION, *EVALUATION)
