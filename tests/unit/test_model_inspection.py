"""What may be loaded, by name and by first bytes."""

import gzip
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from model_server import safetensors

from archive_pipeline.errors import ModelError
from archive_pipeline.models.inspection import check_content, check_name


def _zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("model/data.pkl", b"x")
    return data.getvalue()


def _tar() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.safetensors"))
    return data.getvalue()


@pytest.mark.parametrize("name", ["m.ckpt", "m.pt", "m.pth", "m.PT", "pytorch_model.bin", "m.pkl", "m.npz", "m.joblib"])
def test_pickles_are_refused_by_name_with_the_reason_and_the_way_out(name: str) -> None:
    with pytest.raises(ModelError, match="can run code when it is loaded") as refused:
        check_name(name)
    assert "ketos convert" in refused.value.remedy
    assert "safetensors" in refused.value.remedy


@pytest.mark.parametrize("name", ["m.zip", "m.tar.gz", "m.tgz", "m.7z"])
def test_archives_are_refused_by_name(name: str) -> None:
    with pytest.raises(ModelError, match="archives are not unpacked"):
        check_name(name)


@pytest.mark.parametrize("name", ["model", "m.exe", "m.gguf", "m.safetensors.sh"])
def test_other_kinds_are_refused_by_name(name: str) -> None:
    with pytest.raises(ModelError, match="of no kind that is loaded"):
        check_name(name)


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx", ".mlmodel", ".json"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        *((pickle.dumps({"a": 1}, protocol), "a pickle.* can run code") for protocol in (2, 3, 4, 5)),
        (_zip(), "zip archive, as torch.save makes"),
        (gzip.compress(b"x", mtime=0), r"packed \(gzip\)"),
        (_tar(), r"packed \(tar\)"),
        (b"\x93NUMPY\x01\x00", "numpy file"),
        (b"BZh91AY", r"packed \(bzip2\)"),
        (b"<html>log in</html>", "is no "),
        (b"", "is no "),
        (pickle.dumps({"a": 1}, 0), "is no "),
    ],
)
def test_what_is_under_a_good_name_is_refused_by_its_bytes(tmp_path: Path, suffix: str, data: bytes, said: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=said):
        check_content(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.safetensors", safetensors(1000)),
        # 640 bytes of header: the file begins like a pickle of protocol 2.
        ("m.safetensors", (0x0280).to_bytes(8, "little") + b"{" + b" " * 638 + b"}"),
        ("m.onnx", b"\x08\x0a\x12\x00"),
        ("m.mlmodel", b"\x08\x02\x12\xe8"),
        ("m.json", b' {"a": 1}'),
    ],
)
def test_a_model_passes(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    check_content(tmp_path / name)


@pytest.mark.parametrize("length", [0, 1, 10_000, 1 << 40, (1 << 64) - 1])
def test_a_header_beyond_the_file_is_no_safetensors(tmp_path: Path, length: int) -> None:
    (tmp_path / "m.safetensors").write_bytes(length.to_bytes(8, "little") + b"{}" + b"\0" * 100)
    with pytest.raises(ModelError, match="is no safetensors file"):
        check_content(tmp_path / "m.safetensors")
