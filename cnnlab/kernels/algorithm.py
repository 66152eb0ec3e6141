"""What an algorithm has to offer, and the list of those there are.

Another provider, such as compiled kernels or a GPU library, adds its own with `register` and puts its rules in front of
those in `cnnlab.kernels.rules` with `cnnlab.kernels.rules.add`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.case import Case

if TYPE_CHECKING:
    from cnnlab.kernels.passes import Layer

Memory: TypeAlias = Literal["N C *", "N * C", "C * N"]


class Algorithm:
    """A way to compute a correlation of arrays that are padded already, for one group of channels.

    The planner cuts the work into chunks of the batch or of the rows and calls the algorithm for each, from several
    threads at once; so it must not change itself.

    Attributes
    ----------
    name : str
        As `use_algorithm` takes it.
    idea : str
        In one line.
    provider : str
        Who brings it.
    memory : {"N C *", "N * C", "C * N"}
        In which order of axes the padded input shall lie in memory: channels first, channels last, batch last. The
        shape is (n, C, *padded) all the same.
    grouped : bool
        Whether it takes all groups of channels in one call.
    in_rows : bool
        Whether the weights that it prepares have to lie in a row. Those of a gradient to the input are a transposed
        view, and to copy that takes longer than a small product.
    lays_out : bool
        Whether laying out windows of the input is most that it does beside the product. Then threads that have to share
        few places share the input's channels, so that none is laid out twice; else they share the filters.
    has_grad_weight, has_grad_input : bool
        Whether it computes that gradient as well.
    weights_lie : bool
        Whether `grad_weight` leaves the weights of a filter in the order of w, so that they can be written to where
        they are to lie.
    uses_blas : bool
        Whether it multiplies matrices: then BLAS is held to one thread meanwhile.
    tolerance : dict of str to float
        Largest error by dtype, relative to the largest number of the result.
    """

    name: ClassVar[str]
    idea: ClassVar[str]
    provider: ClassVar[str] = "numpy"
    memory: ClassVar[Memory] = "N C *"
    grouped: ClassVar[bool] = False
    in_rows: ClassVar[bool] = True
    lays_out: ClassVar[bool] = False
    has_grad_weight: ClassVar[bool] = True
    has_grad_input: ClassVar[bool] = False
    weights_lie: ClassVar[bool] = True
    uses_blas: ClassVar[bool] = True
    tolerance: ClassVar[dict[str, float]] = {"float32": 1e-5, "float64": 1e-13}

    def fault(self, case: Case) -> str | None:
        """Return why this cannot compute the case, or None if it can."""
        del case
        return None

    def rows_at_a_time(self, case: Case) -> int:
        """Return at multiples of how many rows of the output chunks shall be cut."""
        del case
        return 1

    def few_places(self, case: Case) -> bool:
        """Return whether threads shall share channels, and each see all places, since these are the fewer."""
        return case.few_places

    def filters_at_a_time(self, case: Case) -> int:
        """Return how many filters of one group shall be prepared at a time, where that takes much memory."""
        return case.filters

    def zeros_behind(self, case: Case, out: Ints) -> Ints:
        """Return how many zeros it needs at the end of each spatial axis of the input of so many outputs."""
        del case
        return (0,) * len(out)

    def flops(self, case: Case) -> int:
        """Return about how many additions and multiplications it takes."""
        return 2 * case.macs

    def workspace(self, case: Case) -> int:
        """Return about how many bytes of working memory one thread needs, without the padded chunk of the input."""
        del case
        return 0

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return what `forward` needs of w (C_out/G, C_in/G, *kernel), made once for all chunks."""
        del case
        return w.reshape(w.shape[0], -1)  # (C_out/G, K)

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Write into y (n, C_out/G, *rows) the correlation of x (n, C_in/G, *padded), with b (C_out/G,) added."""
        raise NotImplementedError(f"{self.name} has no forward")

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Write to dw (C_out/G, K), or add to it, the gradient for dy (n, C_out/G, *rows) and x (n, C_in/G, *padded).

        Unless `weights_lie` the weights of a filter stand in an order that `in_order` knows; if so, rows of dw may lie
        apart.
        """
        raise NotImplementedError(f"{self.name} has no grad_weight")

    def grad_input(self, dy: FloatArray, weights: Any, dx: FloatArray, case: Case) -> None:
        """Write into dx (n, C_in/G, *padded) the gradient for dy (n, C_out/G, *out)."""
        raise NotImplementedError(f"{self.name} has no grad_input")

    def in_order(self, dw: FloatArray, case: Case) -> FloatArray:
        """Return dw (C_out, K) as an array (C_out, C_in/G, *kernel)."""
        return dw.reshape(case.out_channels, case.in_channels // case.groups, *case.kernel)


class Whole(Algorithm):
    """An algorithm that computes a whole pass by itself: it pads, cuts, and shares the work among threads."""

    grouped = True

    def correlate(self, x: FloatArray, w: FloatArray, b: FloatArray | None, layer: Layer, case: Case) -> FloatArray:
        """Return y (N, C_out, *out) for x (N, C_in, *spatial) and w (C_out, C_in/G, *kernel), which may be a view.

        Pads may be negative: then so many entries of x are not seen.
        """
        raise NotImplementedError(f"{self.name} has no forward")

    def correlate_weights(self, dy: FloatArray, x: FloatArray, layer: Layer, case: Case) -> FloatArray:
        """Return dw (C_out, C_in/G, *kernel) for dy (N, C_out, *out) and x (N, C_in, *spatial)."""
        raise NotImplementedError(f"{self.name} has no grad_weight")

    def correlate_back(self, dy: FloatArray, w: FloatArray, spatial: Ints, layer: Layer, case: Case) -> FloatArray:
        """Return dx (N, C_in, *spatial) for dy (N, C_out, *out) and w (C_out, C_in/G, *kernel)."""
        raise NotImplementedError(f"{self.name} has no grad_input")


_known: dict[str, Algorithm] = {}


def register(algorithm: Algorithm) -> Algorithm:
    """Add an algorithm to those there are, and return it; a later one of the same name takes its place."""
    _known[algorithm.name] = algorithm
    return algorithm


def algorithms() -> dict[str, Algorithm]:
    """Return all algorithms by name."""
    return dict(_known)
