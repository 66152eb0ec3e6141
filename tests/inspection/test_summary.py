"""A network as a table: its numbers against real forward passes and hand-worked ones; the net stays as it is."""

import copy
import re
import textwrap

import numpy as np
import pytest

import cnnlab
from cnnlab import nn
from cnnlab.inspection import summary


def deck_layer():
    return nn.Conv2d(3, 10, 5, padding=2)


def conv_net(rng):
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), (1, 2), (1, 0), rng=rng),
        nn.ReLU(),
        nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False, rng=rng), nn.Sigmoid()),
        nn.AvgPool2d(2, 1),
        nn.Flatten(),
        nn.Linear(6 * 2 * 1, 3, rng=rng),
    )


X = (2, 14, 27)  # C, H, W


class Residual(nn.Module):
    """A reader's own block: two layers and a sum, written out."""

    def __init__(self, kernel, rng):
        self.first = nn.Conv2d(2, 2, kernel, padding="same", rng=rng)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(2, 2, kernel, padding="same", rng=rng)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))) + x)

    def backward(self, dy):
        dy = self.relu.backward(dy)
        return dy + self.first.backward(self.relu.backward(self.second.backward(dy)))


class Scale(nn.Module):
    """A reader's own layer with a parameter."""

    def __init__(self):
        self.factor = nn.Parameter(np.ones((2, 1, 1), np.float32))

    def forward(self, x):
        return x * self.factor.data


# The numbers --------------------------------------------------------------------------------------------------------


def test_the_deck_s_760_and_768_000_come_out():
    table = cnnlab.summary(deck_layer(), (3, 32, 32))
    (row,) = table.layers
    assert (table.parameters, table.multiply_adds) == (760, 768_000)
    assert (row.parameters, row.multiply_adds, row.output_shape) == (760, 768_000, (10, 32, 32))
    assert (row.receptive_field, row.jump, row.activation_bytes) == ((5, 5), (1, 1), 40_960)


def shapes_by_running(net, x):
    """Run every layer of a (nested) Sequential and list the shapes of the outputs, modules above their parts."""
    shapes = []
    for layer in net:
        inside = shapes_by_running(layer, x) if isinstance(layer, nn.Sequential) else []
        x = layer(x)
        shapes += [x.shape[1:], *inside]
    return shapes


def test_output_shapes_are_those_of_a_real_forward_pass(rng):
    net = conv_net(rng)
    table = summary(net, X)
    assert [layer.output_shape for layer in table.layers] == shapes_by_running(net, np.zeros((1, *X), np.float32))
    assert table.output_shape == (3,)


def test_parameters_and_costs_are_those_of_the_geometry(rng):
    net = conv_net(rng)
    table = summary(net, X)
    assert table.parameters == sum(p.data.size for p in net.parameters())
    assert table["0"].multiply_adds == net[0].geometry.mac_count(X)
    assert table["2.1"].multiply_adds == net[2][1].geometry.mac_count((4, 7, 6))
    assert table["5"].multiply_adds == 12 * 3
    assert [layer.parameters for layer in table.layers] == [52, 0, 0, 0, 108, 0, 0, 0, 39]
    assert sum(layer.parameters for layer in table.layers) == table.parameters


def inputs_that_matter(net, x, output):
    """Return, for each spatial axis, the first and last place of x that changes an entry of the output."""
    base = net(x)
    reached = []
    for place in np.ndindex(x.shape[2:]):
        changed = x.copy()
        changed[:, :, *place] += 1.0
        if np.any((net(changed) != base)[output]):
            reached.append(place)
    return [(min(axis), max(axis)) for axis in zip(*reached, strict=True)]


def test_receptive_field_is_what_a_change_of_the_input_reaches(rng):
    net = nn.Sequential(
        nn.Conv2d(1, 2, (3, 2), (1, 2), rng=rng, dtype="float64"),
        nn.AvgPool2d(2, (2, 1)),
        nn.Sigmoid(),
        nn.Conv2d(2, 1, (2, 3), dilation=(2, 1), rng=rng, dtype="float64"),
    )
    x = rng.normal(size=(1, 1, 14, 13))
    row = summary(net, x.shape[1:]).layers[-1]
    firsts = [inputs_that_matter(net.eval(), x, (0, 0, *place)) for place in ((0, 0), (1, 1))]
    assert row.receptive_field == tuple(last - first + 1 for first, last in firsts[0])
    assert row.jump == tuple(b[0] - a[0] for a, b in zip(*firsts, strict=True))


def test_a_layer_over_a_whole_map_sees_what_the_map_sees(rng):
    conv = nn.Conv1d(1, 2, 3, 2, rng=rng, dtype="float64")
    flat = nn.Sequential(conv, nn.Flatten(), nn.Linear(8, 1, rng=rng, dtype="float64"))
    pooled = nn.Sequential(conv, nn.GlobalPool("mean"))
    x = rng.normal(size=(1, 1, 10))  # the last place is left over
    for net in (flat, pooled):
        (reached,) = inputs_that_matter(net.eval(), x, (0, 0))
        row = summary(net, (1, 10)).layers[-1]
        assert row.receptive_field == (reached[1] - reached[0] + 1,) == (9,)
        assert row.jump is None
    assert summary(flat, (1, 10))["1"].receptive_field == (3,)
    padded = nn.Sequential(nn.Conv1d(1, 1, 5, padding=2), nn.GlobalPool("max"))
    assert summary(padded, (1, 10)).layers[-1].receptive_field == (10,)  # the padding is not input


def test_the_receptive_field_of_a_sum_is_that_of_the_longer_way(rng):
    table = summary(nn.Sequential(Residual(3, rng), Residual(5, rng)), (2, 12, 11))
    assert table["0"].receptive_field == (5, 5)
    assert table["1.second"].receptive_field == table["1"].receptive_field == (13, 13)
    assert table["1"].jump == (1, 1)
    assert [layer.name for layer in table.layers][:5] == ["0", "0.first", "0.relu", "0.second", "0.relu"]


def test_branches_of_add(rng):
    shortcut = nn.Conv2d(2, 4, 1, 2, rng=rng)
    around = nn.Sequential(nn.Conv2d(2, 4, 3, 2, 1, rng=rng), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, rng=rng))
    net = nn.Sequential(nn.Add(shortcut, around), nn.Add(nn.Sequential(), nn.Conv2d(4, 4, 5, padding=2, rng=rng)))
    table = summary(net, (2, 9, 8))
    assert [layer.name for layer in table.layers] == ["0", "0.0", "0.1", "0.1.0", "0.1.1", "0.1.2", "1", "1.0", "1.1"]
    assert (table["0.0"].receptive_field, table["0.1"].receptive_field) == ((1, 1), (7, 7))
    assert (table["0"].receptive_field, table["0"].jump) == ((7, 7), (2, 2))
    assert (table["1.0"].receptive_field, table["1"].receptive_field) == ((7, 7), (15, 15))
    assert table["0"].activation_bytes == 4 * 5 * 4 * 4  # the sum
    assert table.output_shape == net(np.zeros((1, 2, 9, 8), np.float32)).shape[1:]
    assert table.parameters == sum(layer.parameters for layer in table.layers)


def test_pools_that_round_up_and_layers_that_change_no_shape():
    net = nn.Sequential(
        nn.BatchNorm2d(3), nn.Tanh(), nn.Dropout(), nn.MaxPool2d(3, 2, dilation=2, ceil_mode=True), nn.AvgPool2d(2)
    )
    table = summary(net, (3, 16, 13))
    assert table.output_shape == net(np.ones((2, 3, 16, 13), np.float32)).shape[1:]
    assert [layer.parameters for layer in table.layers] == [6, 0, 0, 0, 0]
    assert table["3"].receptive_field == (5, 5)


def test_a_transposed_convolution(rng):
    layer = nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, rng=rng)
    table = summary(nn.Sequential(layer, nn.Conv2d(2, 1, 1)), (4, 5, 6))
    assert table["0"].output_shape == layer(np.zeros((1, 4, 5, 6), np.float32)).shape[1:]
    assert table["0"].multiply_adds == layer.geometry.mac_count((4, 5, 6)) == 4 * 30 * 2 * 9
    assert (table["0"].receptive_field, table["1"].receptive_field) == (None, None)


def test_a_scan_counts_its_windows(rng):
    net = nn.Sequential(nn.Scan(nn.mlp([20 * 30, 32, 1], rng=rng), 30, 2), nn.GlobalPool("max"))
    table = summary(net, (20, 101))
    windows = 36
    inner = table["0.module.0"]
    assert (inner.windows, inner.output_shape) == (windows, (32,))
    assert (inner.multiply_adds, inner.parameters) == (windows * 600 * 32, 600 * 32 + 32)
    assert inner.activation_bytes == windows * 32 * 4
    assert table["0"].activation_bytes == windows * 600 * 4  # the windows that it cuts out
    assert (table["0"].receptive_field, table["0"].jump, inner.receptive_field) == ((30,), (2,), (30,))
    assert table["1"].receptive_field == (100,)
    assert f"{windows} × (32,)" in repr(table)
    convolutions = summary(nn.to_convolutions(net[0]), (20, 101))
    assert convolutions.multiply_adds == table.multiply_adds  # deck row D17
    assert convolutions.parameters == table.parameters


def test_a_layer_used_twice_costs_twice_and_counts_once(rng):
    layer = nn.Linear(3, 3, rng=rng)
    table = summary(nn.Sequential(layer, nn.ReLU(), layer), (3,))
    assert [row.parameters for row in table.layers] == [12, 0, 0]
    assert (table.parameters, table.multiply_adds) == (12, 18)


def test_memory_is_in_the_dtype_of_the_parameters():
    for dtype, size in (("float32", 4), ("float64", 8), ("float16", 2)):
        table = summary(nn.Conv1d(1, 2, 3, dtype=dtype), (1, 7))
        assert (table.dtype, table.activation_bytes) == (dtype, 10 * size)


def test_own_modules_are_run_and_what_is_not_known_is_left_open():
    net = nn.Sequential(nn.Conv2d(2, 2, 3), Scale(), nn.Conv2d(2, 1, 3))
    table = summary(net, (2, 8, 9))
    own = table["1"]
    assert (own.parameters, own.multiply_adds, own.output_shape) == (2, None, (2, 6, 7))
    assert (own.receptive_field, table["2"].receptive_field) == (None, None)
    assert table["0"].receptive_field == (3, 3)
    assert "at least" in table.totals()[3]
    assert re.search(r"1 Scale .* 2 +\? .*–", repr(table))


def test_own_modules_are_run_in_evaluation_mode_on_one_example_of_zeros():
    runs = []

    class Watching(nn.Module):
        def forward(self, x):
            runs.append((self.training, tuple(x.shape), float(np.abs(x).max())))
            return x

    net = nn.Sequential(nn.Linear(3, 4), Watching())
    assert summary(net, (3,)).output_shape == (4,)
    assert runs == [(False, (1, 4), 0.0)]
    assert net.training


def test_a_subclass_with_its_own_forward_is_run():
    class Cropped(nn.Conv1d):
        def forward(self, x):
            return super().forward(x)[:, :, 1:]

    assert summary(Cropped(1, 2, 3), (1, 9)).output_shape == (2, 6)


def test_an_own_op_is_not_called():
    def forbidden(*_):
        raise AssertionError("called")

    net = nn.Sequential(nn.Conv2d(1, 2, 3, op=nn.ConvOp(forbidden, forbidden)))
    assert summary(net, (1, 5, 5)).output_shape == (2, 3, 3)


def test_a_large_net_is_not_computed():
    table = summary(nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1)), (3, 4096, 4096))
    assert table.multiply_adds == 4096**2 * 64 * 9 * (3 + 64)
    assert table.activation_bytes == 2 * 64 * 4096**2 * 4


# The net stays as it is ---------------------------------------------------------------------------------------------


def test_the_net_is_not_disturbed(rng):
    net = nn.Sequential(conv_net(rng), nn.ReLU())
    x = rng.normal(size=(2, *X)).astype("float32")
    y = net(x)
    net.backward(np.ones_like(y))
    net(x)
    net[0][2].eval()
    before = [(set(vars(m)), m.training, len(vars(m).get("_kept", ()))) for m in net.modules()]
    state, gradients = net.state_dict(), [p.grad for p in net.parameters()]
    summary(net, X)
    assert [(set(vars(m)), m.training, len(vars(m).get("_kept", ()))) for m in net.modules()] == before
    assert all(p.grad is g for p, g in zip(net.parameters(), gradients, strict=True))
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    net.train()
    net.forget()(x)
    assert net.backward(np.ones_like(y)).shape == x.shape


def test_running_statistics_and_generators_stay_as_they_are(rng):
    generator = np.random.default_rng(4)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, rng=rng), nn.BatchNorm2d(3), nn.Dropout(rng=generator), Scale())
    net[3].factor.data = np.ones((3, 1, 1), np.float32)
    net(rng.normal(size=(4, 2, 5, 5)).astype("float32"))
    state, drawn = net.state_dict(), generator.bit_generator.state
    summary(net, (2, 5, 5))
    assert generator.bit_generator.state == drawn
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_on_every_lane(lane, rng):
    net = conv_net(rng)
    there = copy.deepcopy(net)
    for parameter in there.parameters():
        parameter.data = lane.array(parameter.data)
    assert summary(there, X) == summary(net, X)
    block = nn.Sequential(Residual(3, rng))
    for parameter in block.parameters():
        parameter.data = lane.array(parameter.data)
    assert summary(block, (2, 6, 7))["0"].receptive_field == (5, 5)


# How it shows -------------------------------------------------------------------------------------------------------


def test_text_table():
    net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.Sequential(nn.ReLU(), nn.MaxPool1d(2)), nn.GlobalPool("max"))
    assert repr(summary(net, (2, 12))) == textwrap.dedent("""\
        layer            output   parameters  multiply-adds  activations  receptive field  jump
        ---------------------------------------------------------------------------------------
        0 Conv1d         (4, 10)          28            240        160 B                3     1
        1 Sequential     (4, 5)                                                         4     2
          1.0 ReLU       (4, 10)           0              0        160 B                3     1
          1.1 MaxPool1d  (4, 5)            0              0         80 B                4     2
        2 GlobalPool     (4,)              0              0         16 B               12     –
        ---------------------------------------------------------------------------------------
        total                             28            240        416 B
        for one input of shape (2, 12), float32""")


def test_html_table_holds_the_same_cells_with_inherited_colors():
    table = summary(deck_layer(), (3, 32, 32))
    html = table._repr_html_()
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)
    assert cells[7:14] == [cell.strip() for cell in table.rows()[0]]
    assert {"760", "768,000", "40.0 KiB", "5×5"} <= set(cells)
    assert 'scope="col"' in html
    assert 'scope="row"' in html
    assert not re.search(r"#[0-9a-fA-F]{3,6}|rgb\(|: (white|black)", html)
    assert "color: inherit" in html


def test_html_is_escaped():
    class Odd(nn.ReLU):
        pass

    Odd.__name__ = "<script>"
    assert "<script>" not in summary(nn.Sequential(Odd()), (2,))._repr_html_()


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024, "1.5 MiB"), (2**43, "8.0 TiB")]
)
def test_sizes_for_a_reader(count, text):
    from cnnlab.inspection.table import _bytes

    assert _bytes(count) == text


def test_a_row_is_found_by_its_name():
    table = summary(nn.Sequential(nn.ReLU()), (3,))
    assert table["0"].kind == "ReLU"
    with pytest.raises(KeyError, match="no layer is named '7': there are 0"):
        table["7"]


# Errors -------------------------------------------------------------------------------------------------------------

ERRORS = {
    "no module": (lambda: summary(deck_layer, (3, 8, 8)), TypeError, "takes a Module, not a function"),
    "no shape": (lambda: summary(deck_layer(), ()), ValueError, "input_shape is empty"),
    "no number": (lambda: summary(deck_layer(), (3, 8.5, 8)), TypeError, "input_shape must be a whole number"),
    "channels": (lambda: summary(deck_layer(), (4, 8, 8)), ValueError, "4 channels"),
    "batch axis": (lambda: summary(deck_layer(), (1, 3, 8, 8)), ValueError, r"takes x \(N, C, H, W\)"),
    "too small": (
        lambda: summary(nn.Conv1d(1, 1, 9), (1, 5)),
        ValueError,
        "kernel 9 is larger than the padded input 5",
    ),
    "features": (lambda: summary(nn.mlp([7, 2]), (6,)), ValueError, r"takes \(N, 7\) but gets \(1, 6\)"),
    "pool of a vector": (lambda: summary(nn.GlobalPool("max"), (6,)), ValueError, "GlobalPool takes maps"),
    "branches": (
        lambda: summary(nn.Add(nn.Sequential(), nn.Conv1d(2, 2, 3)), (2, 6)),
        ValueError,
        r"branches of Add return shapes \[\(1, 2, 6\), \(1, 2, 4\)\]",
    ),
    "norm": (lambda: summary(nn.BatchNorm1d(3), (2, 6)), ValueError, "takes 3 channels but gets x of shape"),
    "flatten": (lambda: summary(nn.Flatten(4), (6,)), ValueError, r"start_dim \(=4\)"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()


def test_an_error_names_the_layer():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Flatten(), nn.Linear(5, 2)))
    with pytest.raises(ValueError, match="takes") as caught:
        summary(net, (3, 6, 6))
    assert caught.value.__notes__ == ["This happened in layer 1.1 (Linear)."]
