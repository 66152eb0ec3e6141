"""Scans as convolutions, distributed scans as stacks of them, and the way back."""

import copy

import numpy as np
import pytest

from cnnlab import nn, optim

F64 = {"dtype": "float64"}
CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}

# Kernel, stride and shape of x (N, C, *spatial): sizes differ by axis, strides do not divide.
SCANS = {
    "1-D": ((3,), 1, (2, 4, 8)),
    "1-D hop": ((4,), (3,), (2, 3, 12)),
    "2-D": ((3, 2), 1, (2, 2, 5, 6)),
    "2-D strides": ((2, 4), (2, 3), (3, 1, 7, 9)),
    "3-D": ((1, 2, 3), 2, (2, 2, 3, 4, 5)),
    "4-D": ((2, 1, 2, 1), 1, (1, 2, 3, 2, 3, 2)),
    "one window": ((5,), 1, (2, 1, 5)),
}

# (kernel, stride) for each level, channels from the input up, and the spatial size of x.
STACKS = {
    "1-D, two levels": ([(4, 2), (3, 1)], (2, 3, 2), (19,)),
    "1-D, three levels": ([(3, 1), (2, 2), (3, 2)], (2, 3, 4, 1), (23,)),
    "1-D, blocks that touch": ([(4, 4), (2, 2)], (1, 2, 2), (25,)),
    "1-D, blocks with gaps": ([(2, 3), (3, 1)], (2, 3, 1), (14,)),
    "2-D, two levels": ([((3, 2), (2, 1)), ((2, 3), 2)], (2, 3, 2), (11, 9)),
    "2-D, three levels": ([(2, (1, 2)), ((2, 3), 1), (2, 1)], (1, 2, 3, 2), (8, 13)),
    "3-D, two levels": ([((1, 2, 2), 1), ((2, 1, 2), 2)], (2, 2, 2), (4, 3, 6)),
}


def make_scan(name, seed=0, sizes=(5, 4, 2)):
    kernel, stride, shape = SCANS[name]
    rng = np.random.default_rng(seed)
    scan = nn.Scan(nn.mlp([shape[1] * int(np.prod(kernel)), *sizes], rng=rng, **F64), kernel, stride)
    return scan, rng.standard_normal(shape)


def make_stack(name, seed=0, *, dense_on_top=True, bias=True):
    levels, channels, spatial = STACKS[name]
    rng, conv = np.random.default_rng(seed), CONV[len(spatial)]
    layers = []
    for (kernel, stride), c_in, c_out in zip(levels, channels[:-1], channels[1:], strict=True):
        layers += [conv(c_in, c_out, kernel, stride, bias=bias, rng=rng, **F64), nn.ReLU()]
    if dense_on_top:
        layers += [conv(channels[-1], 3, 1, rng=rng, **F64), nn.Sigmoid(), conv(3, 1, 1, rng=rng, **F64)]
    return nn.Sequential(*layers), rng.standard_normal((2, channels[0], *spatial))


def same_in_both_directions(one, other, x):
    y = one(x)
    np.testing.assert_allclose(other(x), y, rtol=0, atol=1e-12)
    dy = np.random.default_rng(9).standard_normal(y.shape)
    np.testing.assert_allclose(other.backward(dy), one.backward(dy), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCANS)
def test_scan_is_one_wide_convolution_and_ones_of_one_place(name):
    scan, x = make_scan(name)
    convolutions = nn.to_convolutions(scan)
    kernels = [layer.geometry.kernel for layer in convolutions if hasattr(layer, "geometry")]
    assert kernels == [scan.kernel_size, *[(1,) * len(scan.kernel_size)] * 2]
    same_in_both_directions(scan, convolutions, x)
    for ours, theirs in zip(scan.parameters(), convolutions.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad.reshape(ours.shape), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCANS)
def test_expanding_gives_the_scan_back(name):
    scan, _ = make_scan(name)
    back = nn.expand(nn.to_convolutions(scan))
    assert (back.kernel_size, len(back.module)) == (scan.kernel_size, len(scan.module))
    for (W, b), (W_back, b_back) in zip(nn.layers_of(scan.module), nn.layers_of(back.module), strict=True):
        np.testing.assert_array_equal(W, W_back)
        np.testing.assert_array_equal(b, b_back)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("tied", [False, True])
def test_expanded_stack_is_the_scan_of_one_network(name, tied):
    stack, x = make_stack(name)
    scan = nn.expand(stack, tied=tied)
    same_in_both_directions(stack, scan, x)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dense_on_top", [False, True])
def test_distributed_scan_becomes_the_stack_it_came_from(name, tied, dense_on_top):
    stack, x = make_stack(name, dense_on_top=dense_on_top)
    scan = nn.expand(stack, tied=tied)
    back = nn.to_convolutions(scan, STACKS[name][0])
    assert repr(back) == repr(stack)
    for ours, theirs in zip(stack.parameters(), back.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    same_in_both_directions(scan, back, x)


def test_window_hop_and_sparsity_of_a_worked_example():
    """The drawing in the docstring: three blocks of 4 frames, 2 apart, in a window of 8."""
    stack = nn.Sequential(nn.Conv1d(1, 1, 4, 2, **F64), nn.ReLU(), nn.Conv1d(1, 1, 3, **F64))
    stack[0].weight.data, stack[0].bias.data = np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.array([5.0])
    scan = nn.expand(stack)
    assert (scan.kernel_size, scan.stride) == ((8,), (2,))
    (W, b), (top, _) = nn.layers_of(scan.module)
    np.testing.assert_array_equal(W, [[1, 2, 3, 4, 0, 0, 0, 0], [0, 0, 1, 2, 3, 4, 0, 0], [0, 0, 0, 0, 1, 2, 3, 4]])
    np.testing.assert_array_equal(b, [5, 5, 5])
    np.testing.assert_array_equal(top, stack[2].weight.data[0])


@pytest.mark.parametrize("name", STACKS)
def test_tied_scan_learns_as_the_stack_and_a_free_one_drifts_apart(name):
    stack, x = make_stack(name, seed=3)
    tied, free = nn.expand(stack, tied=True), nn.expand(stack)
    blocks = STACKS[name][0]
    dy = np.random.default_rng(3).standard_normal(stack(x).shape)
    stack.forget()
    for net in (stack, tied, free):
        optimizer = optim.SGD(net.parameters(), 0.02, momentum=0.9)
        for _ in range(4):
            net(x)
            net.backward(dy)
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_allclose(tied(x), stack(x), rtol=0, atol=1e-11)
    distributed = nn.to_convolutions(tied, blocks)
    for ours, theirs in zip(stack.parameters(), distributed.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=0, atol=1e-11)
    with pytest.raises(ValueError, match="not block-sparse and tied"):
        nn.to_convolutions(free, blocks)


def test_biases_may_be_missing():
    stack, x = make_stack("1-D, three levels", bias=False, dense_on_top=False)
    scan = nn.expand(stack)
    assert [p.shape for p in scan.parameters()] == [(18, 16), (12, 18), (1, 12)]
    back = nn.to_convolutions(scan, STACKS["1-D, three levels"][0])
    assert back[0].bias is None
    same_in_both_directions(stack, back, x)


def test_ints_and_rank():
    net = nn.mlp([2 * 9, 3, 1], **F64)
    assert nn.to_convolutions(nn.Scan(net, 9))[0].geometry.kernel == (9,)
    flat = nn.to_convolutions(nn.Scan(net, 3), rank=2)
    assert flat[0].geometry.kernel == (3, 3)
    x = np.random.default_rng(0).standard_normal((2, 2, 5, 4))
    np.testing.assert_allclose(flat(x), nn.Scan(net, 3)(x), atol=1e-12)
    assert nn.to_convolutions(nn.Scan(nn.Linear(6, 2), (3,)))[0].geometry.in_channels == 2


def test_other_activations_and_a_dropout_in_evaluation_mode():
    g = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(6, 4, rng=g, **F64), nn.Tanh(), nn.Dropout(rng=g), nn.Linear(4, 1, rng=g, **F64))
    scan, x = nn.Scan(net, 3).eval(), g.standard_normal((2, 2, 7))
    np.testing.assert_allclose(nn.to_convolutions(scan).eval()(x), scan(x), rtol=0, atol=1e-12)


def test_values_are_copies_and_nothing_kept_comes_along():
    stack, x = make_stack("1-D, two levels")
    scan = nn.expand(stack)
    scan(x)
    back = nn.to_convolutions(scan, STACKS["1-D, two levels"][0])
    before = stack.state_dict()
    for parameter in (*scan.parameters(), *back.parameters()):
        parameter.data[...] = 0
    for name, value in stack.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(RuntimeError, match="no forward to go back through"):
        back[1].backward(np.zeros(1))


def test_on_every_lane(lane, assert_close):
    stack, x = make_stack("2-D, two levels")
    there = copy.deepcopy(stack)
    for parameter in there.parameters():
        parameter.data = lane.array(parameter.data.astype(lane.dtype))
    x_there = lane.array(x.astype(lane.dtype))
    blocks = STACKS["2-D, two levels"][0]
    for tied in (False, True):
        scan = nn.expand(there, tied=tied)
        assert_close(scan(x_there), stack(x))
        back = nn.to_convolutions(scan, blocks)
        assert_close(back(x_there), stack(x))
        assert {type(p.data) for p in back.parameters()} == {type(x_there)}


def spoiled(change, name="1-D, two levels"):
    """Return a distributed scan with changed values, and its blocks."""
    scan = nn.expand(make_stack(name)[0])
    change([layer for layer in scan.module if isinstance(layer, nn.Linear)])
    return scan, STACKS[name][0]


def add(layer, where, value, of="weight"):
    def change(linears):
        getattr(linears[layer], of).data[where] += value

    return change


# The first level of "1-D, two levels" has 3 units in each of 3 blocks of 4 frames, on 2 channels of 8 frames.
UNTIED = {
    "a weight": (add(0, (2, 5), 0.25), "layer 0 of the MLP is not .*: block 2 differs from block 0 by up to 0.25"),
    "a bias": (add(0, 4, 0.5, "bias"), "block 1 has biases that differ from those of block 0 by up to 0.5"),
    "outside": (add(0, (0, 7), 0.125), "block 0 has weights of up to 0.125 outside its window"),
    "first block": (add(0, (3, 8), 0.5), "block 1 differs from block 0 by up to 0.5; block 2 differs .* by up to 0.5"),
    "not a number": (add(0, (1, 2), np.nan), "block 1 differs from block 0 by up to nan"),
}


@pytest.mark.parametrize("name", UNTIED)
def test_weights_that_are_not_sparse_and_tied_are_refused_and_the_blocks_named(name):
    change, text = UNTIED[name]
    scan, blocks = spoiled(change)
    with pytest.raises(ValueError, match=text):
        nn.to_convolutions(scan, blocks)


def test_second_level_of_three_must_be_tied_too():
    scan, blocks = spoiled(add(1, (1, 2), 0.5), "1-D, three levels")
    with pytest.raises(ValueError, match="layer 2 of the MLP is not block-sparse and tied: block 1 differs"):
        nn.to_convolutions(scan, blocks)


def test_many_faults_are_counted():
    g = np.random.default_rng(0)
    scan = nn.Scan(nn.mlp([16, 9, 1], rng=g), (8,), 2)
    with pytest.raises(ValueError, match=r"; and \d more\. Only then"):
        nn.to_convolutions(scan, [(4, 2), (3, 1)])


def test_small_differences_pass_within_a_tolerance():
    scan, blocks = spoiled(add(0, (2, 5), 1e-9))
    with pytest.raises(ValueError, match="1e-09"):
        nn.to_convolutions(scan, blocks)
    nn.to_convolutions(scan, blocks, tolerance=1e-8)


def distributed(blocks, window=(8,), stride=2, sizes=(9, 1)):
    return lambda: nn.to_convolutions(nn.Scan(nn.mlp([2 * window[0], *sizes]), window, stride), blocks)


ERRORS = {
    "no scan": (lambda: nn.to_convolutions(nn.mlp([3, 1])), TypeError, r"takes a Scan, not a Sequential"),
    "no mlp": (lambda: nn.to_convolutions(nn.Scan(nn.Flatten(), 2)), ValueError, "layer 0 .* is a Flatten"),
    "no linear": (lambda: nn.to_convolutions(nn.Scan(nn.ReLU(), 2)), ValueError, "must begin with a Linear"),
    "window": (lambda: nn.to_convolutions(nn.Scan(nn.mlp([7, 1]), 2)), ValueError, "7 numbers.* no multiple"),
    "rank": (lambda: nn.to_convolutions(nn.Scan(nn.mlp([8, 1]), (2,)), rank=2), ValueError, r"rank \(=2\)"),
    "no level": (distributed([]), ValueError, "blocks name 0 levels for 2 Linear layers"),
    "too many levels": (distributed([(4, 2), (2, 1), (2, 1)]), ValueError, "3 levels for 2 Linear layers"),
    "not pairs": (distributed([4, 3]), ValueError, r"blocks\[0\] is 4: give \(kernel, stride\)"),
    "leaves something over": (distributed([(4, 3), (2, 1)]), ValueError, r"cover \(7,\) of \(8,\)"),
    "top too small": (distributed([(4, 2), (2, 1)]), ValueError, r"\(2,\) blocks .* are left.* kernel be \(3,\)"),
    "kernel too large": (distributed([(9, 2), (3, 1)]), ValueError, "kernel 9 is larger"),
    "hop": (distributed([(4, 2), (3, 1)], stride=1), ValueError, r"multiply to \(2,\) but the scan steps by \(1,\)"),
    "units": (distributed([(4, 2), (3, 1)], sizes=(8, 1)), ValueError, "8 units: .* a multiple of 3 units"),
    "pool": (lambda: nn.expand(nn.Sequential(nn.Conv1d(1, 1, 2), nn.MaxPool1d(2))), ValueError, "layer 1 .*MaxPool1d"),
    "padding": (lambda: nn.expand(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1))), ValueError, "padding=0"),
    "no convolution": (lambda: nn.expand(nn.Sequential(nn.ReLU())), ValueError, "nothing to expand"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()
