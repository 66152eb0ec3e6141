"""Lecture 07 counts what the deck counts, and what it says of nets and pictures holds."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def seventh(run_lecture):
    return run_lecture(
        "07_sizes_strides_receptive_fields",
        shrinking="shrinking",
        counts="[len(pairs), sum(counted(W, K) == W - K + 1 for W, K in pairs)]",
        strided_counts="[len(cases), agree,"
        " sum(counted(*c) == ConvGeometry(*c[1:]).output_size(c[:1])[0] for c in cases)]",
        looks="looks.tolist()",
        borders="{m: frame(p).mean() for m, p in blurred.items()}",
        creeps="[[int((part > 1e-9).sum()) for part in (c[:10, 15], c[11:, 15], c[10, :15], c[10, 16:])]"
        " for c in differs]",
        smallest_creep="min(float(c[i, 15] / c.max()) for i, c in enumerate(differs))",
        strips="{L: [len(path_shares(L)), strip(path_shares(L))] for L in (5, 10, 20, 40, 80)}",
        middle="[float(m[4:9, 4:9].sum()) for m in (paths, gradients)]",
        rim="float(gradients[0].sum() + gradients[-1].sum())",
        alike="float(np.corrcoef(paths.ravel(), gradients.ravel())[0, 1])",
        alexnet_first="[counted(224, 11, 4), counted(224, 11, 4, 2), counted(227, 11, 4)]",
        recurrence="field_and_jump([(5, 2), (2, 2), (3, 1)])",
        reached="[len(rows), len(columns), int(seen.sum()), int(rows[0]), int(columns[0])]",
        fields="fields",
        settings="{n: [summary(m, (64, 32, 32)).output_shape, summary(m, (64, 32, 32)).parameters,"
        " summary(m, (64, 32, 32)).multiply_adds] for n, m in settings.items()}",
        nets="{n: [t.parameters, t.multiply_adds,"
        " [r.receptive_field for r in t.layers if r.kind == 'Conv2d'][-1],"
        " sum(r.parameters for r in t.layers if r.kind == 'Linear') / t.parameters,"
        " sum(r.multiply_adds for r in t.layers if r.kind == 'Linear') / t.multiply_adds] for n, t in tables.items()}",
        alexnet_pooled="tables['AlexNet']['features.12'].receptive_field",
        stages="[tables['ResNet-18'][f'layer{i}.1.conv1'].multiply_adds for i in (1, 2, 3, 4)]",
    )


def test_maps_shrink(seventh):
    assert seventh.values["shrinking"] == [32, 28, 24, 20, 16, 12, 8, 4]
    assert "kernel 5 is larger than the padded input 4" in seventh.printed
    assert "a 3×3 layer makes (1, 1, 7, 7) into (1, 1, 5, 5)" in seventh.printed
    assert seventh.values["counts"] == [820, 820]
    looks = seventh.values["looks"]
    assert (looks[0][0], looks[0][3], looks[3][3], sum(map(sum, looks))) == (1, 3, 9, 25 * 9)


def test_same_padding(seventh):
    for kernel, before, after in ((1, 0, 0), (2, 0, 1), (3, 1, 1), (4, 1, 2), (5, 2, 2), (6, 2, 3), (7, 3, 3)):
        line = f"K = {kernel}: {before} before, {after} after; 32 positions give 32"
        assert line in seventh.printed


def test_zeros_darken_the_border(seventh):
    borders = seventh.values["borders"]
    others = [borders[mode] for mode in ("reflect", "replicate", "circular")]
    assert all(0.4 < borders["zeros"] / other < 0.6 for other in others)


def test_the_border_creeps_in_by_one_row_a_layer(seventh):
    assert seventh.values["creeps"] == [[n] * 4 for n in (1, 2, 3, 4)]
    assert seventh.values["smallest_creep"] > 1e-4  # far above the threshold of the lecture


def test_receptive_field_of_three_layers(seventh):
    for layers, pixels, side in ((1, 9, 3), (2, 25, 5), (3, 49, 7)):
        assert f"after layer {layers}: {pixels} pixels, {side} rows and {side} columns" in seventh.printed
    assert "     5                 3×3         11×11           11" in seventh.printed
    assert "the same pixels as the net's own answer: True" in seventh.printed


def test_the_middle_counts_most(seventh):
    assert seventh.values["strips"] == {"5": [11, 7], "10": [21, 11], "20": [41, 15], "40": [81, 21], "80": [161, 29]}
    paths, nets = seventh.values["middle"]
    assert paths == pytest.approx((1 - 2 * (1 + 6 + 21 + 50) / 729) ** 2)  # 729 = 3^6; the four at each end left out
    assert abs(paths - nets) < 0.08
    assert seventh.values["alike"] > 0.95
    assert seventh.values["rim"] < 0.02


def test_a_picture_of_224_takes_112_layers(seventh):
    assert "112 layers; 111 see 223" in seventh.printed
    assert "207,165,063,168 multiply-adds" in seventh.printed


def test_strides(seventh):
    total, formula, geometry = seventh.values["strided_counts"]
    assert total == formula == geometry == 2552
    assert "3×3 with stride 2 makes (1, 1, 7, 7) into (1, 1, 3, 3)" in seventh.printed
    differences = [float(line.split("difference ")[1].split(",")[0]) for line in lines(seventh, "stride ", "cheaper")]
    assert len(differences) == 3
    assert max(differences) < 1e-4
    assert seventh.values["alexnet_first"] == [54, 55, 55]


def test_recurrence_and_pixels_agree(seventh):
    assert seventh.values["recurrence"] == [15, 4]
    assert seventh.values["reached"] == [15, 15, 15 * 15, 4, 4]
    assert {name: field[-1] for name, field in seventh.values["fields"].items()} == {
        "stride 1": 25,
        "stride 2 in every third layer": 91,
        "stride 2 in every layer": 2**13 - 1,
    }
    assert "stride 2 in every layer: 7 layers see 224" in seventh.printed


def test_worked_example(seventh):
    assert "a filter: 3·5·5 = 75 weights and a bias, 76 parameters" in seventh.printed
    assert "parameters: 10 · 76 = 760" in seventh.printed
    assert "multiply-adds: 10,240 outputs · 75 = 768,000" in seventh.printed
    assert f"without products with the padding: {30 * (5 * 32 - 2 * (1 + 2)) ** 2:,}" in seventh.printed
    assert "as in the table: True" in seventh.printed
    shown = [o.data["text/plain"] for c in seventh.notebook.cells for o in c.get("outputs", ()) if "data" in o]
    (table,) = [text for text in shown if text.startswith("layer") and "760" in text]
    assert "(10, 32, 32)" in table
    assert "768,000" in table


def test_common_settings(seventh):
    # By hand: (9·64 + 1)·64, (25·64 + 1)·64, (64 + 1)·64 parameters; 64 outputs at each place of as many weights.
    assert seventh.values["settings"] == {
        "3×3, P = 1, S = 1": [[64, 32, 32], 36928, 64 * 32 * 32 * 576],
        "5×5, P = 2, S = 1": [[64, 32, 32], 102464, 64 * 32 * 32 * 1600],
        "1×1, P = 0, S = 1": [[64, 32, 32], 4160, 64 * 32 * 32 * 64],
        "3×3, P = 1, S = 2": [[64, 16, 16], 36928, 64 * 16 * 16 * 576],
    }


def test_famous_nets(seventh):
    nets = seventh.values["nets"]
    assert [nets[name][:3] for name in ("AlexNet", "VGG-16", "ResNet-18")] == [
        [61100840, 714188480, [163, 163]],
        [138357544, 15470264320, [196, 196]],
        [11689512, 1814073344, [435, 435]],
    ]
    for name in ("AlexNet", "VGG-16"):
        parameters, work = nets[name][3:]
        assert parameters > 0.85
        assert work < 0.1
    assert seventh.values["alexnet_pooled"] == [195, 195]
    assert seventh.values["stages"] == [115605504] * 4
    assert "13 of 20 convolutions cost exactly 115,605,504 multiply-adds" in seventh.printed
    assert "AlexNet's first layer is used 3,025 times" in seventh.printed


def lines(lecture, *parts):
    return [line for line in lecture.printed.splitlines() if all(part in line for part in parts)]


def test_it_complains_about_nothing(seventh):
    assert seventh.complaints == ""
