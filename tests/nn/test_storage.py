"""Saving and loading: whole, harmless, in PyTorch's layout, and clear about what does not fit."""

import copy
import errno
import os
import stat
import zipfile

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.nn import archive


def small_net(seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2d(1, 2, (3, 2), rng=rng, dtype=dtype),
        nn.ReLU(),
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 3, bias=False, rng=rng, dtype=dtype)),
    )


def assert_same(net, state):
    assert net.state_dict().keys() == state.keys()
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.npz"


def test_a_net_goes_round_through_a_file_on_every_lane(lane, path):
    net, other = small_net(0, lane.dtype), small_net(1, lane.dtype)
    for parameter in (*net.parameters(), *other.parameters()):
        parameter.data = lane.array(parameter.data)
    places = [(type(p.data), p.data.device) for p in other.parameters()]
    nn.save(net, path)
    nn.load(other, str(path))
    assert_same(other, net.state_dict())
    assert [(type(p.data), p.data.device) for p in other.parameters()] == places


def test_a_file_from_one_kind_of_array_loads_into_another(lane, path):
    here, there = small_net(0), small_net(1)
    for parameter in there.parameters():
        parameter.data = lane.array(parameter.data)
    nn.save(here, path)
    nn.load(there, path)
    assert_same(there, here.state_dict())
    nn.save(there, path)
    back = small_net(2)
    nn.load(back, path)
    assert_same(back, here.state_dict())


def test_the_file_is_plain_numpy_with_one_array_a_name(path):
    net = small_net()
    nn.save(net, path)
    with np.load(path, allow_pickle=False) as state:
        assert_same(net, dict(state))
    other = small_net(1)
    np.savez_compressed(path, **net.state_dict())
    nn.load(other, path)
    assert_same(other, net.state_dict())


def test_the_same_values_give_the_same_bytes(tmp_path):
    nn.save(small_net(), tmp_path / "a.npz")
    nn.save(small_net(), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("name", ["file", "args", "allow_pickle", "größe"])
def test_any_name_of_a_parameter_can_be_saved(name, path):
    class Named(nn.Module):
        def __init__(self, value):
            setattr(self, name, nn.Parameter(np.full(2, value)))

    nn.save(Named(3.0), path)
    other = Named(0.0)
    nn.load(other, path)
    assert getattr(other, name).data.tolist() == [3.0, 3.0]


def torch_net():
    import torch

    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, (3, 2)),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Sequential(torch.nn.Linear(12, 3, bias=False)),
    )


@pytest.mark.oracle
def test_values_of_pytorch_give_the_same_outputs_and_come_back(path, rng):
    import torch

    theirs, ours, back = torch_net().double(), small_net(0, "float64"), torch_net().double()
    x = rng.standard_normal((4, 1, 5, 3))
    want = theirs(torch.from_numpy(x)).detach().numpy()

    np.savez(path, **{name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    nn.load(ours, path)
    np.testing.assert_allclose(ours(x), want, rtol=1e-12, atol=1e-12)

    nn.save(ours, path)
    back.load_state_dict({name: torch.from_numpy(array) for name, array in np.load(path).items()})
    np.testing.assert_array_equal(back(torch.from_numpy(x)).detach().numpy(), want)


@pytest.mark.oracle
def test_a_plain_dict_goes_both_ways_without_a_file(rng, assert_close):
    import torch

    theirs, ours = torch_net(), small_net()
    x = rng.standard_normal((4, 1, 5, 3)).astype("float32")
    ours.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    assert_close(ours(x), theirs(torch.from_numpy(x)).detach().numpy())
    other = torch_net()
    other.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    assert torch.equal(other(torch.from_numpy(x)), theirs(torch.from_numpy(x)))


# Files that are not what they should be ------------------------------------------------------------------------------


def test_a_file_cut_off_anywhere_is_refused_and_changes_nothing(path):
    nn.save(small_net(), path)
    whole = path.read_bytes()
    net = small_net(1)
    before = net.state_dict()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"net.npz is no whole .npz file .*it is cut off, damaged"):
            nn.load(net, path)
    assert_same(net, before)


def test_a_file_with_flipped_bits_never_loads_other_values(path):
    """Damage is found, or it is in a place that does not matter, such as a date."""
    net = small_net()
    nn.save(net, path)
    whole = path.read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        other = small_net(1)
        try:
            nn.load(other, path)
        except ValueError:
            refused += 1
        else:
            assert_same(other, net.state_dict())
    assert refused > 200


def test_a_damaged_header_that_still_reads_is_found(path):
    """As half the bytes of each value, the right number of wrong values could be read."""
    nn.save(small_net(), path)
    whole = path.read_bytes()
    assert b"'<f4'" in whole
    path.write_bytes(whole.replace(b"'<f4'", b"'<f2'", 1))
    with pytest.raises(ValueError, match=r"0.weight.npy is damaged"):
        nn.load(small_net(1), path)


def pickled(path):
    np.savez(path, **{"0.weight": np.array([{"a": 1}], dtype=object)})


def one_array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def zip_of_text(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")


FOREIGN = {
    "text": (lambda path: path.write_text("hello"), "is no whole .npz file"),
    "nothing": (lambda path: path.write_bytes(b""), "is no whole .npz file"),
    "one array": (one_array, "is no whole .npz file"),
    "a zip of other things": (zip_of_text, "it holds readme.txt, which is no .npy"),
    "objects": (pickled, "0.weight is an array of Python objects, and reading such could run code"),
    "words": (lambda path: np.savez(path, **{"0.weight": np.array("a")}), "0.weight is an array of <U1, not of real"),
    "complex": (lambda path: np.savez(path, **{"0.bias": np.ones(2) * 1j}), "0.bias is an array of complex128"),
    "another net": (lambda path: nn.save(nn.Linear(2, 3), path), "missing: 0.weight.*unknown: weight"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_refused_by_name_and_change_nothing(name, path):
    write, text = FOREIGN[name]
    write(path)
    net = small_net()
    with pytest.raises(ValueError, match=text) as caught:
        nn.load(net, path)
    assert "net.npz" in str(caught.value)
    assert_same(net, small_net().state_dict())


def test_errors_name_the_path_and_the_next_step(tmp_path):
    net = small_net()
    with pytest.raises(ValueError, match=r"path \(='net.pt'\) must end in .npz: call it 'net.npz'"):
        nn.save(net, "net.pt")
    with pytest.raises(ValueError, match=r"must end in .npz: call it 'net.npz'"):
        nn.load(net, tmp_path / "net")
    with pytest.raises(TypeError, match=r"path must be a file's name such as 'net.npz', not 3"):
        nn.save(net, 3)
    with pytest.raises(TypeError, match=r"net is a str: write save\(net, path\), the network first"):
        nn.save("net.npz", net)
    with pytest.raises(TypeError, match=r"net is a str: write load\(net, path\)"):
        nn.load("net.npz", net)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*net.npz: look for its right name"):
        nn.load(net, tmp_path / "net.npz")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*deep: make it first"):
        nn.save(net, tmp_path / "deep" / "net.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError, match=r"is a folder: give the name of a file in it"):
        nn.save(net, tmp_path / "folder.npz")
    with pytest.raises(OSError, match=r"folder.npz cannot be read"):
        nn.load(net, tmp_path / "folder.npz")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_named(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(PermissionError, match=r"you may not write to .*choose another folder"):
        nn.save(small_net(), tmp_path / "net.npz")


def test_a_folder_said_to_be_closed_is_named(path, monkeypatch):
    monkeypatch.setattr(archive.os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"you may not write to .*choose another folder"):
        nn.save(small_net(), path)


# Writing that does not end -------------------------------------------------------------------------------------------


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def keyboard(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("place", ["os.fsync", "np.lib.format.write_array", "Path.replace"])
@pytest.mark.parametrize(("fault", "error"), [(full_disk, OSError), (keyboard, KeyboardInterrupt)])
def test_an_interrupted_write_leaves_the_old_file_whole_and_nothing_else(place, fault, error, path, monkeypatch):
    nn.save(small_net(0), path)
    old = path.read_bytes()
    monkeypatch.setattr(f"cnnlab.nn.archive.{place}", lambda *_, **__: fault())
    with pytest.raises(error) as caught:
        nn.save(small_net(1), path)
    monkeypatch.undo()
    if error is OSError:
        assert caught.value.errno == errno.ENOSPC
        assert "net.npz cannot be written (No space left on device): make room there" in str(caught.value)
    assert path.read_bytes() == old
    assert [p.name for p in path.parent.iterdir()] == ["net.npz"]


def test_the_data_is_on_the_disk_before_the_file_takes_its_place(path, monkeypatch):
    events, fsync = [], os.fsync
    replace = type(path).replace
    monkeypatch.setattr(archive.os, "fsync", lambda number: (events.append("fsync"), fsync(number)))
    monkeypatch.setattr(archive.Path, "replace", lambda *names: (events.append("replace"), replace(*names)))
    nn.save(small_net(), path)
    assert events == ["fsync", "replace", "fsync"]  # the file, its place, the folder


def test_a_saved_file_has_the_permissions_of_any_new_file(path):
    nn.save(small_net(), path)
    plain = path.with_name("plain")
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_leftovers_of_a_killed_write_are_removed_and_other_files_are_not(path):
    nn.save(small_net(), path)
    for name in (".net.npz.12ab.tmp", ".other.npz.12ab.tmp", "net.npz.tmp"):
        path.with_name(name).touch()
    archive.remove_leftovers(path)
    assert sorted(p.name for p in path.parent.iterdir()) == [".other.npz.12ab.tmp", "net.npz", "net.npz.tmp"]


def test_saving_and_loading_share_no_memory(path):
    net = small_net()
    nn.save(net, path)
    other = copy.deepcopy(net)
    nn.load(other, path)
    other[0].bias.data[...] = 9
    assert not np.any(net[0].bias.data == 9)
