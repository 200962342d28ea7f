"""Figures show what they are given, in files that are whole, and leave Matplotlib as they found it."""

import itertools
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from xpnet import plots
from xpnet.errors import DataError, InvalidInputError, XpnetError

RNG = np.random.default_rng(0)
MOONS_X = RNG.normal(size=(60, 2))
MOONS_T = (MOONS_X[:, 0] + 0.3 * RNG.normal(size=60) > 0).astype(int)


def left_half(points: np.ndarray) -> np.ndarray:
    return (points[:, 0] > 0).astype(int)


def soft_left_half(points: np.ndarray) -> np.ndarray:
    right = 1 / (1 + np.exp(-5 * points[:, 0]))
    return np.stack([1 - right, right], axis=1)


def history(iterations: int = 500, evaluations: int = 0, norms: tuple[str, ...] = ()) -> SimpleNamespace:
    return SimpleNamespace(
        loss=list(2 * np.exp(-np.arange(iterations) / 100)),
        iteration=list(np.linspace(0, iterations, evaluations, dtype=int)),
        train_score=list(np.linspace(0.1, 0.9, evaluations)),
        test_score=list(np.linspace(0.1, 0.875, evaluations)),
        metric="accuracy",
        gradient_norm={name: list(np.linspace(1, 0.1, evaluations)) for name in norms},
    )


def titles(figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


FIGURES = {
    "training_curves": lambda: plots.training_curves(history(500, 6, ("W1", "b1"))),
    "loss_curves": lambda: plots.loss_curves({"fixed": [2.0, 1.0], "fresh": [2.0, 1.9]}, "Two"),
    "activation_functions": lambda: plots.activation_functions(np.arange(3.0), {"relu": np.arange(3.0)}),
    "gradient_comparison": lambda: plots.gradient_comparison([("start", np.ones(3), np.ones(3))]),
    "misclassified": lambda: plots.misclassified(np.ones((3, 784)), np.arange(3), np.arange(3) + 1),
    "decision_boundary": lambda: plots.decision_boundary(left_half, MOONS_X, MOONS_T, "Halves"),
    "boundary_grid": lambda: plots.boundary_grid([("a", left_half), ("b", left_half)], MOONS_X, MOONS_T),
}


# --- all of them


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_written_900_pixels_wide(tmp_path, name):
    path = tmp_path / "figure.png"
    plots.save_figure(FIGURES[name](), path)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data.endswith(b"IEND\xaeB`\x82")
    assert int.from_bytes(data[16:20], "big") == 900
    assert [file.name for file in tmp_path.iterdir()] == ["figure.png"]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_its_own_canvas(name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    assert isinstance(FIGURES[name]().canvas, FigureCanvasAgg)


@pytest.mark.parametrize("name", FIGURES)
def test_without_matplotlib_the_message_says_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(XpnetError, match=r"pip install 'xpnet\[plot\]'"):
        FIGURES[name]()


def test_matplotlib_comes_late_and_stays_as_it_was(tmp_path):
    code = """
import json, sys
import numpy as np
import xpnet.plots as plots
before = "matplotlib" in sys.modules
import matplotlib
rc = matplotlib.rcParams.copy()
figure = plots.loss_curves({"a": [2.0, 1.0]}, "A")
plots.decision_boundary(lambda p: (p[:, 0] > 0).astype(int), np.eye(2) - 0.5, np.array([0, 1]), "B")
plots.save_figure(figure, sys.argv[1])
print(json.dumps([before, "matplotlib.pyplot" in sys.modules, rc == matplotlib.rcParams.copy()]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "figure.png")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    imported_early, used_pyplot, same_settings = json.loads(result.stdout)
    assert not imported_early
    assert not used_pyplot
    assert same_settings


def test_an_error_leaves_the_settings_as_they_were():
    import matplotlib

    before = matplotlib.rcParams.copy()
    with pytest.raises(InvalidInputError):
        plots.loss_curves({}, "nothing")
    assert matplotlib.rcParams.copy() == before


# --- saving


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")])
def test_the_suffix_names_the_format(tmp_path, suffix, start):
    path = tmp_path / f"figure{suffix}"
    plots.save_figure(FIGURES["loss_curves"](), path)
    assert path.read_bytes().startswith(start)


def test_resolution(tmp_path):
    path = tmp_path / "figure.png"
    plots.save_figure(FIGURES["loss_curves"](), path, dpi=50)
    assert int.from_bytes(path.read_bytes()[16:20], "big") == 300


@pytest.mark.parametrize("name", ["figure", "figure.xyz"])
def test_an_unknown_format_is_refused(tmp_path, name):
    with pytest.raises(InvalidInputError, match="png"):
        plots.save_figure(FIGURES["loss_curves"](), tmp_path / name)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="missing"):
        plots.save_figure(FIGURES["loss_curves"](), tmp_path / "missing" / "figure.png")


# --- training and losses


@pytest.mark.parametrize(
    ("evaluations", "norms", "expected"),
    [
        (0, (), ["Loss"]),
        (6, (), ["Loss", "Accuracy"]),
        (6, ("b1",), ["Loss", "Accuracy", "Gradient norm"]),
        (0, ("b1",), ["Loss"]),
    ],
)
def test_training_has_a_panel_for_what_is_there(evaluations, norms, expected):
    assert titles(plots.training_curves(history(500, evaluations, norms))) == expected


def test_gradient_norms_alone_get_a_panel():
    run = history(500, 6, ("W1", "b1"))
    run.train_score = run.test_score = []
    figure = plots.training_curves(run)
    assert titles(figure) == ["Loss", "Gradient norm"]
    assert len(figure.axes[1].lines) == 2


def test_training_shows_the_values():
    run = history(500, 6, ("b1",))
    loss, accuracy, norm = plots.training_curves(run).axes
    raw, mean = loss.lines
    np.testing.assert_array_equal(raw.get_xdata(), np.arange(1, 501))
    np.testing.assert_array_equal(raw.get_ydata(), run.loss)
    assert raw.get_alpha() < 0.5
    # ten values are averaged, and the mean stands in the middle of them
    assert mean.get_xdata()[0] == 5.5
    np.testing.assert_allclose(mean.get_ydata()[[0, -1]], [np.mean(run.loss[:10]), np.mean(run.loss[-10:])])
    train, test = accuracy.lines
    np.testing.assert_array_equal(train.get_ydata(), run.train_score)
    np.testing.assert_array_equal(test.get_xdata(), run.iteration)
    assert sorted(texts(accuracy)) == ["test 0.875", "train 0.900"]
    assert texts(norm) == ["b1 0.100"]
    assert (loss.get_xlabel(), loss.get_ylabel(), accuracy.get_xlabel()) == ("iteration", "loss", "iteration")


def test_a_short_run_has_no_mean():
    assert len(plots.training_curves(history(20)).axes[0].lines) == 1


@pytest.mark.parametrize("run", [history(1, 1, ("b1",)), history(60, 2, ("W1",))])
def test_the_shortest_runs_can_be_drawn(tmp_path, run):
    plots.save_figure(plots.training_curves(run), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_a_run_without_a_loss_is_refused():
    with pytest.raises(InvalidInputError, match="no loss"):
        plots.training_curves(history(0))


def test_a_run_that_broke_off_can_be_drawn(tmp_path):
    curves = {"fine": [1.0] * 200, "broken": [1.0] * 100 + [np.inf] * 50 + [np.nan] * 50}
    plots.save_figure(plots.loss_curves(curves, "NaN"), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_loss_curves_are_labelled_in_their_colours():
    (ax,) = plots.loss_curves({"fixed": [2.0, 0.5], "fresh": [2.0, 1.9]}, "Two runs").axes
    assert titles(ax.figure) == ["Two runs"]
    fixed, fresh = ax.lines
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert colours == {"fixed": fixed.get_color(), "fresh": fresh.get_color()}
    assert fixed.get_color() != fresh.get_color()


def test_labels_of_curves_that_end_together_do_not_touch():
    figure = plots.loss_curves({name: [2.0, 0.0] for name in "abcde"}, "Same end")
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in figure.axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == 5
    assert all(lower.y1 < upper.y0 for lower, upper in itertools.pairwise(boxes))


@pytest.mark.parametrize("curves", [{}, {"empty": []}, {"fine": [1.0], "empty": []}])
def test_empty_curves_are_refused(curves):
    with pytest.raises(InvalidInputError, match="at least one"):
        plots.loss_curves(curves, "nothing")


# --- functions and gradients


def test_each_activation_has_its_panel():
    x = np.linspace(-5, 5, 11)
    curves = {"step": (x > 0).astype(float), "relu": np.maximum(x, 0), "tanh": np.tanh(x), "identity": x}
    figure = plots.activation_functions(x, curves)
    assert titles(figure) == list(curves)
    for ax, values in zip(figure.axes, curves.values(), strict=True):
        np.testing.assert_array_equal(ax.lines[-1].get_ydata(), values)
    with pytest.raises(InvalidInputError):
        plots.activation_functions(x, {})


def test_gradients_are_compared_on_the_diagonal():
    backward = RNG.normal(size=(4, 5))
    numerical = backward + 1e-9
    numerical[2, 3] += 2.5e-7
    figure = plots.gradient_comparison([("start", numerical, backward), ("end", backward, backward)])
    assert titles(figure) == ["start", "end"]
    assert [texts(ax) for ax in figure.axes] == [
        ["largest difference\n2.5e-07"],
        ["largest difference\n0.0e+00"],
    ]
    diagonal, points = figure.axes[0].lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(points.get_xdata(), backward.ravel())
    np.testing.assert_array_equal(points.get_ydata(), numerical.ravel())


def test_zero_gradients_can_be_compared(tmp_path):
    figure = plots.gradient_comparison([("flat", np.zeros(3), np.zeros(3))])
    plots.save_figure(figure, tmp_path / "figure.png")
    assert figure.axes[0].get_xlim() == (-1, 1)


def test_gradients_of_two_shapes_are_refused():
    with pytest.raises(InvalidInputError, match=r"start.*\(3,\) and \(4,\)"):
        plots.gradient_comparison([("start", np.ones(3), np.ones(4))])


# --- images


@pytest.mark.parametrize("flat", [True, False])
def test_every_wrong_image_is_on_the_page(flat):
    images = RNG.integers(1, 256, size=(648, 28, 28), dtype=np.uint8)
    true, predicted = RNG.integers(0, 10, 648), RNG.integers(0, 10, 648)
    (ax,) = plots.misclassified(images.reshape(648, -1) if flat else images, true, predicted).axes
    assert texts(ax) == [f"{t}→{p}" for t, p in zip(true, predicted, strict=True)]
    page = np.asarray(ax.images[0].get_array())
    assert page.astype(int).sum() == images.astype(int).sum()
    cell_height, cell_width = page.shape[0] // 27, page.shape[1] // 24
    row, column = divmod(100, 24)
    found = page[row * cell_height :, column * cell_width :][:28, :28]
    np.testing.assert_array_equal(found, images[100])


def test_labels_stand_below_their_image_and_do_not_touch():
    figure = plots.misclassified(np.ones((648, 784)), np.full(648, 4), np.full(648, 9))
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in ax.texts]
    assert boxes[0].x1 < boxes[1].x0
    cell = ax.transData.transform([(0, 28), (0, ax.images[0].get_array().shape[0] / 27)])
    assert cell[1, 1] < boxes[0].y0
    assert boxes[0].y1 < cell[0, 1]


def test_other_image_shapes():
    images = RNG.random((5, 64))
    (ax,) = plots.misclassified(images, np.arange(5), np.arange(5), shape=(8, 8)).axes
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array())[:8, :8], images[0].reshape(8, 8))


@pytest.mark.parametrize(("images", "true", "predicted"), [(0, 0, 0), (3, 2, 3), (3, 3, 2)])
def test_images_without_labels_are_refused(images, true, predicted):
    with pytest.raises(InvalidInputError, match=f"{images} images, {true} true and {predicted} predicted"):
        plots.misclassified(np.ones((images, 784)), np.ones(true), np.ones(predicted))


# --- boundaries


@pytest.mark.parametrize("predict", [left_half, soft_left_half])
def test_a_boundary_lies_where_the_classes_meet(predict):
    (ax,) = plots.decision_boundary(predict, MOONS_X, MOONS_T, "Halves").axes
    assert titles(ax.figure) == ["Halves"]
    page = np.asarray(ax.images[0].get_array())
    left, right, _, _ = ax.images[0].get_extent()
    assert left < MOONS_X[:, 0].min() < MOONS_X[:, 0].max() < right
    x = np.linspace(left, right, page.shape[1])
    bluish = page[:, :, 2] > page[:, :, 0]  # class 0 is blue, class 1 orange
    clear = np.abs(x) > 0.1  # nearer to the boundary two probabilities blend into grey
    np.testing.assert_array_equal(bluish[:, clear], np.broadcast_to(x <= 0, bluish.shape)[:, clear])
    for contour in ax.collections:
        for path in contour.get_paths():
            np.testing.assert_allclose(path.vertices[:, 0], 0, atol=(right - left) / 250)


def test_points_are_drawn_in_the_colour_of_their_class():
    (ax,) = plots.decision_boundary(left_half, MOONS_X, MOONS_T, "Halves").axes
    assert len(ax.lines) == 2
    for k, line in enumerate(ax.lines):
        np.testing.assert_array_equal(np.stack(line.get_data(), axis=1), MOONS_X[np.equal(MOONS_T, k)])
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


def test_a_classifier_that_sees_one_class_has_no_boundary(tmp_path):
    figure = plots.decision_boundary(lambda p: np.zeros(len(p), dtype=int), MOONS_X, MOONS_T, "One")
    assert len(figure.axes[0].collections) == 0
    plots.save_figure(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_three_classes():
    def thirds(points: np.ndarray) -> np.ndarray:
        return np.digitize(points[:, 0], [-0.5, 0.5])

    (ax,) = plots.decision_boundary(thirds, MOONS_X, thirds(MOONS_X), "Thirds").axes
    assert len(ax.lines) == 3
    assert len(ax.collections) == 3


@pytest.mark.parametrize("columns", [1, 3, 4])
def test_a_grid_has_a_panel_for_each(columns):
    panels = [(f"{size} hidden", left_half) for size in (1, 2, 3, 4, 5, 20, 50)]
    figure = plots.boundary_grid(panels, MOONS_X, MOONS_T, columns=columns)
    assert titles(figure) == [title for title, _ in panels]
    assert figure.axes[0].get_gridspec().ncols == columns


def test_an_empty_grid_is_refused():
    with pytest.raises(InvalidInputError, match="at least one"):
        plots.boundary_grid([], MOONS_X, MOONS_T)
