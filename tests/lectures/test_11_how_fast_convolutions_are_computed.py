"""Lecture 11 counts rightly, and its ways agree. What it measures is not asserted: that belongs to the machine."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def eleventh(run_lecture):
    return run_lecture(
        "11_how_fast_convolutions_are_computed",
        least_bytes="least_bytes",
        tap_bytes="tap_bytes",
        loops="float(abs(found['seven loops'] - found['sum over taps']).max())",
        columns="float(abs(im2col(padded, w, b) - by_ops).max())",
        copies="[copies[16, 16], copies[0, 0], copies[0, 16]]",
        by_four="(A2 @ ((G2 @ g) * (B2 @ d))).tolist()",
        errors="{dtype: [float(abs(winograd(*as_type(dtype, x3, w3, B, G, A)) - exact).max() / abs(exact).max())"
        " for B, G, A in ((B2, G2, A2), (B4, G4, A4))] for dtype in ('float64', 'float32')}",
        relative="relative.tolist()",
        wraps="np.flatnonzero(abs(circle - layer_says) > 1e-9).tolist()",
        opened="float(abs(padded_signal - layer_says).max())",
        fourier="error",
        crossing="[K for K, a, f in zip(kernels, operations['im2col'], operations['fft']) if f < a]",
        strides="{order: list(array.strides) for order, array in laid_out.items()}",
        view="float(abs(by_view - special['1×1, 64 to 64'](maps64)).max())",
        deck="deck",
        middle="in_the_middle",
    )


def test_what_has_to_be_done(eleventh):
    assert "multiply-adds: 768,000" in eleventh.printed
    assert eleventh.values["least_bytes"] == 4 * (3 * 32 * 32 + 10 * 75 + 10 + 10 * 32 * 32)
    assert eleventh.values["tap_bytes"] == 25 * 4 * 1024 * (9 + 40)


def test_loops_taps_and_columns_agree(eleventh):
    assert eleventh.values["loops"] < 1e-5
    assert eleventh.values["columns"] < 1e-5


def test_pixels_are_copied(eleventh):
    assert eleventh.values["copies"] == [25, 9, 15]
    for stride, windows, factor in ((1, "32×32", "25.00"), (2, "16×16", "6.25"), (4, "8×8", "1.56")):
        assert any(
            line.split() == [str(stride), windows, factor, f"{25 / stride**2:.2f}"]
            for line in eleventh.printed.splitlines()
        )
    assert "VGG-16, second    all at once  110.2 MB, in tiles  2.0 MB" in eleventh.printed


def test_four_products_give_both_outputs(eleventh):
    assert eleventh.values["by_four"] == [1 * 2 - 2 + 3 * 4, 2 * 2 - 3 + 5 * 4]
    assert "F(4×4, 3×3):  36 products in place of 144, 4.00 times fewer" in eleventh.printed


def test_larger_tiles_are_less_exact(eleventh):
    for dtype, most in (("float64", 1e-12), ("float32", 1e-4)):
        two, four = eleventh.values["errors"][dtype]
        assert 2 * two < four < most


def test_winograd_pays_with_many_channels_only(eleventh):
    relative = eleventh.values["relative"]
    assert relative == sorted(relative, reverse=True)
    assert relative[2] > 1 > relative[3]


def test_spectra_wrap_around_without_room(eleventh):
    assert eleventh.values["wraps"] == [12, 13, 14, 15]
    assert eleventh.values["opened"] < 1e-12
    assert eleventh.values["fourier"] < 2e-5
    assert eleventh.values["crossing"] == list(range(5, 22, 2))


def test_strides_of_the_orders(eleventh):
    assert eleventh.values["strides"] == {
        "NCHW": [4 * 3 * 32 * 32, 4 * 32 * 32, 4 * 32, 4],
        "NHWC": [4 * 3 * 32 * 32, 4 * 3 * 32, 4 * 3, 4],
        "CHWN": [4 * 64 * 32 * 32, 4 * 64 * 32, 4 * 64, 4],
    }


def test_a_view_is_all_that_1x1_needs(eleventh):
    assert eleventh.values["view"] < 1e-4


def test_all_ways_compute_the_layer(eleventh):
    deck, middle = eleventh.values["deck"], eleventh.values["middle"]
    assert list(deck) == ["taps", "im2col_full", "im2col", "channels_last", "batch_last", "winograd", "fft"]
    assert list(middle) == list(deck)
    assert all(row[-1] < 1e-4 for rows in (deck, middle) for row in rows.values())
    assert deck["im2col"][0] == pytest.approx(2 * 64 * 0.768)
    assert "the kernel is 5×5, not 1×1" in eleventh.printed


def test_it_complains_about_nothing(eleventh):
    assert eleventh.complaints == ""
