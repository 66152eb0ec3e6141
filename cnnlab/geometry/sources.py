"""Where the values in the padding come from."""

from cnnlab.geometry.options import PaddingMode


def padded_sources(size: int, before: int, after: int, mode: PaddingMode) -> list[int | None]:
    """List, for every position of a padded axis, the input position whose value stands there.

    Parameters
    ----------
    size : int
        Length of the axis before padding.
    before, after : int
        Positions added at the two ends.
    mode : {"zeros", "reflect", "replicate", "circular"}
        As PyTorch's ``padding_mode``.

    Returns
    -------
    list of int or None
        ``before + size + after`` entries. None stands for a zero.

    Raises
    ------
    ValueError
        The axis is too short to fill the padding: "reflect" needs more positions than are added at one end, "circular"
        as many, "replicate" one.

    Examples
    --------
    >>> padded_sources(3, 2, 2, "zeros")
    [None, None, 0, 1, 2, None, None]
    >>> padded_sources(3, 2, 2, "reflect")
    [2, 1, 0, 1, 2, 1, 0]
    >>> padded_sources(3, 2, 2, "replicate")
    [0, 0, 0, 1, 2, 2, 2]
    >>> padded_sources(3, 2, 2, "circular")
    [1, 2, 0, 1, 2, 0, 1]
    """
    check_long_enough(size, max(before, after), mode)
    return [_source(i, size, mode) for i in range(-before, size + after)]


def _source(i: int, size: int, mode: PaddingMode) -> int | None:
    if 0 <= i < size:
        return i
    if mode == "zeros":
        return None
    if mode == "reflect":
        return -i if i < 0 else 2 * (size - 1) - i
    if mode == "replicate":
        return 0 if i < 0 else size - 1
    return i % size


def check_long_enough(size: int, added: int, mode: PaddingMode) -> None:
    """Raise ValueError if an axis is too short to fill so many positions added at one end."""
    needed = {"zeros": 0, "reflect": added + 1, "replicate": 1, "circular": added}[mode]
    if added and size < needed:
        raise ValueError(
            f'padding {added} with padding_mode "{mode}" needs an input of at least {needed}, not {size}: '
            'pad less or use padding_mode "zeros"'
        )
