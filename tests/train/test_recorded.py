"""A recorded step gives the numbers of the ordinary one: on a GPU, and by a stand-in for CUDA graphs on a CPU.

The stand-in calls the work again and writes what comes out into the arrays of the first time, as a replay would.
"""

import copy
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

import cnnlab
from cnnlab import kernels, nn, optim, train
from cnnlab.kernels import gpu
from cnnlab.train import recorded


class Again:
    """What `cnnlab.kernels.gpu.Recording` does, by calling the work at each replay."""

    def __init__(self, work):
        self.work, self.result, self.replays = work, work(), 0

    def replay(self):
        self.replays += 1
        loss, prediction, gradients = self.work()
        old_prediction, old_gradients = self.result[1:]
        for old, new in ((old_prediction, prediction), *zip(old_gradients, gradients, strict=True)):
            if old is not None:
                old[...] = new
        self.result = np.asarray(loss), old_prediction, old_gradients
        return self.result


class InPlace:
    """What `cnnlab.kernels.gpu.InPlace` does, by NumPy."""

    def __init__(self, data, gradients, *memories):
        self.all = list(zip(data, gradients, *memories, strict=True))

    def momentum(self, lr, momentum):
        for w, g, v in self.all:
            v[...] = momentum * v + g
            w -= lr * v

    def adam(self, lr, betas, root, eps):
        for w, g, m, s in self.all:
            m[...] = betas[0] * m + (1 - betas[0]) * g
            s[...] = betas[1] * s + (1 - betas[1]) * g * g
            w -= lr * m / (np.sqrt(s) / root + eps)


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request, monkeypatch):
    if request.param == "gpu":
        return "gpu"
    monkeypatch.setattr(kernels.gpu, "Recording", Again)
    monkeypatch.setattr(kernels, "in_place", InPlace)
    monkeypatch.setattr(recorded, "on_gpu", lambda x: True)
    return "cpu"


def net_of(seed=1):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, rng=rng), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, rng=rng), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32, 5, rng=rng),
    )  # fmt: skip


def data(device, many=24):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((many, 1, 12, 12)).astype("float32"), rng.integers(0, 5, many)
    return cnnlab.asarray(x, device=device), cnnlab.asarray(y, device=device)


class Clipped(optim.SGD):
    """A reader's optimizer: small gradients alone."""

    def change(self, i, gradient):
        return super().change(i, cnnlab.backend.namespace(gradient).clip(gradient, -1e-3, 1e-3))


class Remembering(optim.Optimizer):
    """A reader's optimizer that keeps the gradient and the parameter it was given."""

    def change(self, i, gradient):
        before = self.state[i] or {"gradient": gradient, "data": self.params[i].data}
        self.state[i] = {"gradient": gradient, "data": self.params[i].data}
        return self.lr * (gradient + before["gradient"]) - 0.3 * (self.params[i].data - before["data"])


OPTIMIZERS = {
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "plain": lambda p: optim.SGD(p, lr=0.05),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "decay": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "dampening": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.2),
    "clipped": lambda p: Clipped(p, lr=0.05, momentum=0.9),
    "remembering": lambda p: Remembering(p, lr=0.05, weight_decay=0.0),
}


def fitted(device, make, *, recorded, epochs=4, many=22, **options):
    net = net_of().to(device)
    optimizer = make(net.parameters())
    x, y = data(device, many)
    history = train.fit(
        net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=epochs, batch_size=8, progress=False,
        rng=np.random.default_rng(5), metrics={"accuracy": train.accuracy}, recorded=recorded, **options,
    )  # fmt: skip
    return net, optimizer, history


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_fit_gives_the_same_net_curve_and_memory(device, kind):
    """Also with a last batch that is smaller, and with running averages."""
    net, optimizer, history = fitted(device, OPTIMIZERS[kind], recorded=True)
    other, other_optimizer, other_history = fitted(device, OPTIMIZERS[kind], recorded=False)
    assert_same(net.state_dict(), other.state_dict())
    np.testing.assert_allclose(history.loss, other_history.loss, rtol=1e-5)
    np.testing.assert_allclose(history.metrics["accuracy"], other_history.metrics["accuracy"])
    for ours, theirs in zip(optimizer.state_dict()["state"], other_optimizer.state_dict()["state"], strict=True):
        assert_same(ours, theirs)


def test_fit_with_validation_a_schedule_and_a_frozen_part(device):
    def run(*, recorded):
        net = net_of().to(device)
        optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        x, y = data(device)
        net[1].eval()
        return net, train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=5, batch_size=8, progress=False,
            rng=np.random.default_rng(5), validation=(x, y), schedule=optim.StepLR(optimizer, 2, 0.1),
            recorded=recorded,
        )  # fmt: skip

    (net, history), (other, other_history) = run(recorded=True), run(recorded=False)
    assert_same(net.state_dict(), other.state_dict())
    np.testing.assert_allclose(history.validation["loss"], other_history.validation["loss"], rtol=1e-5)


def test_most_steps_of_a_training_are_replays(device, monkeypatch):
    made = []
    make = kernels.gpu.Recording
    monkeypatch.setattr(kernels.gpu, "Recording", lambda work: made.append(make(work)) or made[-1])
    taken = []
    gradients = train.RecordedStep.gradients
    monkeypatch.setattr(train.RecordedStep, "gradients", lambda self: taken.append(1) or gradients(self))
    fitted(device, OPTIMIZERS["momentum"], recorded=True)
    assert len(made) == 1
    assert len(taken) == 4 * 2 - 1  # all but the first, and the smaller ones


def step_of(device, make=OPTIMIZERS["momentum"]):
    net = net_of().to(device)
    optimizer = make(net.parameters())
    x, y = data(device, 8)
    return net, optimizer, x, y, train.RecordedStep(net, nn.CrossEntropyLoss(), optimizer, x, y)


def test_a_step_by_hand(device):
    net, _, x, y, step = step_of(device)
    losses = [float(step(x, y)) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]
    step.release()
    net.eval()
    assert train.evaluate(net, x, y, loss=nn.CrossEntropyLoss())["loss"] < losses[0]


def test_making_it_changes_nothing(device):
    net = net_of().to(device)
    before = net.state_dict()
    x, y = data(device, 8)
    train.RecordedStep(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), x, y)
    after = net.state_dict()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_what_is_assigned_is_taken_up(device):
    net, optimizer, x, y, step = step_of(device)
    start, memory = net.state_dict(), optimizer.state_dict()
    first = [float(step(x, y)) for _ in range(3)]
    net.load_state_dict(start)
    optimizer.load_state_dict(memory)
    assert [float(step(x, y)) for _ in range(3)] == first


def test_what_was_released_does_not_change_any_more(device):
    net, _, x, y, step = step_of(device)
    step(x, y)
    step.release()
    held = [parameter.data for parameter in net.parameters()]
    values = [cnnlab.to_numpy(one).copy() for one in held]
    step(x, y)
    for one, value in zip(held, values, strict=True):
        np.testing.assert_array_equal(cnnlab.to_numpy(one), value)
    assert any((cnnlab.to_numpy(p.data) != value).any() for p, value in zip(net.parameters(), values, strict=True))


def test_the_learning_rate_and_other_options_may_change(device):
    net, optimizer, x, y, step = step_of(device)
    step(x, y)
    before = net.state_dict()
    optimizer.lr = 0.0
    step(x, y)
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(cnnlab.to_numpy(parameter.data), before[name])
    optimizer.lr, optimizer.weight_decay = 0.05, 0.1
    step(x, y)
    assert any((cnnlab.to_numpy(p.data) != before[name]).any() for name, p in net.named_parameters())


def test_a_batch_of_another_size_is_refused(device):
    *_, x, y, step = step_of(device)
    with pytest.raises(ValueError, match=r"x is float32 of shape \(7, 1, 12, 12\), but the step was recorded for"):
        step(x[:7], y[:7])


class Own(nn.ReLU):
    pass


@pytest.mark.parametrize(
    ("layer", "loss", "reason"),
    [
        (nn.Dropout(0.5), nn.CrossEntropyLoss(), "Dropout is no layer that is known to do the same at each call"),
        (Own(), nn.CrossEntropyLoss(), "Own is no layer that is known"),
        (nn.ReLU(), nn.BCEWithLogitsLoss(), "BCEWithLogitsLoss may read numbers on the host"),
    ],
)
def test_what_is_not_recorded(device, layer, loss, reason):
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 5), layer).to(device)
    x, y = data(device, 8)
    with pytest.raises(train.NotRecordedError, match=f"cannot be recorded: {reason}"):
        train.RecordedStep(net, loss, optim.SGD(net.parameters(), lr=0.1), x, y)


def test_an_own_forward_is_not_recorded(device):
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 5)).to(device)
    net[1].forward = lambda x: x
    x, y = data(device, 8)
    with pytest.raises(train.NotRecordedError, match="a Linear has forward of your own"):
        train.RecordedStep(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), x, y)


def test_nothing_is_recorded_on_a_cpu():
    net, (x, y) = net_of(), data("cpu", 8)
    with pytest.raises(train.NotRecordedError, match="the data is not on a GPU"):
        train.RecordedStep(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), x, y)


def test_a_training_goes_on_where_recording_fails(device, monkeypatch):
    def broken(work):
        raise RuntimeError("no memory")

    monkeypatch.setattr(kernels.gpu, "Recording", broken)
    net, _, history = fitted(device, OPTIMIZERS["momentum"], recorded=True)
    monkeypatch.undo()
    other, _, other_history = fitted(device, OPTIMIZERS["momentum"], recorded=False)
    assert_same(net.state_dict(), other.state_dict())
    np.testing.assert_allclose(history.loss, other_history.loss, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_loss_that_is_not_finite_ends_a_recorded_training(device):
    net = net_of().to(device)
    x, y = data(device)
    x[20] = np.inf
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with pytest.raises(FloatingPointError, match="the inputs of this batch are not finite"):
        train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=3, batch_size=4, progress=False,
            rng=np.random.default_rng(1),
        )  # fmt: skip
    assert all(np.isfinite(value).all() for name, value in net.state_dict().items() if "running" not in name)


def test_a_net_that_copies_from_the_host_in_each_step_trains_all_the_same(device):
    """Padding by reflection may bring places from the host, which no CUDA graph records."""

    def run(*, recorded):
        rng = np.random.default_rng(1)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect", rng=rng), nn.ReLU(),
            nn.GlobalPool("mean"), nn.Linear(4, 5, rng=rng),
        ).to(device)  # fmt: skip
        x, y = data(device)
        optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=2, batch_size=8, progress=False,
            rng=np.random.default_rng(5), recorded=recorded,
        )  # fmt: skip
        return net.state_dict()

    assert_same(run(recorded=True), run(recorded=False))


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_steps_by_hand_from_the_first_on_are_those_of_an_ordinary_loop(device, kind):
    net, _, x, y, step = step_of(device, OPTIMIZERS[kind])
    other = net_of().to(device)
    optimizer, loss = OPTIMIZERS[kind](other.parameters()), nn.CrossEntropyLoss()
    for _ in range(4):
        value = float(step(x, y))
        assert value == pytest.approx(loss(other(x), y), rel=1e-5)
        other.zero_grad()
        other.backward_parameters(loss.backward())
        optimizer.step()
    assert_same(net.state_dict(), other.state_dict())


def changing(change):
    """Return a schedule that changes something after the second epoch."""

    class Changing(optim.Schedule):
        def step(self):
            self.done = getattr(self, "done", 0) + 1
            if self.done == 2:
                change(self.optimizer)

        def factor(self, epoch):
            return 1.0

    return Changing


def emptied(optimizer):
    optimizer.state = [{} for _ in optimizer.params]


def uneven(optimizer):
    for i, state in enumerate(optimizer.state):
        state["step"] = 5 + i


@pytest.mark.parametrize(
    ("kind", "change"),
    [("adam", emptied), ("adam", uneven), ("momentum", emptied), ("nesterov", emptied), ("dampening", emptied)],
)
def test_what_an_optimizer_remembers_may_change_between_epochs(device, kind, change):
    def run(*, recorded):
        net = net_of().to(device)
        optimizer = OPTIMIZERS[kind](net.parameters())
        x, y = data(device)
        train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=4, batch_size=8, progress=False,
            rng=np.random.default_rng(5), schedule=changing(change)(optimizer), recorded=recorded,
        )  # fmt: skip
        return net.state_dict()

    assert_same(run(recorded=True), run(recorded=False))


class Frozen(Again):
    """What was recorded does not change: the work is done with the layers and options of the first time."""

    def __init__(self, work):
        super().__init__(work)
        step = work.__self__
        self.net, self.step = copy.deepcopy(step._net), step
        self.own = [*self.net.parameters(), *(buffer for _, buffer in self.net.named_buffers())]

    def replay(self):
        step, ours = self.step, self.step._net
        for holder, array in zip(self.own, step._arrays, strict=True):
            holder.data = array
        prediction = self.net(step.x)
        self.net.zero_grad()
        self.net.backward_parameters(step._loss.gradient(prediction, step.y))
        for holder, array in zip(self.own, step._arrays, strict=True):
            array[...] = holder.data
        assert ours is step._net
        old = self.result[2]
        for gradient, holder in zip(old, self.own, strict=True):
            if gradient is not None:
                gradient[...] = holder.grad
        self.result = np.asarray(step._loss.forward(prediction, step.y)), prediction, old
        return self.result


def other_eps(net):
    net[1].eps = 0.5


def frozen_averages(net):
    net[1].eval()


def other_layer(net):
    net.layers = (*net.layers[:2], nn.Tanh(), *net.layers[3:])


def other_parameter(net):
    net[8].bias = nn.Parameter(net[8].bias.data + 1)


@pytest.mark.parametrize("change", [other_eps, frozen_averages, other_layer, other_parameter])
def test_a_change_of_the_net_between_epochs_is_not_ignored(device, change, monkeypatch):
    if device == "cpu":
        monkeypatch.setattr(kernels.gpu, "Recording", Frozen)

    def run(*, recorded):
        net = net_of().to(device)
        optimizer = OPTIMIZERS["momentum"](net.parameters())
        x, y = data(device)
        schedule = changing(lambda _: change(net))(optimizer)
        train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=4, batch_size=8, progress=False,
            rng=np.random.default_rng(5), schedule=schedule, recorded=recorded,
        )  # fmt: skip
        return net.state_dict()

    if change is other_parameter:  # the optimizer trains the old one, and fit says so only at its beginning
        with pytest.raises(ValueError, match="holds parameters that are not in this net"):
            run(recorded=True)
    else:
        assert_same(run(recorded=True), run(recorded=False))


def test_what_a_metric_keeps_does_not_change_any_more(device):
    kept = {}

    def run(*, recorded):
        some = kept.setdefault(recorded, [])
        net = net_of().to(device)
        x, y = data(device)
        train.fit(
            net, x, y, loss=nn.CrossEntropyLoss(), optimizer=OPTIMIZERS["momentum"](net.parameters()), epochs=3,
            batch_size=8, progress=False, rng=np.random.default_rng(5), recorded=recorded,
            metrics={"kept": lambda prediction, target: some.extend((prediction, target)) or 0.0},
        )  # fmt: skip

    run(recorded=True)
    run(recorded=False)
    for ours, theirs in zip(kept[True], kept[False], strict=True):
        np.testing.assert_allclose(cnnlab.to_numpy(ours), cnnlab.to_numpy(theirs), rtol=1e-4, atol=1e-6)


def test_gradients_may_be_assigned_before_the_step(device):
    net, _, x, y, step = step_of(device)
    for _ in range(2):
        step.gradients()
        before = net.state_dict()
        for parameter in net.parameters():
            assert parameter.grad is not None
            parameter.grad = 0 * parameter.grad
        net[0].weight.grad = None
        step._optimizer.state = [{} for _ in step._optimizer.params]
        step.update()
        for name, parameter in net.named_parameters():
            np.testing.assert_array_equal(cnnlab.to_numpy(parameter.data), before[name])
    first = float(step(x, y))
    assert float(step(x, y)) != first


def test_a_step_after_a_release_is_taken(device):
    net, *_, step = step_of(device)
    step.gradients()
    before = net.state_dict()
    step.release()
    step.update()
    assert any((cnnlab.to_numpy(p.data) != before[name]).any() for name, p in net.named_parameters())


def test_parameters_of_another_net_or_size_are_refused(device):
    net, other, (x, y) = net_of().to(device), net_of().to(device), data(device, 8)
    with pytest.raises(ValueError, match="holds parameters that are not in this net"):
        train.RecordedStep(net, nn.CrossEntropyLoss(), optim.SGD(other.parameters(), lr=0.1), x, y)
    *_, step = net, *step_of(device)
    step._net[8].bias.data = step._net[8].bias.data[:1]
    with pytest.raises(ValueError, match=r"a parameter of shape \(5,\) was given values of shape \(1,\)"):
        step(x, y)


def test_a_broken_recording_is_ended_and_its_handles_are_dropped(monkeypatch):
    told = []

    class Stream:
        ptr = 77

        def __init__(self, **_):
            pass

        def __getattr__(self, name):
            return lambda *_: told.append(name)

        __enter__ = __exit__ = lambda *_: None

    cuda = SimpleNamespace(
        Stream=Stream, MemoryPool=lambda: SimpleNamespace(malloc=None), using_allocator=lambda _: nullcontext(),
        get_current_stream=lambda: SimpleNamespace(record=lambda: None),
    )  # fmt: skip
    pool = SimpleNamespace(free_all_blocks=lambda: None)
    library = SimpleNamespace(cuda=cuda, get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(gpu.device, "library", lambda: library)
    gpu.cublas._handles[0, 0, 77] = object()
    calls = []

    def work():
        calls.append(1)
        if len(calls) == 3:  # while it is recorded
            raise RuntimeError("it copies from the host")

    with pytest.raises(RuntimeError, match="it copies from the host"):
        gpu.Recording(work)
    assert told == ["wait_event", "synchronize", "begin_capture", "end_capture", "synchronize"]
    assert not gpu.cublas._handles


@pytest.mark.parametrize("kind", ["momentum", "adam", "nesterov"])
def test_a_second_training_and_one_from_a_checkpoint_go_on_as_ordinary_ones(device, kind, tmp_path):
    def run(*, recorded):
        net = net_of().to(device)
        optimizer, rng = OPTIMIZERS[kind](net.parameters()), np.random.default_rng(5)
        x, y = data(device, 22)
        options = {"loss": nn.CrossEntropyLoss(), "batch_size": 8, "progress": False, "recorded": recorded}
        file = tmp_path / f"{recorded}.npz"
        train.fit(net, x, y, optimizer=optimizer, epochs=2, rng=rng, checkpoint=file, **options)
        fresh = net_of(2).to(device)
        other = OPTIMIZERS[kind](fresh.parameters())
        train.fit(
            fresh, x, y, optimizer=other, epochs=4, rng=np.random.default_rng(5), checkpoint=file, **options
        )  # goes on
        train.fit(net, x, y, optimizer=optimizer, epochs=2, rng=rng, **options)
        return net.state_dict(), fresh.state_dict()

    for ours, theirs in zip(run(recorded=True), run(recorded=False), strict=True):
        assert_same(ours, theirs)
