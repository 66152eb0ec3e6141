"""The order of computation in Chromium: both orders, every count and every number against brute force in NumPy."""

import contextlib
import io
import itertools
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import inspection, nn
from cnnlab.demos import OrderOfComputation

BOTH = """(([state]) => {
  const net = netOf({ ...state, pool: unpackPool(state.data.pool) });
  const { windowFirst, layerFirst, events, difference, unused } = bothOrders(net, state.remember);
  const plain = ({ order, values, ends, repeated, kept, total }) => ({ ...order, values, ends, repeated, kept, total });
  return { fault: net.fault, w: plain(windowFirst), l: plain(layerFirst), events, difference, unused };
})(args)"""


def random_case(rng, *, rank=None, own=None):
    """Draw a net whose window fits its input: sizes differ by axis, hops do not divide, channels are several."""
    rank, own = rank or int(rng.integers(1, 3)), bool(rng.integers(2)) if own is None else own
    while True:
        depth = int(rng.integers(1, 5))
        levels = int(rng.integers(1, depth + 1))
        size = [int(v) for v in (rng.integers(3, 24, 1) if rank == 1 else rng.integers(3, 9, 2))]
        widths = tuple(tuple(map(int, rng.integers(1, 5, rank))) for _ in range(levels))
        hops = tuple(tuple(map(int, rng.integers(1, 4, rank))) for _ in range(levels))
        features = [int(v) for v in rng.integers(1, 4, depth)]
        channels = int(rng.integers(1, 4))
        options = {"x": rng.standard_normal((channels, *size)), "widths": widths, "hops": hops}
        options["remember"] = bool(rng.integers(2))
        if own:
            kernels = [int(np.prod(k)) for k in widths] + [1] * (depth - levels)
            pairs = zip([channels, *features], features, kernels, strict=False)
            options["layers"] = [(rng.standard_normal((o, c * k)), rng.standard_normal(o)) for c, o, k in pairs]
        else:
            options["features"] = features
        with contextlib.suppress(ValueError):
            return OrderOfComputation(**options)


def state_of(demo):
    return {name: getattr(demo, name) for name in ("n", "widths", "hops", "features", "remember", "clock", "data")}


class Brute:
    """Unit after unit, straight from the definitions, with what must be kept found by looking ahead."""

    def __init__(self, demo, *, layer_first, remember=False):
        self.x = np.array(demo.data["x"])[(slice(None), *map(slice, demo.n))]
        self.weights, self.hops, self.top = demo.weights, demo.hops, len(demo.weights)
        self.maps = [self.x.shape[1:]]
        for (W, _), hop in zip(self.weights, self.hops, strict=True):
            steps = zip(self.maps[-1], W.shape[2:], hop, strict=True)
            self.maps.append(tuple((n - k) // s + 1 for n, k, s in steps))
        self.units, self.known = [], {}  # (layer, neuron, place, window, again), and (layer, neuron, place) → value
        self.fan = [W[0].size for W, _ in self.weights]
        if layer_first:
            for i in range(self.top):
                for unit in itertools.product(range(len(self.weights[i][1])), np.ndindex(*self.maps[i + 1])):
                    self.compute(i, *unit, -1, remember)
        else:
            for number, window in enumerate(np.ndindex(*self.maps[-1])):
                for i, places in enumerate(self.places_of(window)):
                    for place in places:
                        for d in range(len(self.weights[i][1])):
                            self.compute(i, d, place, number, remember)

    def places_of(self, window):
        """The places of each layer between the first and the last that a window needs, layer 1 first."""
        low, high, found = np.array(window), np.array(window) + 1, []
        for (W, _), hop in zip(self.weights[::-1], self.hops[::-1], strict=True):
            found.insert(0, list(itertools.product(*(range(a, b) for a, b in zip(low, high, strict=True)))))
            low, high = low * hop, (high - 1) * hop + W.shape[2:]
        return found

    def reads(self, i, place):
        W, hop = self.weights[i][0], self.hops[i]
        return list(
            itertools.product(*(range(p * s, p * s + k) for p, s, k in zip(place, hop, W.shape[2:], strict=True)))
        )

    def compute(self, i, d, place, window, remember):
        again = (i, d, place) in self.known
        if again and remember:
            return
        W, b = self.weights[i]
        total = b[d]
        for tap, source in zip(np.ndindex(*W.shape[2:]), self.reads(i, place), strict=True):
            for c in range(W.shape[1]):
                below = self.x[(c, *source)] if i == 0 else max(self.known[i - 1, c, source], 0)
                total += W[(d, c, *tap)] * below
        self.known[i, d, place] = total
        self.units.append((i + 1, d, int(np.ravel_multi_index(place, self.maps[i + 1])), window, int(again)))

    def ends(self):
        return np.cumsum([self.fan[i - 1] for i, *_ in self.units])

    def kept(self):
        """For each unit, how many hidden numbers it or a later unit reads before they are made anew, and its own."""
        latest, life = {}, []
        for e, (i, d, flat, *_) in enumerate(self.units):
            life.append([e, e if i < self.top else e - 1])
            if i > 1:
                place = np.unravel_index(flat, self.maps[i])
                for c in range(self.weights[i - 1][0].shape[1]):
                    for source in self.reads(i - 1, place):
                        life[latest[i - 1, c, int(np.ravel_multi_index(source, self.maps[i - 1]))]][1] = e
            latest[i, d, flat] = e
        (born, dead), e = np.array(life).T[:, :, None], np.arange(len(life))
        return ((born <= e) & (e <= dead)).sum(axis=0).tolist()


def both_by_brute_force(demo):
    return Brute(demo, layer_first=False, remember=demo.remember), Brute(demo, layer_first=True)


def test_both_orders_their_values_counts_and_memory_equal_brute_force(in_module):
    rng = np.random.default_rng(3)
    for _ in range(30):
        demo = random_case(rng)
        got = in_module(OrderOfComputation, BOTH, state_of(demo))
        window, layer = both_by_brute_force(demo)
        for mine, theirs in ((got["w"], window), (got["l"], layer)):
            columns = [mine[name] for name in ("layer", "neuron", "place", "window", "again")]
            assert list(zip(*columns, strict=True)) == theirs.units
            ends = theirs.ends()
            assert mine["ends"] == ends.tolist()
            again = np.array([unit[4] for unit in theirs.units])
            assert mine["repeated"] == np.cumsum(again * np.diff(ends, prepend=0)).tolist()
            assert mine["kept"] == theirs.kept()
            for (i, d, place), value in theirs.known.items():
                flat = d * int(np.prod(theirs.maps[i + 1])) + int(np.ravel_multi_index(place, theirs.maps[i + 1]))
                assert mine["values"][i][flat] == pytest.approx(value, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(got["l"]["values"][-1], demo.output.ravel(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(got["w"]["values"][-1], demo.output.ravel(), rtol=1e-12, atol=1e-12)
        assert got["difference"] == 0
        assert got["unused"] == len(layer.known) - len(window.known)
        assert got["l"]["total"] == demo.multiply_adds["layer_first"]
        if not demo.remember:
            assert got["w"]["total"] == demo.multiply_adds["window_first"]
        elif got["unused"] == 0:
            assert got["w"]["total"] == got["l"]["total"]


def test_a_plain_scan_costs_the_same_in_both_orders(in_module):
    rng = np.random.default_rng(4)
    for _ in range(10):
        scan = nn.Scan(nn.mlp([3 * 4, 5, 2, 1], rng=rng, dtype="float64"), 4, int(rng.integers(1, 4)))
        x = rng.standard_normal((3, int(rng.integers(4, 20))))
        demo = OrderOfComputation(x=x, layers=nn.layers_of(scan.module), widths=4, hops=scan.stride)
        got = in_module(OrderOfComputation, BOTH, state_of(demo))
        cost = inspection.summary(nn.to_convolutions(scan), x.shape).multiply_adds
        assert got["w"]["total"] == got["l"]["total"] == cost
        np.testing.assert_allclose(got["w"]["values"][-1], scan(x[None]).ravel(), rtol=1e-12, atol=1e-12)


def test_state_at_every_time_is_what_has_been_finished(in_module):
    rng = np.random.default_rng(5)
    for _ in range(8):
        demo = random_case(rng)
        window, layer = both_by_brute_force(demo)
        for which, ran in (("windowFirst", window), ("layerFirst", layer)):
            clocks = sorted({0, *map(int, rng.integers(0, ran.ends()[-1] + 5, 6)), *map(int, ran.ends()[:4])})
            expression = f"""(([state, clocks]) => {{
              const net = netOf({{ ...state, pool: unpackPool(state.data.pool) }});
              const ran = bothOrders(net, state.remember).{which};
              return clocks.map((clock) => stateAt(ran, clock, net.layers.length));
            }})(args)"""
            for clock, got in zip(
                clocks, in_module(OrderOfComputation, expression, state_of(demo), clocks), strict=True
            ):
                finished = int((ran.ends() <= clock).sum())
                done = ran.units[:finished]
                assert got["finished"] == finished
                assert got["done"] == min(clock, ran.ends()[-1])
                assert got["again"] == sum(ran.fan[unit[0] - 1] for unit in done if unit[4])
                assert got["ready"] == len({unit[1:3] for unit in done if unit[0] == ran.top})
                assert got["kept"] == (ran.kept()[finished - 1] if finished else 0)


def thin(count):
    return f"{count:,}".replace(",", "\u2009")


@pytest.mark.parametrize("seed", range(4))
def test_every_number_shown_is_numpys(open_demo, seed):
    demo = random_case(np.random.default_rng(40 + seed), rank=1 + seed % 2)
    window, layer = both_by_brute_force(demo)
    shown = open_demo(demo)
    rows = shown.table(0)
    for i, row in enumerate(rows):
        counts = [[unit[0] == i + 1 for unit in ran.units] for ran in (window, layer)]
        again = sum(unit[4] for unit in window.units if unit[0] == i + 1)
        assert row[:2] == [str(i + 1), " × ".join(map(str, demo.widths[i]))]
        assert row[3] == " × ".join(map(str, layer.maps[i + 1]))
        assert [int(v) for v in row[5:7]] == [demo.features[i], layer.fan[i]]
        assert row[7:10] == [thin(sum(counts[0])), thin(sum(counts[1])), thin(again)]
        assert row[10:] == [thin(sum(c) * layer.fan[i]) for c in counts]
    units = shown.table(1)
    assert len(units) == len(layer.known)
    for row, ((i, d, place), value) in zip(units, layer.known.items(), strict=True):
        assert row[:3] == [str(i + 1), str(d), ", ".join(map(str, place))]
        active = max(value, 0) if i + 1 < layer.top else value
        assert shown.number(row[4]) == pytest.approx(active, abs=6e-7)
        assert row[3] == (row[4] if (i, d, place) in window.known else "")
        flat = int(np.ravel_multi_index(place, layer.maps[i + 1]))
        for cell, ran in ((row[5], window), (row[6], layer)):
            ends = [e for e, unit in zip(ran.ends(), ran.units, strict=True) if unit[:3] == (i + 1, d, flat)]
            assert cell == ", ".join(map(str, ends))
    totals = [int(ran.ends()[-1]) for ran in (window, layer)]
    answer = shown.words(".answer")
    assert all(thin(total) in answer for total in totals)
    assert answer.startswith(
        "Same work" if totals[0] == totals[1] else "Layer-first" if totals[1] < totals[0] else "Window"
    )
    scores = layer.maps[-1]
    verdict = shown.words(".verdict")
    assert f"Same {thin(int(np.prod(scores)) * demo.features[-1])} score" in verdict
    assert "largest difference 0." in verdict
    assert f"window-first at most {max(window.kept())}, layer-first {max(layer.kept())}." in verdict
    assert f"= {thin(totals[1])} (places · neurons · numbers read)" in verdict


@pytest.mark.parametrize("seed", range(3))
def test_counters_cells_and_words_follow_the_clock(open_demo, seed):
    rng = np.random.default_rng(60 + seed)
    demo = random_case(rng, rank=1 + seed % 2)
    ran = dict(zip(("window-first", "layer-first"), both_by_brute_force(demo), strict=True))
    shown = open_demo(demo)
    events = sorted({0, *(int(e) for order in ran.values() for e in order.ends())})
    for step in sorted({0, 1, len(events) - 1, *map(int, rng.integers(0, len(events), 5))}):
        shown.set("position", step)
        clock = events[step]
        for name, order in ran.items():
            finished = int((order.ends() <= clock).sum())
            done, total = order.units[:finished], int(order.ends()[-1])
            panel = shown.root.locator(f".order.{name}")
            stats = panel.locator("text.stat").all_text_contents()
            scores = len({unit[1:3] for unit in order.units if unit[0] == order.top})
            again = sum(order.fan[unit[0] - 1] for unit in done if unit[4])
            kept = order.kept()
            assert stats == [
                f"{thin(min(clock, total))}of {thin(total)}",
                thin(again),
                f"{sum(unit[0] == order.top and not unit[4] for unit in done)}of {thin(scores)}",
                f"{kept[finished - 1] if finished else 0}peak {max(kept)}",
            ]
            counts: dict = {}
            for unit in done:
                counts[unit[:3]] = counts.get(unit[:3], 0) + 1
            kinds = panel.locator(".units rect").evaluate_all("rects => rects.map((r) => r.getAttribute('class'))")
            assert kinds.count("again") == sum(count > 1 for count in counts.values())
            assert kinds.count("done") == sum(count == 1 for count in counts.values())
            if 0 < finished < len(order.units):
                i, d, flat, _, repeated = done[-1]
                title = "Window-first" if name == "window-first" else "Layer-first"
                line = next(part for part in shown.words().split("\n") if part.startswith(title))
                place = np.unravel_index(flat, order.maps[i])
                value = order.known[i - 1, d, tuple(map(int, place))]
                assert f"neuron {d}, place" in line
                assert line.endswith(", computed again.") == bool(repeated)
                number = re.search(r"(−?[\d.]+)(?:, computed again)?\.$", line)[1]
                assert shown.number(number) == pytest.approx(max(value, 0) if i < order.top else value, abs=6e-5)


def listing_case(seed):
    return random_case(np.random.default_rng(80 + seed), rank=1 + seed % 2)


@pytest.mark.parametrize("seed", range(4))
def test_numpy_listing_counts_and_computes_what_is_shown(open_demo, seed):
    demo = listing_case(seed)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(open_demo(demo).listing("NumPy"), names)
    np.testing.assert_allclose(names["y"], demo.output, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(names["scores"], demo.output, rtol=1e-12, atol=1e-12)
    window, layer = both_by_brute_force(demo)
    assert (names["window_first"], names["layer_first"]) == (window.ends()[-1], layer.ends()[-1])
    assert f"window-first {window.ends()[-1]} layer-first {layer.ends()[-1]}" in printed.getvalue()


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(2))
def test_pytorch_listing_counts_and_computes_what_is_shown(open_demo, seed):
    demo = listing_case(seed)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(open_demo(demo).listing("PyTorch"), names)
    np.testing.assert_allclose(names["y"].numpy(), demo.output, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(names["scores"].numpy(), demo.output, rtol=1e-12, atol=1e-12)
    assert names["layer_first"] == demo.multiply_adds["layer_first"]
    assert names["window_first"] == demo.multiply_adds["window_first"]


def totals(shown):
    return [
        shown.number(re.search(r"of ([\d\u2009]+)", text)[1])
        for text in shown.root.locator(".stat").all_text_contents()[::4]
    ]


def test_presets_and_remembering_change_the_counts_as_they_should(open_demo):
    shown = open_demo(OrderOfComputation())
    assert totals(shown) == [392, 248]
    assert shown.words(".answer") == "Layer-first: 248 multiply-adds, not 392 (1.58×)"
    expect(shown.root.locator(".window-first .units rect.again").first).to_be_visible()
    shown.root.locator("[name=remember]").check()
    assert totals(shown) == [248, 248]
    assert shown.root.locator(".window-first .units rect.again").count() == 0
    shown.root.locator("[name=remember]").uncheck()
    shown.root.locator("[name=levels]").select_option("1")
    left, right = totals(shown)
    assert left == right == OrderOfComputation(20, widths=8, hops=2).multiply_adds["layer_first"]
    assert "only the order changes" in shown.words(".verdict")
    shown.root.locator("[name=levels]").select_option("3")
    counts = OrderOfComputation(20, widths=(4, 2, 2), hops=(2, 1, 1)).multiply_adds
    assert totals(shown) == [counts["window_first"], counts["layer_first"]]


def test_sliders_give_the_net_that_python_would(open_demo):
    shown = open_demo(OrderOfComputation())
    demo = OrderOfComputation()
    for name, value, attribute, there in [
        ("n-0", 27, "n", [27]),
        ("width-0-0", 5, "widths", [[5], [3], [1]]),
        ("hop-1-0", 2, "hops", [[2], [2], [1]]),
        ("features-1", 4, "features", [3, 4, 1]),
        ("width-2-0", 2, "widths", [[5], [3], [2]]),
    ]:
        shown.set(name, value)
        setattr(demo, attribute, there)
        counts = demo.multiply_adds
        assert totals(shown) == [counts["window_first"], counts["layer_first"]], name
    last = [row[4] for row in shown.table(1) if row[0] == "3"]
    np.testing.assert_allclose([shown.number(v) for v in last], demo.output.ravel(), atol=6e-7)


def test_a_window_that_does_not_fit_says_why_and_comes_back(open_demo):
    shown = open_demo(OrderOfComputation())
    shown.set("n-0", 7)
    assert shown.words(".answer") == "No window fits"
    assert "one window of the top layer looks at 8 inputs and there are 7" in shown.words()
    shown.set("n-0", 8)
    assert totals(shown) == [56, 56]


def test_everything_works_by_keyboard_alone(open_demo):
    shown = open_demo(OrderOfComputation())
    shown.root.locator(".stage").focus()
    shown.press("Home")
    assert shown.words().count("no unit is finished yet") == 2
    shown.press("ArrowRight")
    assert "window 0, layer 1, neuron 0, place 0" in shown.words()
    shown.press("PageUp", "ArrowLeft", "End")
    assert "Window-first: done after 392" in shown.words()
    shown.root.locator('[data-panel="window-first"]').focus()
    shown.press("ArrowRight", "ArrowRight", "ArrowDown")
    expect(shown.root.locator(".tooltip")).to_contain_text("layer 1, neuron 1, place 1")
    expect(shown.root.locator(".tooltip")).to_contain_text("sees inputs 2–5")
    expect(shown.root.locator(".tooltip")).to_contain_text("window-first 2 ×")
    shown.press("Enter")
    assert "Window-first: window 0, layer 1, neuron 1, place 1" in shown.words()
    shown.press("Enter")
    assert "Window-first: window 1, layer 1, neuron 1, place 1" in shown.words()
    assert "computed again" in shown.words()
    shown.root.locator("[name=n-0]").focus()
    shown.press("ArrowRight")
    assert shown.root.locator("[name=n-0]").input_value() == "21"


def test_a_click_on_a_unit_or_a_timeline_goes_there(open_demo):
    shown = open_demo(OrderOfComputation())
    shown.root.locator(".layer-first .units rect").nth(9 + 4).click()  # neuron 1 at place 4
    assert "Layer-first: layer 1, neuron 1, place 4" in shown.words()
    box = shown.root.locator(".window-first .sheet").bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    assert shown.number(shown.root.locator(".stat").first.text_content().split("of")[0]) == pytest.approx(196, abs=6)


def test_playing_goes_to_the_end(open_demo):
    shown = open_demo(OrderOfComputation(10, widths=(3, 2), features=(1, 1)))
    shown.set("speed", 16)
    shown.root.locator(".stage").focus()
    shown.press("Home", "Space")
    expect(shown.root.locator(".words")).to_contain_text("Window-first: done")
    expect(shown.root.locator("[name=play]")).to_have_text("Play")


def test_what_moves_on_the_page_and_in_python_reaches_the_other_side(page):
    demo = OrderOfComputation()
    page.set_content("<div id=here></div>")
    saved = page.evaluate(
        """async ([esm, state]) => {
          const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
          const { default: { render } } = await import(url);
          const [calls, saved] = [{}, {}];
          const model = {
            get: (name) => state[name], on: (event, call) => (calls[event] = call), off() {}, save_changes() {},
            set: (name, value) => (saved[name] = value),
          };
          render({ model, el: document.querySelector("#here") });
          state.widths = [[8], [1], [1]];
          calls["change:widths"]();
          const slider = document.querySelector("[name=features-0]");
          slider.value = 2;
          slider.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 200));
          return saved;
        }""",
        [str(demo._esm), state_of(demo)],
    )
    assert saved["widths"] == [[8], [1], [1]]
    assert saved["features"] == [2, 2, 1]
    assert saved["hops"] == [[2], [1], [1]]


@pytest.mark.parametrize("options", [{}, {"n": (12, 16), "features": (6, 4, 1)}, {"n": 64, "widths": (4, 3)}])
def test_narrow_page_has_no_horizontal_bar(new_page, show, options):
    page = new_page(viewport={"width": 360, "height": 700})
    show(page, OrderOfComputation(**options))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
