"""What is read of a tar without `tarfile` is what `tarfile` reads, whoever wrote the archive and whatever is wrong."""

from __future__ import annotations

import io
import tarfile

import pytest

from litegate.datasets.tar_members import FILE, FOLDER, members

NAMES = ("cat/1.png", "cat/", "dog/ü.png", f"dog/{'long' * 30}.png", f"dog/{'longer/' * 60}1.png", "cat/2.png")


def packed(form: int, names: tuple[str, ...] = NAMES) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=form) as archive:
        for size, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.size, info.mtime = 0 if name.endswith("/") else 300 * size, 1.5
            archive.addfile(info, io.BytesIO(bytes([size]) * info.size))
    return content.getvalue()


def walked(content: bytes, ours: bool) -> list[tuple[str, int, int]] | str:
    """Names, offsets and sizes of files and folders, or why there are none; and where the walk has ended."""
    stream = io.BytesIO(content)
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            if ours:
                found = [(each.name, each.offset, each.size) for each in members(archive, stream)]
            else:
                found = [(each.name, each.offset_data, each.size) for each in archive]
            return [*found, ("end", archive.offset, 0)]
    except (tarfile.TarError, ValueError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_name_of_every_format_is_read(form: int) -> None:
    found = walked(packed(form), ours=True)
    assert found == walked(packed(form), ours=False)
    assert [name for name, *_ in found] == [*(name.rstrip("/") for name in NAMES), "end"]


def test_a_folder_is_told_from_a_file() -> None:
    stream = io.BytesIO(packed(tarfile.USTAR_FORMAT, ("cat/1.png", "cat/", "cat/2.png", "cat/3.png")))
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        kinds = [member.kind for member in members(archive, stream)]
    assert kinds == [FILE, FOLDER, FILE, FILE]


@pytest.mark.parametrize("value", [0, 1, ord(" "), ord("-"), ord("7"), ord("9"), ord("L"), ord("/"), 0x80, 0xFF])
@pytest.mark.parametrize("checked", [False, True], ids=["damaged", "written so"])
def test_no_header_is_read_otherwise_than_by_tarfile(value: int, checked: bool) -> None:
    whole = packed(tarfile.USTAR_FORMAT, ("cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png"))
    second, size = tarfile.BLOCKSIZE, tarfile.BLOCKSIZE
    for place in range(size):
        header = bytearray(whole[second : second + size])
        header[place] = value
        if checked:
            total = sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")
            header[148:156] = b"%06o\0 " % total
        changed = whole[:second] + header + whole[second + size :]
        assert walked(changed, ours=True) == walked(changed, ours=False), place


def test_a_header_for_all_that_follow_holds_for_them() -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"size": "0"}) as archive:
        for name in ("cat/1.png", "cat/2.png", "cat/3.png"):
            archive.addfile(tarfile.TarInfo(name))
    assert walked(content.getvalue(), ours=True) == walked(content.getvalue(), ours=False)
