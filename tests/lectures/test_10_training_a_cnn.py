"""Lecture 10 reaches the numbers that it speaks of."""

import re

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def tenth(run_lecture):
    return run_lecture(
        "10_training_a_cnn",
        seconds="seconds",
        accuracy="{'linear': accuracy(linear, flat(x_test), y_test), 'mlp': accuracy(mlp, flat(x_test), y_test), "
        "'cnn': accuracy(net, x_test, y_test)}",
        sizes="{'linear': size(linear), 'mlp': size(mlp), 'cnn': size(net)}",
        turn="{'linear': np.median(quarter_turn(linear_templates)), 'mlp': np.median(quarter_turn(mlp_templates)), "
        "'cnn': np.median(quarter_turn(filters))}",
        shuffled="accuracy(shuffled, x_val, y_val)",
        sorted="np.bincount(answers(unshuffled, x_val), minlength=4).tolist()",
        short="short",
        alive="int(alive.any(axis=(0, 2, 3)).sum())",
        few="few.as_dict()",
        curves="curves",
        epochs="EPOCHS",
        kept="gallery.epochs",
        live="gallery.records[-1]['values']",
        shown_filters="float(np.abs(gallery.filters - filters).max())",
        table="table.tolist()",
        kinds="{name: [int(np.sum(orientation(w) > oriented)), int(np.sum(opposition(w) < opposed))] "
        "for name, w in kinds.items()}",
        orientation="{name: np.median(orientation(w)) for name, w in templates.items()}",
        by_net="by_net",
        heads="heads",
        torch_difference="float(abs(ours - theirs).max() / abs(ours).max()) if 'theirs' in globals() else None",
        read_back="bool(np.all(answers(again, x_test) == said))",
    )


def test_four_shapes_are_told_apart_in_a_minute(tenth):
    assert tenth.values["accuracy"]["cnn"] >= 0.98
    assert tenth.values["seconds"] <= 60
    assert tenth.values["sizes"]["cnn"] == 6716


def test_nets_without_convolution_do_worse_with_more(tenth):
    accuracy, sizes = tenth.values["accuracy"], tenth.values["sizes"]
    assert 0.7 <= accuracy["linear"] < accuracy["mlp"] <= 0.93
    assert accuracy["mlp"] < accuracy["cnn"] - 0.05
    assert sizes["mlp"] > 10 * sizes["cnn"]
    assert abs(sizes["linear"] - sizes["cnn"]) < 0.1 * sizes["cnn"]


def test_whole_picture_templates_are_rings(tenth):
    turn = tenth.values["turn"]
    assert turn["linear"] >= 0.4
    assert turn["mlp"] >= 0.4
    assert turn["cnn"] <= 0.3


def test_sorted_pictures_teach_one_answer(tenth):
    assert tenth.values["shuffled"] >= 0.55
    assert max(tenth.values["sorted"]) >= 900


def test_learning_rates_fail_as_told(tenth):
    low, good, high = tenth.values["short"].values()
    guessing = np.log(4)
    assert low[-1] > 0.95 * guessing
    assert good[-1] < 0.6 * guessing
    assert high[0] > 2 * guessing
    assert high[-1] == pytest.approx(guessing, rel=0.05)
    assert tenth.values["alive"] == 0


def test_hundred_pictures_are_learned_by_heart(tenth):
    few = tenth.values["few"]
    assert few["accuracy"][-1] >= 0.98
    assert few["validation accuracy"][-1] <= 0.85
    assert few["validation loss"][-1] > 1.2 * min(few["validation loss"])


def test_enough_pictures_are_not(tenth):
    curves = tenth.values["curves"]
    assert curves["validation loss"][-1] < 2.5 * curves["loss"][-1]
    assert curves["accuracy"][-1] - curves["validation accuracy"][-1] < 0.02


def test_demo_followed_the_training(tenth):
    assert tenth.values["kept"] == list(range(tenth.values["epochs"] + 1))
    assert tenth.values["live"]["validation accuracy"] == tenth.values["curves"]["validation accuracy"][-1]
    assert tenth.values["shown_filters"] < 1e-6


def test_confusion_table_counts_every_picture(tenth):
    table = np.array(tenth.values["table"])
    assert table.sum(axis=1).tolist() == [500] * 4
    assert np.trace(table) / table.sum() == pytest.approx(tenth.values["accuracy"]["cnn"])


def test_filters_are_oriented_edges_and_opposing_colors(tenth):
    before, after = tenth.values["kinds"]["untrained"], tenth.values["kinds"]["trained"]
    assert max(before) <= 2
    assert after[0] >= 11
    assert after[1] >= 7
    untrained, trained, mlp = tenth.values["orientation"].values()
    assert trained > 2.5 * untrained
    assert trained > 4 * mlp


def test_the_trained_net_knows_the_middle(tenth):
    by_net = tenth.values["by_net"]
    assert by_net["CNN"][0] >= 0.97
    assert by_net["CNN"][6] <= 0.70
    assert all(cnn > mlp for cnn, mlp in zip(by_net["CNN"], by_net["MLP"], strict=True))


def test_its_filters_serve_everywhere(tenth):
    cnn, maximum, moving = tenth.values["heads"].values()
    assert min(moving) >= 0.85
    assert maximum[0] < cnn[0] - 0.05
    assert maximum[6] > cnn[6] + 0.05
    assert maximum[0] - maximum[6] < (cnn[0] - cnn[6]) / 2


@pytest.mark.oracle
def test_pytorch_gives_the_same_logits(tenth):
    assert tenth.values["torch_difference"] <= 1e-5


def test_weights_come_back_from_the_file(tenth):
    assert tenth.values["read_back"]


def test_it_complains_about_nothing(tenth):
    assert tenth.complaints == ""


def test_what_is_saved_of_the_gallery_is_the_trained_net(tenth):
    """Slides and a saved page have no kernel that could tell them of the training later."""
    pages = [
        output.data["text/html"]
        for cell in tenth.notebook.cells
        for output in cell.get("outputs", ())
        if "What have the filters learned" in output.get("data", {}).get("text/html", "")
    ]
    assert len(pages) == 1
    epochs = [int(epoch) for epoch in re.findall(r'epoch(?:"|&quot;):(\d+)', pages[0])]
    assert max(epochs) == tenth.values["epochs"]
