"""Training, but for what takes a real model: the form that is trained, batches, checkpoints, what is drawn."""

import platform
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kraken.lib.ppocr import PPOCRv6Model
from kraken.lib.vgsl import TorchVGSLModel
from kraken_models import write

from archive_pipeline.errors import ModelError, StorageError
from archive_pipeline.training.candidates import copies_in
from archive_pipeline.training.recognition import loop
from archive_pipeline.training.recognition.augmentation import augmented
from archive_pipeline.training.recognition.batches import batch_at, epoch_batches, parts
from archive_pipeline.training.recognition.checkpoint import State, Tensors
from archive_pipeline.training.recognition.fused import fused, write_back
from archive_pipeline.training.recognition.lines import CutLine, display_order
from archive_pipeline.training.recognition.network import TrainableNetwork, trainable, write_network
from archive_pipeline.training.recognition.onnx_form import onnx_form
from archive_pipeline.training.recognition.rates import share, usual_rate
from archive_pipeline.training.recognition.reading import character_error_rate
from archive_pipeline.training.recognition.recipe import Recipe
from archive_pipeline.training.recognition.tensors import PADDING, batch_tensor
from archive_pipeline.training.recognition.training import WEIGHTS


def _model(variant: str = "tiny") -> PPOCRv6Model:
    torch.manual_seed(0)
    model = PPOCRv6Model(variant=variant, num_classes=5, height=48, codec={"a": [1], "b": [2], "c": [3], " ": [4]})
    for part in model.modules():
        # As learnt, not as made: an average of nothing would hide mistakes.
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            part.weight.data.uniform_(0.5, 2)
            part.bias.data.normal_()
    return model.eval()


@pytest.fixture(params=["tiny", "small"])
def model(request: pytest.FixtureRequest) -> PPOCRv6Model:
    return _model(request.param)


def _lines(width: int = 96) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.rand(2, 3, 48, width)


@torch.no_grad()
def test_the_form_that_is_trained_is_the_same_function(model: PPOCRv6Model) -> None:
    widths = torch.tensor([96, 64])
    expected, lengths = model.nn(_lines(), widths)
    found, found_lengths = fused(model.nn)(_lines(), widths)
    assert torch.equal(lengths, found_lengths)
    assert torch.allclose(expected, found, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


@torch.no_grad()
def test_what_was_learnt_goes_back_into_krakens_own_network(model: PPOCRv6Model) -> None:
    form = fused(model.nn)
    before, _ = form(_lines())
    for weight in form.parameters():
        weight.add_(0.05 * torch.randn_like(weight))
    expected, _ = form(_lines())
    assert not torch.allclose(before, expected, rtol=1e-2)
    write_back(form, model.nn)
    found, _ = model.nn(_lines())
    assert torch.allclose(expected, found, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_the_onnx_form_is_compared_with_the_network_before_it_is_given_out() -> None:
    network = TrainableNetwork(_model())
    network.learn_characters(["abc"], 0)
    strips = [np.full((48, width, 3), 255, np.uint8) for width in (40, 333, 800)]
    strips[1][20:30, 50:60] = 0
    data = onnx_form(network, strips)
    assert data[:2] == b"\x08\x08"  # a model of ONNX: its field 1, the version of its format
    session = onnxruntime.InferenceSession(data)
    line, _ = batch_tensor(strips[1:2], 3)
    with torch.no_grad():
        expected, _ = network.module.eval()(line)
    assert np.allclose(session.run(None, {"line": line.numpy()})[0], expected.squeeze(2).numpy(), atol=1e-3)


def test_weights_that_are_no_numbers_are_no_model() -> None:
    network = TrainableNetwork(_model())
    network.learn_characters(["abc"], 0)
    with torch.no_grad():
        next(network.module.parameters()).fill_(float("nan"))
    with pytest.raises(ModelError, match="differs by"):
        onnx_form(network, [np.full((48, 60, 3), 255, np.uint8)])


def test_new_characters_extend_the_codec_and_leave_the_rest_as_it_was() -> None:
    network = TrainableNetwork(_model())
    before = network.model._output_proj.weight.detach().clone()
    assert network.learn_characters(["abz", "œ b"], 0) == ["z", "œ"]
    after = network.model._output_proj.weight.detach()
    assert torch.equal(after[:5], before)
    assert after.shape[0] == 7
    assert network.text(network.labels("zabœ")) == "zabœ"


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_network(_model(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, None)])
def test_a_base_whose_lines_were_cut_otherwise_learns_ours(tmp_path: Path, channels: int, mode: str | None) -> None:
    base = TorchVGSLModel(
        vgsl=f"[1,16,0,{channels} S1(1x0)1,3 O1c2]", codec={"a": [1]}, model_type=["recognition"], seg_type="bbox"
    )
    base.one_channel_mode = "1" if channels == 1 else None
    base.use_legacy_polygons = True
    network = trainable(write(base, tmp_path / "base.safetensors"))
    network.learn_characters([], 0)
    made = network.finished()
    assert (made.seg_type, made.use_legacy_polygons, made.one_channel_mode) == ("baselines", False, mode)


WIDTHS = st.lists(st.integers(1, 2000), min_size=1, max_size=200)


@given(WIDTHS, st.integers(1, 16), st.integers(0, 5), st.integers(0, 5))
def test_each_line_is_in_one_batch_of_an_epoch(widths: list[int], size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(widths, size, seed, epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(widths)))
    assert max(map(len, batches)) <= size
    assert batches == epoch_batches(widths, size, seed, epoch)


@given(WIDTHS, st.integers(1, 16))
@settings(max_examples=30)
def test_the_batches_of_steps_are_those_of_their_epochs(widths: list[int], size: int) -> None:
    expected = [(epoch, batch) for epoch in range(3) for batch in epoch_batches(widths, size, 7, epoch)]
    assert [batch_at(widths, size, 7, step) for step in range(len(expected))] == expected


@given(WIDTHS, st.integers(1, 4000))
def test_parts_of_a_batch_are_the_batch_and_no_wider_than_they_may_be(widths: list[int], most: int) -> None:
    batch = list(range(len(widths)))[::-1]
    found = parts(batch, widths, most)
    assert [index for part in found for index in part] == batch
    for part in found:
        assert len(part) == 1 or len(part) * max(widths[index] for index in part) <= most
    for one, other in pairwise(found):
        # None is made without need.
        assert (len(one) + 1) * max(widths[index] for index in [*one, other[0]]) > most


def test_the_gradient_of_a_batch_in_parts_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    lines = [
        CutLine(str(index), "abc"[: 1 + index % 3], draw.integers(0, 256, (48, 90 + 10 * index, 3), np.uint8))
        for index in range(5)
    ]

    def learnt(most: int) -> tuple[float, dict[str, torch.Tensor]]:
        monkeypatch.setattr(loop, "_PART", most)
        network = TrainableNetwork(_model())
        network.learn_characters(["abc"], 0)
        learning = loop.Learning(network, lines, [], Recipe(batch=5, threads=1))
        network.module.eval()  # without dropout, which is drawn for each part
        loss = learning._learn_from(0)
        return loss, {
            name: part.grad.clone() for name, part in network.module.named_parameters() if part.grad is not None
        }

    whole, expected = learnt(10_000)
    loss, found = learnt(300)
    assert loss == pytest.approx(whole, rel=1e-4)
    largest = max(float(each.abs().max()) for each in expected.values())
    assert largest > 1e-3
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-2, atol=1e-4 * largest), name


@given(st.integers(20, 400), st.floats(0.1, 2), st.integers(0, 1000))
@settings(max_examples=30)
def test_a_line_is_changed_in_the_same_way_by_the_same_draw_and_keeps_its_height(
    width: int, strength: float, seed: int
) -> None:
    line = np.random.default_rng(1).integers(0, 256, (48, width, 3), np.uint8)
    one, other = (augmented(line, strength, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.shape[0] == 48
    assert one.shape[2] == 3
    assert 0.5 * width - 16 < one.shape[1] < 1.5 * width + 16


def test_without_augmentation_a_line_is_itself() -> None:
    line = np.zeros((48, 100, 3), np.uint8)
    assert augmented(line, 0, np.random.default_rng(0)) is line


def test_lines_are_white_around_and_ink_is_one() -> None:
    strips = [np.zeros((48, 20, 3), np.uint8), np.full((48, 50, 3), 255, np.uint8)]
    lines, widths = batch_tensor(strips, 3)
    assert widths.tolist() == [20 + 2 * PADDING, 50 + 2 * PADDING]
    assert lines.shape[:3] == (2, 3, 48)
    assert lines[0, :, :, PADDING : PADDING + 20].min() == 1
    assert lines[0].sum() == 3 * 48 * 20
    assert lines[1].sum() == 0


def _tensors(average: bool = True) -> tuple[torch.nn.Linear, torch.optim.AdamW, Tensors]:
    torch.manual_seed(3)
    module = torch.nn.Linear(4, 2)
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    return module, optimiser, Tensors(module, optimiser, average=average)


def _step(module: torch.nn.Linear, optimiser: torch.optim.AdamW, tensors: Tensors, step: int) -> None:
    torch.manual_seed(step)
    optimiser.zero_grad()
    module(torch.randn(3, 4)).square().sum().backward()
    optimiser.step()
    tensors.follow(0.9)


@pytest.mark.parametrize("average", [True, False])
def test_a_training_goes_on_from_a_checkpoint_as_if_nothing_had_been(tmp_path: Path, average: bool) -> None:
    straight = _tensors(average)
    for step in range(6):
        _step(*straight, step)
    first = _tensors(average)
    for step in range(3):
        _step(*first, step)
    first[2].keep_best()
    first[2].save(tmp_path / "checkpoint", State("key", step=3, best_cer=12.5, curve=[{"step": 3, "cer": 12.5}]))
    second = _tensors(average)
    state = second[2].load(tmp_path / "checkpoint", "key")
    assert state == State("key", step=3, best_cer=12.5, curve=[{"step": 3, "cer": 12.5}])
    for step in range(3, 6):
        _step(*second, step)
    for name, weight in straight[0].state_dict().items():
        assert torch.equal(weight, second[0].state_dict()[name])
    for name, mean in straight[2].mean.items():
        assert torch.equal(mean, second[2].mean[name])
    assert second[2].best.keys() == {"weight", "bias"}


def test_a_checkpoint_of_another_training_is_not_taken(tmp_path: Path) -> None:
    module, _, tensors = _tensors()
    tensors.save(tmp_path / "checkpoint", State("key"))
    before = module.weight.detach().clone()
    assert tensors.load(tmp_path / "checkpoint", "another") is None
    assert tensors.load(tmp_path / "none", "key") is None
    assert torch.equal(module.weight, before)


@pytest.mark.parametrize("length", [0, 4, 200, -1])
def test_a_damaged_checkpoint_is_said_to_be_one(tmp_path: Path, length: int) -> None:
    path = tmp_path / "checkpoint"
    _tensors()[2].save(path, State("key"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(StorageError, match="is damaged"):
        _tensors()[2].load(path, "key")


def test_weights_exchanged_twice_are_as_before() -> None:
    module, _, tensors = _tensors()
    before = module.weight.detach().clone()
    tensors.mean["weight"].add_(1)
    tensors.exchange(tensors.mean)
    assert torch.equal(module.weight, before + 1)
    tensors.exchange(tensors.mean)
    assert torch.equal(module.weight, before)


@pytest.mark.parametrize(("text", "direction", "shown"), [("abc", "ltr", "abc"), ("שלום 12", "rtl", "12 םולש")])
def test_networks_learn_letters_as_they_stand(text: str, direction: str, shown: str) -> None:
    assert display_order(text, direction) == shown


def test_the_rate_on_the_way_counts_edits_of_the_true_characters() -> None:
    assert character_error_rate(["abcd", "xy"], ["abd", "x  y"]) == pytest.approx(100 * 2 / 6)


_HELD = """
import resource
import numpy as np
from pathlib import Path
from archive_pipeline.training.free_memory import give_free_memory_back

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20

kept = []
for round in range(3):
    # Blocks of 12 MB with something small behind each, as a batch leaves it.
    large = []
    for index in range(20):
        large.append(np.ones(12 << 20, np.uint8))
        kept.append(bytearray(100_000))
    large.clear()
before = held()
give_free_memory_back()
print(before - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the call is glibc's")
def test_freed_blocks_go_back_to_the_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", _HELD], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 200


def test_copies_that_a_killed_training_left_are_removed(tmp_path: Path) -> None:
    (tmp_path / "candidate-killed").mkdir()
    (tmp_path / "candidate-killed" / WEIGHTS).write_bytes(b"half")
    (tmp_path / WEIGHTS).write_bytes(b"whole")
    with copies_in(tmp_path, WEIGHTS) as copies:
        assert [path.read_bytes() for path in copies.iterdir()] == [b"whole"]
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]


def test_the_rate_rises_in_a_line_and_falls_in_a_cosine_to_a_fiftieth() -> None:
    assert [share(step, 100, 10) for step in (0, 4)] == pytest.approx([0.1, 0.5], rel=0.01)
    assert share(50, 100, 10) == pytest.approx(0.51)
    assert share(100, 100, 10) == pytest.approx(0.02)
    assert share(0, 100, 0) == 1


def test_a_base_that_reads_the_lines_learns_more_slowly() -> None:
    assert usual_rate(55.0) == 1e-3
    assert usual_rate(3.0) == 2e-4
