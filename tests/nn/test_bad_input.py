"""Bad input, in one table: each entry raises an error that names the value and says what to do next."""

import math

import numpy as np
import pytest

import cnnlab
from cnnlab import data, geometry, nn, ops, optim, train


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


def parameters():
    return nn.Linear(2, 2).parameters()


def sgd(**options):
    return optim.SGD(parameters(), **{"lr": 0.1} | options)


def fit(net=None, x=None, y=None, **options):
    net = net or nn.Linear(2, 1)
    given = {"loss": nn.BCEWithLogitsLoss(), "optimizer": optim.SGD(net.parameters(), lr=0.1), "epochs": 1}
    return train.fit(
        net, ones(4, 2) if x is None else x, ones(4, 1) if y is None else y, **given | {"progress": False} | options
    )


def back_without_forward():
    nn.Conv2d(3, 4, 3).backward(ones(1, 4, 6, 6))


def back_with_another_shape():
    layer = nn.Conv2d(3, 4, 3)
    layer(ones(1, 3, 8, 8))
    layer.backward(ones(1, 4, 5, 6))


def assign(name, value):
    setattr(nn.Linear(2, 2).weight, name, value)


BAD = {
    # convolution: options
    "conv groups and inputs": (lambda: nn.Conv2d(6, 8, 3, groups=4), ValueError, r"in_channels \(=6\).*groups \(=4\)"),
    "conv groups and outputs": (lambda: nn.Conv2d(4, 6, 3, groups=4), ValueError, r"out_channels \(=6\).*\(=4\)"),
    "conv no groups": (lambda: nn.Conv2d(4, 4, 3, groups=0), ValueError, r"groups \(=0\) must be at least 1"),
    "conv negative channels": (lambda: nn.Conv2d(-3, 4, 3), ValueError, r"in_channels \(=-3\) must be at least 1"),
    "conv no filters": (lambda: nn.Conv2d(3, 0, 3), ValueError, r"out_channels \(=0\) must be at least 1"),
    "conv no kernel": (lambda: nn.Conv2d(3, 4, 0), ValueError, r"kernel_size \(=0\) must be at least 1"),
    "conv kernel 3.0": (lambda: nn.Conv2d(3, 4, 3.0), TypeError, "kernel_size must be a whole number, not 3.0"),
    "conv kernel NaN": (lambda: nn.Conv2d(3, 4, math.nan), TypeError, "whole number, not nan"),
    "conv kernel string": (lambda: nn.Conv2d(3, 4, "3"), TypeError, "whole number, not '3'"),
    "conv kernel None": (lambda: nn.Conv2d(3, 4, None), TypeError, "whole number, not None"),
    "conv kernel True": (lambda: nn.Conv2d(3, 4, True), TypeError, "whole number, not True"),
    "conv kernel of rank 3": (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "3 entries for 2 spatial axes: give one"),
    "conv stride 0": (lambda: nn.Conv2d(3, 4, 3, stride=0), ValueError, r"stride \(=0\) must be at least 1"),
    "conv stride of rank 3": (lambda: nn.Conv2d(3, 4, 3, stride=(1, 2, 3)), ValueError, "stride.*3 entries for 2"),
    "conv negative padding": (
        lambda: nn.Conv2d(3, 4, 3, padding=-1),
        ValueError,
        r"padding \(=-1\) must be at least 0",
    ),
    "conv padding word": (lambda: nn.Conv2d(3, 4, 3, padding="full"), ValueError, "'full' is unknown: give a number"),
    "conv same with stride": (
        lambda: nn.Conv2d(3, 4, 3, 2, "same"),
        ValueError,
        r'"same" needs stride 1, not \(2, 2\)',
    ),
    "conv dilation 0": (lambda: nn.Conv2d(3, 4, 3, dilation=0), ValueError, r"dilation \(=0\) must be at least 1"),
    "conv padding mode": (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ValueError, "'mirror' is unknown: choose"),
    "conv dtype word": (lambda: nn.Conv2d(3, 4, 3, dtype="float33"), TypeError, "'float33' is unknown: choose float32"),
    "conv dtype integer": (lambda: nn.Conv2d(3, 4, 3, dtype="int32"), TypeError, "dtype is int32.*float32 or float64"),
    "conv bias array": (lambda: nn.Conv2d(3, 4, 3, bias=ones(4)), TypeError, "bias must be True or False, not array"),
    "transposed bias None": (lambda: nn.ConvTranspose2d(3, 4, 3, bias=None), TypeError, "bias must be True or False"),
    "linear bias 0": (lambda: nn.Linear(3, 4, bias=0), TypeError, "bias must be True or False, not 0"),
    "conv too large for any memory": (
        lambda: nn.Conv2d(3, 4, 10**20),
        MemoryError,
        r"shape \(4, 3, 10{20}, 10{20}\) is larger than the memory: take fewer channels or a smaller kernel",
    ),
    "conv larger than the memory": (
        lambda: nn.Conv2d(10**8, 10**8, 3),
        MemoryError,
        r"shape \(100000000, 100000000, 3, 3\) is larger than the memory",
    ),
    "conv stride as array": (lambda: nn.Conv2d(3, 4, 3, np.array([1, 2])), TypeError, r"not array\(\[1, 2\]\)"),
    "conv kernel of one entry": (lambda: nn.Conv2d(3, 4, (3,)), ValueError, r"\(3,\) has 1 entries for 2"),
    "conv kernel of none": (lambda: nn.Conv2d(3, 4, ()), ValueError, r"\(\) has 0 entries for 2"),
    "conv device": (lambda: nn.Conv2d(3, 4, 3, device="tpu"), ValueError, "device 'tpu' is unknown: choose"),
    "conv seed for generator": (lambda: nn.Conv2d(3, 4, 3, rng=0), TypeError, r"pass numpy\.random\.default_rng"),
    "conv bare function": (lambda: nn.Conv2d(3, 4, 3, op=abs), TypeError, r"wrap your functions, nn\.ConvOp\("),
    # convolution: input
    "conv reflects too far": (
        lambda: nn.Conv2d(3, 4, 3, padding=5, padding_mode="reflect")(ones(1, 3, 4, 4)),
        ValueError,
        "needs an input of at least 6, not 4: pad less",
    ),
    "conv wraps too far": (
        lambda: nn.Conv2d(3, 4, 3, padding=5, padding_mode="circular")(ones(1, 3, 4, 4)),
        ValueError,
        "needs an input of at least 5, not 4: pad less",
    ),
    "conv kernel too large": (
        lambda: nn.Conv2d(3, 4, 5)(ones(1, 3, 4, 4)),
        ValueError,
        "kernel 5.*input 4: add padding",
    ),
    "conv no batch axis": (lambda: nn.Conv2d(3, 4, 3)(ones(3, 8, 8)), ValueError, r"\(3, 8, 8\): add the batch axis"),
    "conv channels last": (lambda: nn.Conv2d(3, 4, 3)(ones(1, 8, 8, 3)), ValueError, "8 channels.*in_channels=3"),
    "conv list": (lambda: nn.Conv2d(3, 4, 3)([[1.0]]), TypeError, r"x is a list.*make one with cnnlab\.asarray"),
    "conv None": (lambda: nn.Conv2d(3, 4, 3)(None), TypeError, "x is None.*was a result not returned"),
    "conv integers": (lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=int)), TypeError, "dtype int64.*convert it"),
    "conv objects": (lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=object)), TypeError, "object.*convert it"),
    "conv Booleans": (lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=bool)), TypeError, "bool.*convert it"),
    "conv complex": (lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=complex)), TypeError, "complex128.*convert it"),
    "conv number": (lambda: nn.Conv2d(3, 4, 3)(np.array(1.0)), ValueError, r"has shape \(\): give it 2 spatial axes"),
    "conv strings": (lambda: nn.Conv2d(3, 4, 3)(np.full((1, 3, 8, 8), "a")), TypeError, "<U1, and a floating.*convert"),
    "conv masked": (
        lambda: nn.Conv2d(3, 4, 3)(np.ma.masked_array(ones(1, 3, 8, 8))),
        TypeError,
        r"x is a MaskedArray, and its mask would be lost: fill it, x.filled\(0\)",
    ),
    "conv reflects far too far": (
        lambda: nn.Conv2d(3, 4, 3, padding=10**15, padding_mode="reflect")(ones(1, 3, 8, 8)),
        ValueError,
        "needs an input of at least 1000000000000001, not 8: pad less",
    ),
    "conv foreign byte order": (
        lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=">f4")),
        TypeError,
        r'x is >f4 and w is float32: .*cnnlab\.asarray\(x, dtype="float32"\)',
    ),
    "conv two dtypes": (
        lambda: nn.Conv2d(3, 4, 3)(ones(1, 3, 8, 8, dtype=float)),
        TypeError,
        "float64.*float32: convert",
    ),
    "conv backward first": (back_without_forward, RuntimeError, "no forward to go back through: call the layer"),
    "conv gradient shape": (back_with_another_shape, ValueError, r"\(1, 4, 5, 6\), expected \(1, 4, 6, 6\)"),
    "conv bias shape": (
        lambda: ops.conv_forward(ones(1, 3, 8, 8), ones(4, 3, 3, 3), ones(3)),
        ValueError,
        r"b has shape \(3,\), expected \(4,\): one bias for each",
    ),
    "geometry three paddings": (
        lambda: geometry.ConvGeometry((3,), padding=((1, 2, 3),)),
        ValueError,
        r"\(1, 2, 3\) of one axis must be a number or a pair",
    ),
    # transposed convolution
    "transposed output padding": (
        lambda: nn.ConvTranspose2d(3, 4, 3, output_padding=1)(ones(1, 3, 4, 4)),
        ValueError,
        r"output_padding \(=1\) must be smaller than stride",
    ),
    "transposed padding mode": (
        lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
        ValueError,
        '"reflect".* must be "zeros".*leave it out',
    ),
    "transposed same": (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), ValueError, "'same'.*give a number"),
    "transposed all cut off": (
        lambda: nn.ConvTranspose1d(1, 1, 1, padding=2)(ones(1, 1, 3)),
        ValueError,
        r"cuts off the whole output, \(-1,\) would remain: pad less",
    ),
    # pooling
    "pool kernel too large": (lambda: nn.MaxPool2d(5)(ones(1, 1, 4, 4)), ValueError, "kernel 5.*padded input 4"),
    "pool padding": (lambda: nn.MaxPool2d(2, padding=2), ValueError, "padding 2 is more than half.*kernel 2.*pad less"),
    "pool stride 0": (lambda: nn.AvgPool2d(2, stride=0), ValueError, r"stride \(=0\) must be at least 1"),
    "pool dilation 0": (lambda: nn.MaxPool2d(2, dilation=0), ValueError, r"dilation \(=0\) must be at least 1"),
    "pool ceil_mode": (lambda: nn.MaxPool2d(2, ceil_mode="yes"), TypeError, "True or False, not 'yes'"),
    "pool rank": (
        lambda: nn.MaxPool1d(2)(ones(1, 1, 4, 4)),
        ValueError,
        r"MaxPool1d takes x \(N, C, T\).*\(1, 1, 4, 4\)",
    ),
    "global pool name": (lambda: nn.GlobalPool("median"), ValueError, "'median': choose"),
    "global pool temperature": (lambda: nn.GlobalPool("softmax", 0), ValueError, r"temperature \(=0\) must be above 0"),
    "global pool NaN": (lambda: nn.GlobalPool("softmax", math.nan), ValueError, r"temperature \(=nan\)"),
    "global pool temperature as word": (lambda: nn.GlobalPool("softmax", "warm"), TypeError, "a number, not 'warm'"),
    "global pool below float32": (
        lambda: nn.GlobalPool("softmax", 1e-50)(ones(1, 1, 3)),
        ValueError,
        r"temperature \(=1e-50\) must be at least 1.18e-38 in float32: take a larger one",
    ),
    "global pool empty map": (lambda: nn.GlobalPool("max")(ones(1, 1, 0)), ValueError, r"\(1, 1, 0\).*at least one"),
    # other layers
    "linear features": (lambda: nn.Linear(3, 4)(ones(2, 5)), ValueError, r"\(2, 5\).*\(4, 3\)"),
    "linear picture": (lambda: nn.Linear(12, 4)(ones(2, 3, 2, 2)), ValueError, r"\(2, 3, 2, 2\).*flatten"),
    "linear fraction": (lambda: nn.Linear(3.5, 4), TypeError, "in_features must be a whole number, not 3.5"),
    "batch norm channels": (lambda: nn.BatchNorm2d(3)(ones(1, 2, 4, 4)), ValueError, r"\(1, 2, 4, 4\).*num_features=3"),
    "batch norm one value": (lambda: nn.BatchNorm1d(3)(ones(1, 3)), ValueError, r"\(1, 3\).*use a larger batch"),
    "batch norm eps": (
        lambda: nn.BatchNorm1d(3, eps=-1),
        ValueError,
        r"eps \(=-1\) must be a finite number of 0 or more",
    ),
    "batch norm momentum": (lambda: nn.BatchNorm1d(3, momentum=2), ValueError, r"momentum \(=2\) must be from 0 to 1"),
    "dropout": (lambda: nn.Dropout(1.5), ValueError, r"p \(=1.5\) must be from 0 to 1"),
    "dropout NaN": (lambda: nn.Dropout(math.nan), ValueError, r"p \(=nan\) must be from 0 to 1"),
    "add shapes": (
        lambda: nn.Add(nn.Linear(2, 3), nn.Linear(2, 4))(ones(1, 2)),
        ValueError,
        r"\(1, 3\), \(1, 4\).*bring them to one shape",
    ),
    "add nothing": (lambda: nn.Add(), ValueError, "no branch: pass at least one"),
    "sequential number": (lambda: nn.Sequential(nn.ReLU(), 3), TypeError, "layer 1 of Sequential is a int"),
    "scan function": (lambda: nn.Scan(abs, 3), TypeError, "Scan needs a Module.*build one"),
    "scan too wide": (lambda: nn.Scan(nn.mlp([18, 2]), 9)(ones(1, 2, 5)), ValueError, "9 is larger.*5"),
    "scan features": (lambda: nn.Scan(nn.mlp([6, 2]), 2)(ones(1, 2, 5)), ValueError, r"\(4, 4\).*\(2, 6\)"),
    "mlp one size": (lambda: nn.mlp([3]), ValueError, r"sizes \(=\[3\]\) must name at least"),
    "layers of a convolution": (lambda: nn.layers_of(nn.Sequential(nn.Conv2d(1, 1, 1))), ValueError, "pass the MLP"),
    "flatten from a word": (lambda: nn.Flatten("1"), TypeError, "start_dim must be a whole number, not '1'"),
    "flatten from the end": (lambda: nn.Flatten(-1), ValueError, r"start_dim \(=-1\) must be at least 0"),
    "flatten a vector": (lambda: nn.Flatten()(ones(3)), ValueError, r"start_dim \(=1\) is not an axis of x.*\(3,\)"),
    "mlp a number": (lambda: nn.mlp(3), TypeError, "sizes must be a list.*not 3"),
    "mode as word": (lambda: nn.ReLU().train("yes"), TypeError, "mode must be True or False, not 'yes'"),
    "move to an unknown device": (lambda: nn.ReLU().to("cuda"), ValueError, "device 'cuda' is unknown: choose"),
    # losses
    "classes as floats": (lambda: nn.CrossEntropyLoss()(ones(2, 3), ones(2)), TypeError, "float32: expected integers"),
    "class out of range": (
        lambda: nn.CrossEntropyLoss()(ones(2, 3), np.array([0, 3])),
        ValueError,
        "targets go from 0 to 3.*0 to 2",
    ),
    "one class too few": (
        lambda: nn.CrossEntropyLoss()(ones(2, 3), np.array([0])),
        ValueError,
        r"\(1,\), expected \(2,\): one class number",
    ),
    "yes or no without its axis": (
        lambda: nn.BCEWithLogitsLoss()(ones(2, 1), ones(2)),
        ValueError,
        r"\(2,\), expected \(2, 1\).*reshape one",
    ),
    "yes or no NaN": (
        lambda: nn.BCEWithLogitsLoss()(ones(2), ones(2) * math.nan),
        ValueError,
        "go from nan to nan.*0 to 1",
    ),
    "squared error shape": (lambda: nn.MSELoss()(ones(2, 1), ones(2)), ValueError, r"\(2,\), expected \(2, 1\)"),
    # parameters and state
    "parameter of a list": (lambda: nn.Parameter([1.0]), TypeError, r"data is a list.*make one with cnnlab\.asarray"),
    "values of a list": (lambda: assign("data", [[1.0]]), TypeError, r"data is a list.*make one with cnnlab\.asarray"),
    "state of complex numbers": (
        lambda: nn.Linear(2, 2).load_state_dict({"weight": ones(2, 2, dtype=complex), "bias": ones(2)}),
        ValueError,
        "weight has dtype complex128, not real numbers",
    ),
    "state of words": (
        lambda: nn.Linear(2, 2).load_state_dict({"weight": np.full((2, 2), "a"), "bias": ones(2)}),
        ValueError,
        "weight has dtype <U1, not real numbers",
    ),
    "gradient of another shape": (lambda: assign("grad", ones(3)), ValueError, r"shape \(3,\).*shape \(2, 2\): give"),
    "gradient that is a number": (lambda: assign("grad", 1.0), ValueError, r"a float.*shape \(2, 2\): give"),
    "state with a name missing": (
        lambda: nn.Linear(2, 2).load_state_dict({"weight": ones(2, 2)}),
        ValueError,
        "missing: bias.*Build the network",
    ),
    "state of another size": (
        lambda: nn.Linear(2, 2).load_state_dict({"weight": ones(2, 3), "bias": ones(2)}),
        ValueError,
        r"weight has shape \(2, 3\), not \(2, 2\)",
    ),
    # optimizers and training
    "negative rate": (lambda: sgd(lr=-1), ValueError, r"lr \(=-1\) must be a finite number of 0 or more"),
    "rate NaN": (lambda: sgd(lr=math.nan), ValueError, r"lr \(=nan\)"),
    "rate as a word": (lambda: optim.Adam(parameters(), lr="fast"), TypeError, "lr must be a number, not 'fast'"),
    "nothing to optimize": (lambda: optim.SGD([], lr=0.1), ValueError, r"pass net\.parameters\(\)"),
    "arrays to optimize": (lambda: optim.SGD([ones(2)], lr=0.1), TypeError, r"params\[0\] is a ndarray"),
    "betas": (lambda: optim.Adam(parameters(), betas=(0.9, 1.0)), ValueError, r"betas\[1\] \(=1.0\)"),
    "nesterov alone": (lambda: sgd(nesterov=True), ValueError, r"momentum \(=0.0\) above 0.*give a momentum"),
    "step of no epochs": (lambda: optim.StepLR(sgd(), step_size=0), ValueError, r"step_size \(=0\) must be at least 1"),
    "cosine of no epochs": (lambda: optim.CosineAnnealingLR(sgd(), T_max=-3), ValueError, r"T_max \(=-3\)"),
    "empty batches": (lambda: fit(batch_size=0), ValueError, r"batch_size \(=0\) must be at least 1"),
    "fewer targets": (lambda: fit(y=ones(3, 1)), ValueError, "x holds 4 examples and y 3: pass as many"),
    "optimizer of another net": (lambda: fit(optimizer=sgd()), ValueError, "not in this net.*make it anew"),
    "one number to learn": (lambda: fit(x=np.array(1.0)), ValueError, "x is a single number: pass an array"),
    "one target": (lambda: fit(y=np.array(1.0)), ValueError, "y is a single number: pass an array"),
    "metric that is no function": (
        lambda: fit(metrics={"accuracy": "accuracy"}),
        TypeError,
        r"metrics\['accuracy'\] is 'accuracy': pass a function of \(prediction, target\)",
    ),
    "inputs NaN": (lambda: fit(x=ones(4, 2) * math.nan), FloatingPointError, "epoch 1, batch 1.*clean x first"),
    # nets as objects, tools, data
    "convolutions of no scan": (lambda: nn.to_convolutions(nn.mlp([3, 1])), TypeError, r"nn\.Scan\(mlp, width\)"),
    "matrix of a ReLU": (lambda: nn.dense_matrix(nn.ReLU(), (3,)), TypeError, "not a ReLU: give it one layer"),
    "op where groups are": (
        lambda: nn.Sequential(nn.Conv2d(2, 2, 3, groups=2)).replace_op(nn.ConvOp(abs, abs)),
        ValueError,
        r"0: groups \(=2\) must be 1. Nothing was changed",
    ),
    "summary of another input": (lambda: cnnlab.summary(nn.Conv2d(3, 4, 3), (2, 8, 8)), ValueError, "2 channels"),
    "summary of a number": (lambda: cnnlab.summary(nn.ReLU(), 3), TypeError, r"as in \(3, 32, 32\), not 3"),
    "gradient check of nothing": (
        lambda: cnnlab.gradient_check(nn.ReLU(), ones(0, 3)),
        ValueError,
        r"ReLU returned shape \(0, 3\), which shows nothing: check it with an example or more",
    ),
    "matrix for a number": (lambda: nn.dense_matrix(nn.Conv1d(1, 1, 3), 5), TypeError, r"must be \(N, C.*, not 5"),
    "blocks a number": (
        lambda: nn.to_convolutions(nn.Scan(nn.mlp([8, 2]), (8,)), blocks=3),
        TypeError,
        r"blocks must be a list of \(kernel, stride\).*not 3",
    ),
    "gradient check of a number": (lambda: cnnlab.gradient_check(3), TypeError, "not 3: call it as in"),
    "file of another kind": (lambda: nn.save(nn.Linear(1, 1), "x.pt"), ValueError, r"x\.pt'.* must end in \.npz"),
    "unknown device": (lambda: cnnlab.use_device("gpu1"), ValueError, "'gpu1' is unknown: choose"),
    "unknown split": (lambda: data.load_welcome("training"), ValueError, "'training'.*train"),
    "place outside the recording": (
        lambda: data.load_welcome("train", 2, at=3.9),
        ValueError,
        "at=3.9.*choose a place",
    ),
}


def test_the_table_is_long_enough():
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_the_next_step(name):
    act, error, text = BAD[name]
    with pytest.raises(error, match=text):
        act()
