"""Answers that are odd, lazy, or change themselves: right ones count, whatever they are stored in, and no others."""

from __future__ import annotations

from hostile.sample import Sample, as_if, instead

SAMPLES = {
    "right_backwards_in_memory": Sample(scan_1d=as_if("y[::-1, ::-1].copy()[::-1, ::-1]")),
    "right_in_other_byte_order": Sample(scan_1d=as_if("y.astype(y.dtype.newbyteorder('S'))")),
    "right_and_read_only": Sample(
        scan_1d=as_if("locked(y)", first="def locked(y):\n    y.flags.writeable = False\n    return y\n\n\n"),
    ),
    "right_in_every_third_byte": Sample(
        scan_1d=as_if("np.broadcast_to(y[..., None], (*y.shape, 3)).copy(order='F')[..., 1]"),
    ),
    "right_in_a_mapped_file": Sample(
        scan_1d=as_if(
            "mapped(y)",
            first="""\
def mapped(y):
    if not y.size: return y
    file = np.memmap("hostile-left.bin", y.dtype, "w+", shape=y.shape)
    file[:] = y
    return file


""",
        ),
    ),
    "right_in_a_masked_array": Sample(scan_1d=as_if("np.ma.array(y, mask=np.ones(y.shape, bool))")),
    "right_with_warnings_and_bars": Sample(
        above=("import sys, warnings\nfrom tqdm import tqdm\nwarnings.warn('old', DeprecationWarning)\n",),
        scan_1d=as_if(
            "[y for _ in tqdm(range(3))][0] if warned() else None",
            first="def warned():\n    warnings.warn('slow')\n    return print('!', file=sys.stderr) is None\n\n\n",
        ),
    ),
    "nan_everywhere": Sample(scan_1d=as_if("y * np.nan")),
    "infinite_numbers": Sample(scan_1d=as_if("y + np.inf")),
    "numbers_too_large_to_draw": Sample(scan_1d=as_if("np.where(y > 0, 1.7e308, -1.7e308)")),
    "complex_numbers": Sample(scan_1d=as_if("y.astype(complex)")),
    "objects_in_an_array": Sample(scan_1d=as_if("y.astype(object)")),
    "long_doubles": Sample(scan_1d=as_if("y.astype(np.longdouble) if np.longdouble is not np.float64 else None")),
    "structured_array": Sample(scan_1d=as_if("np.zeros(y.shape, [('value', y.dtype), ('why', 'U9')])")),
    "array_without_axes": Sample(scan_1d=as_if("np.array(5.0)")),
    "array_of_too_many_axes": Sample(scan_1d=as_if("y[(...,) + (None,) * 20]")),
    "generator": Sample(scan_1d=as_if("(column for column in y)")),
    "equal_to_everything": Sample(
        scan_1d=as_if(
            "Agrees()",
            first="""\
class Agrees:
    dtype, ndim, size = np.dtype(float), 2, 1
    shape = property(lambda self: self)
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __array__(self, *a, **k): raise RuntimeError("ask somebody else")
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __float__ = __int__ = __len__ = __index__ = lambda self: 1
    __sub__ = __rsub__ = __abs__ = lambda self, *a: 0.0


""",
        ),
    ),
    "array_that_agrees_to_all": Sample(
        scan_1d=as_if(
            "(y * 0 + 77).view(Agrees)",
            first="""\
class Agrees(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.True_
    def __array_function__(self, *a, **k): return np.True_
    def __eq__(self, other): return np.True_
    def tobytes(self, *a): return b"forged"
    def astype(self, *a, **k): return self


""",
        ),
    ),
    "number_that_agrees_to_all": Sample(
        scan_1d=as_if(
            "Number(3)",
            first="class Number(float):\n    __eq__ = lambda self, other: True\n    __repr__ = str\n\n\n",
        ),
    ),
    "other_at_the_second_look": Sample(
        scan_1d=as_if(
            "Changing(y)",
            first="""\
class Changing:
    def __init__(self, y): self.answers = [y * 0, y]
    def __array__(self, *a, **k): return self.answers.pop()


""",
        ),
    ),
    # Zeros when they are sent; a thread writes the right answer into them a moment later.
    "right_a_moment_later": Sample(
        scan_1d=as_if(
            "later(y)",
            first="""\
import mmap, threading, time


def later(y):
    shared = np.frombuffer(mmap.mmap(-1, max(y.nbytes, 1)), y.dtype, y.size).reshape(y.shape)
    def write():
        time.sleep(0.2)
        shared[...] = y
    threading.Thread(target=write, daemon=True).start()
    return shared - 0 if y.size == 0 else shared


""",
        ),
    ),
    "list_without_end": Sample(
        scan_1d=as_if(
            "Endless([1])",
            first="""\
import time


class Endless(list):
    def __iter__(self):
        while True:
            time.sleep(0.01)
            yield 1


""",
        ),
    ),
    "list_in_itself": Sample(scan_1d=instead("inner = []\ninner.append(inner)\nreturn inner\n")),
    "half_letters": Sample(scan_1d=instead("return ['\\ud800', '\\x00', '\\udfff' * 1000]\n")),
    "whole_number_of_many_digits": Sample(scan_1d=instead("return 10**5000\n")),
    "changes_its_arguments": Sample(
        scan_1d=as_if(
            "spoiled(x, layers, y)",
            first="def spoiled(x, layers, y):\n    x[:] = 7\n    layers.clear()\n    return y\n\n\n",
        ),
    ),
    "checks_its_own_cell": Sample(
        above=('check("a1.scan_1d", None, hidden=True)\nscore = check("a1.scan_1d", lambda *a: 5)\n',),
        scan_1d=instead("return check('a1.scan_1d', scan_1d, hidden=True) or 5.0\n"),
    ),
}
