"""Every figure: plain host data in, a Matplotlib figure out.

Matplotlib is imported when a figure is drawn, through its object-oriented interface only, so that
nothing here opens a window or changes the caller's settings.
"""

from xpnet.plots.boundaries import boundary_grid, decision_boundary
from xpnet.plots.curves import activation_functions, gradient_comparison, loss_curves, training_curves
from xpnet.plots.differences import difference_curves
from xpnet.plots.dots import dot_rows
from xpnet.plots.images import image_grid, misclassified
from xpnet.plots.panels import curve_panels, histogram_panels
from xpnet.plots.style import save_figure

__all__ = [
    "activation_functions",
    "boundary_grid",
    "curve_panels",
    "decision_boundary",
    "difference_curves",
    "dot_rows",
    "gradient_comparison",
    "histogram_panels",
    "image_grid",
    "loss_curves",
    "misclassified",
    "save_figure",
    "training_curves",
]
