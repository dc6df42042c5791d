"""Datasets whose files are damaged, hostile, or not what their format asks for."""

from __future__ import annotations

import tarfile

import numpy as np

from tests.catalogue.data_makers import (
    bomb,
    changed,
    class_folders,
    content,
    cut,
    data_row,
    declares,
    flipped,
    huge_png,
    images,
    keys_of,
    png,
    tar,
    text_file,
    tfrecord_file,
    with_changed,
)

DAMAGED = (
    data_row(
        "objects",
        "Python objects in an array, which only unpickling could read",
        "Python objects, which are never unpickled",
        changed(with_changed(image=lambda v: np.array([{"a": 1}] * len(v), object))),
    ),
    data_row(
        "objects-label",
        "Python objects as labels",
        "Python objects, which are never unpickled",
        changed(with_changed(label=lambda v: v.astype(object))),
    ),
    data_row("npz-cut", "A .npz that is cut off", "a whole .npz file, got BadZipFile", content("npz", "cut.npz", cut)),
    data_row(
        "npz-bit", "One wrong bit in a .npz", "a whole .npz file, got BadZipFile", content("npz", "bit.npz", flipped)
    ),
    data_row(
        "npz-text",
        "Text called .npz",
        "a whole .npz file, got BadZipFile",
        content("npz", "text.npz", text_file("hello")),
    ),
    data_row(
        "npz-bomb",
        "A .npz that unpacks to a thousand times its size",
        "an archive that unpacks to at most",
        content("npz", "bomb.npz", bomb),
    ),
    data_row(
        "npz-declares",
        "An array that declares 25 GB and has 1 kB",
        "25,600,000,000 bytes, as its header says, got 1,024 bytes",
        content("npz", "declares.npz", declares),
    ),
    data_row(
        "npz-many",
        "A folder with files that are not NPZ",
        "a whole .npz file, got",
        lambda p: keys_of("evaluation", p.models / "keras3_saved_model", "npz"),
    ),
    data_row(
        "tar-up",
        "A tar whose member leads out of it",
        "names inside the archive, got a path that leads out of it",
        content("images", "a.tar", tar("../../evil.png")),
    ),
    data_row(
        "tar-absolute",
        "A tar with an absolute name",
        "names inside the archive, got a path that leads out of it",
        content("images", "a.tar", tar("/tmp/evil.png")),
    ),
    data_row(
        "tar-link",
        "A tar with a symbolic link",
        "regular files and folders in a tar, got a link",
        content("images", "a.tar", tar("class0/1.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    ),
    data_row(
        "tar-device",
        "A tar with a device",
        "regular files and folders in a tar, got a device, pipe or sparse file",
        content("images", "a.tar", tar("class0/1.png", type=tarfile.CHRTYPE)),
    ),
    data_row(
        "tar-cut",
        "A tar that is cut off",
        "a whole tar archive, got",
        content(
            "images",
            "a.tar",
            lambda path, place: (
                tar("class0/1.png", bytes(9000))(path, place) or path.write_bytes(path.read_bytes()[:6000])
            ),
        ),
    ),
    data_row(
        "no-images",
        "A folder without images",
        "images as <class>/<file>",
        images(lambda: {"class0/notes.txt": b"none"}),
    ),
    data_row(
        "no-classes",
        "Images without class folders",
        "a class folder above each image",
        images(lambda: {"0.png": png()}),
    ),
    data_row(
        "classes",
        "Fewer class folders than the model has classes",
        "4 class folders, as many as the model has classes, got 3",
        images(lambda: class_folders(png(), 3)),
    ),
    data_row(
        "image-damaged",
        "An image that cannot be decoded",
        "a readable image, got",
        images(lambda: class_folders(png()[:45])),
    ),
    data_row(
        "image-size",
        "Images of another size than the model takes",
        "shape (batch, 8, 8, 1), got",
        images(lambda: class_folders(png((9, 9)))),
    ),
    data_row(
        "image-bomb",
        "A small file that declares a billion pixels",
        "a readable image, got Image size (1600000000 pixels) exceeds limit",
        images(lambda: class_folders(huge_png())),
    ),
    data_row(
        "tfrecord",
        "A TFRecord with a wrong checksum",
        "a TFRecord file, got a wrong checksum of its length",
        content("tfrecord", "a.tfrecord", tfrecord_file(b"hello")),
    ),
    data_row(
        "tfrecord-cut",
        "A TFRecord that is cut off",
        "a whole record, got a file that is cut off",
        content("tfrecord", "a.tfrecord", lambda path, place: path.write_bytes(b"\1\2\3")),
    ),
    data_row(
        "parquet",
        "Text called .parquet",
        "a whole Parquet file, got",
        content("parquet", "a.parquet", text_file("hello")),
    ),
    data_row(
        "csv-columns",
        "A line of a CSV with a column less",
        "2 columns, as in the header, got 1",
        content("csv", "a.csv", text_file("x,label\n1,0\n1\n")),
    ),
    data_row(
        "csv-header",
        "A CSV with the same column twice",
        "a header with a name for each column",
        content("csv", "a.csv", text_file("x,x\n1,0\n")),
    ),
)
