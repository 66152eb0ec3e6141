"""Lecture 06 prints the deck's numbers, and what it says of filters, stacks and gradients holds."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow

DECK = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
DECK_STRIDE_2 = [[4, 4], [2, 4]]


@pytest.fixture
def sixth(run_lecture):
    return run_lecture(
        "06_what_is_a_convolution",
        deck="slide(grid, cross, b).tolist()",
        deck_stride_2="slide(grid, cross, b, stride=2).tolist()",
        by_library="by_scan.tolist()",
        impulse="result.tolist()",
        signal="[ours.tolist(), np.correlate(row, taps).tolist(), np.convolve(row, taps, 'valid').tolist()]",
        turned_signal="slide(row[None], taps[None, ::-1])[0].tolist()",
        sobel_sum="float(sobel.sum())",
        sobel_plain="float(np.abs(slide(np.full((5, 5), 0.7), sobel)).max())",
        cup_rims="[float(edges[0][60, 70:78].max()), float(edges[0][60, 156:166].min())]",
        line_sums="[float(np.abs(line.sum())) for line in lines]",
        fired="[float(np.mean(y[whiskers] > 0)) for y in fired]",
        places="{n: [float(p[at]) for p in (*partial, total)] for n, at in "
        "(('rim', (72, 91)), ('spoon', (109, 136)), ('saucer', (70, 54)))}",
        block="list(block.shape)",
        one_map="list(one_map.shape)",
        dot_off="float(abs(by_hand - one_map[0, 0, 20, 11]))",
        six="[list(small.shape), list(bank.shape), list(biases.shape), list(alone[0].shape), list(batch.shape)]",
        batch_off="float(np.abs(ops.conv_forward(batch, bank, biases) - np.array(alone)).max())",
        stack="[float(seen.max()), float(np.abs(bare).max()), list(seen.shape)]",
        composed="list(w21.shape)",
        one_off="float(np.abs(bare_stack(np.ones((1, 3, 9, 8))) "
        "- ops.conv_forward(np.ones((1, 3, 9, 8)), w21, b21)).max())",
        ring="[float(np.abs(two - one).max()), float(inside.max()), "
        "float(np.min(np.max(np.abs(two - one), axis=(0, 1))[0])), list(two.shape)]",
        superposition="[float(np.abs(f(t) + f(-t) - 2 * f(0 * t)).max()) "
        "for t in [np.random.default_rng(9).standard_normal((2, 3, 12, 14))] for f in (bare_stack, stack_with_relu)]",
        counts="[c.tolist() for c in counts]",
        gradients="[dx.tolist(), dw.tolist(), float(db)]",
        errors="[errors(dy, 1), errors(dy[:2, 1:], 2)]",
        general="[compare(**o) for o in ({'stride': 1}, {'stride': 2}, {'stride': 2, 'padding': 1})]",
        dw_by_scan="float(np.abs(dw - slide(grid, dy)).max())",
        dx_by_scan="float(np.abs(dx - slide(padded, turned)).max())",
        right="gradient_check(layer, rng.standard_normal((2, 3, 7, 6))).ok",
        wrong="{name: list(report.wrong) for name, report in reports.items()}",
        demos="[layer_view.output.shape, layer_view.filter]",
    )


def test_deck_example_has_the_decks_numbers(sixth):
    assert sixth.values["deck"] == sixth.values["by_library"] == DECK
    assert sixth.values["deck_stride_2"] == DECK_STRIDE_2
    assert "[[4. 3. 4.]\n [2. 4. 3.]\n [2. 3. 4.]]" in sixth.printed
    assert "[[4. 4.]\n [2. 4.]]" in sixth.printed
    assert "1·1 + 1·0 + 1·1 + 0·0 + 1·1 + 1·0 + 0·1 + 0·0 + 1·1 + 0 = 4" in sixth.printed
    assert "largest: 4; possible: 5" in sixth.printed
    assert sixth.printed.count("True") == 4
    assert "False" not in sixth.printed


def test_sliding_is_cross_correlation(sixth):
    assert sixth.values["impulse"] == [[9, 8, 7], [6, 5, 4], [3, 2, 1]]
    ours, correlated, convolved = sixth.values["signal"]
    assert ours == correlated != convolved
    assert sixth.values["turned_signal"] == convolved


def test_filters_on_photos_show_what_the_text_says(sixth):
    assert sixth.values["sobel_sum"] == 0
    assert sixth.values["sobel_plain"] < 1e-12
    left, right = sixth.values["cup_rims"]
    assert left > 1
    assert right < -1
    assert max(sixth.values["line_sums"]) < 1e-12
    first, *others = sixth.values["fired"]
    assert first > 1.5 * max(others)
    assert others[1] == min(sixth.values["fired"]) < 0.02


def test_filter_over_all_planes_compares_colors(sixth):
    for red, green, blue, total in sixth.values["places"].values():
        assert red > 0 > green
        assert blue == 0
        assert red + green == pytest.approx(total)
    places = {name: values[-1] for name, values in sixth.values["places"].items()}
    assert max(places["rim"], places["spoon"]) < 0.1
    assert places["saucer"] > 0.4


def test_shapes_are_those_of_the_deck(sixth):
    assert sixth.values["block"] == [3, 5, 5]
    assert sixth.values["one_map"] == [1, 1, 28, 28]
    assert sixth.values["dot_off"] < 1e-12
    assert sixth.values["six"] == [[3, 32, 32], [6, 3, 5, 5], [6], [6, 28, 28], [4, 3, 32, 32]]
    assert sixth.values["batch_off"] < 1e-12
    assert sixth.values["demos"] == [[6, 28, 28], 3]


def test_relu_between_makes_the_difference(sixth):
    with_relu, without, shape = sixth.values["stack"]
    assert with_relu > 1
    assert without < 1e-12
    assert shape == [1, 1, 156, 236]
    bare, rectified = sixth.values["superposition"]
    assert bare < 1e-11
    assert rectified > 1


def test_two_convolutions_are_one_but_for_the_padded_border(sixth):
    assert sixth.values["composed"] == [2, 3, 7, 7]
    assert sixth.values["one_off"] <= 1e-12
    printed = float(sixth.printed.partition("largest difference between two layers and one: ")[2].split()[0])
    assert printed <= 1e-12
    largest, inside, least_in_first_row, shape = sixth.values["ring"]
    assert shape == [2, 2, 12, 14]
    assert inside <= 1e-12
    assert largest > 10
    assert least_in_first_row > 1e-3


def test_gradients_of_the_lopsided_filter_are_worked_out_right(sixth):
    x = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
    w, dy = np.array([[1, 2, 0], [3, 0, 0], [0, 0, -1]]), np.array([[1, 0, -2], [0, 3, 0], [0, 1, 0]])
    dx, dw, db = sixth.values["gradients"]
    assert db == 3
    # Each window that has a gradient adds to dw what it saw, and to dx the filter.
    assert dw == (x[:3, :3] - 2 * x[:3, 2:] + 3 * x[1:4, 1:4] + x[2:, 1:4]).tolist()
    spread = np.zeros((5, 5))
    for i, j in np.argwhere(dy):
        spread[i : i + 3, j : j + 3] += dy[i, j] * w
    assert dx == spread.tolist()


def test_edges_are_counted(sixth):
    one, two = sixth.values["counts"]
    assert one == np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]).tolist()
    assert two == np.outer([1, 1, 2, 1, 1], [1, 1, 2, 1, 1]).tolist()


def test_gradients_agree_with_central_differences_and_with_edges(sixth):
    assert np.max(sixth.values["errors"]) < 1e-7
    for edges, differences in sixth.values["general"]:
        assert edges < 1e-12
        assert differences < 1e-7


def test_backward_is_made_of_convolutions(sixth):
    assert sixth.values["dw_by_scan"] <= 1e-12
    assert sixth.values["dx_by_scan"] <= 1e-12
    for stride in (1, 2):
        printed = sixth.printed.partition(f"stride {stride}: largest difference ")[2].split()[0]
        assert float(printed) <= 1e-12


def test_gradient_check_finds_the_missing_turn_but_not_with_a_symmetric_filter(sixth):
    assert sixth.values["right"]
    assert sixth.values["wrong"] == {"lopsided": ["x", "b"], "×": ["b"]}


def test_it_complains_about_nothing(sixth):
    assert sixth.complaints == ""
