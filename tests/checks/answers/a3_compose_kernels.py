"""Right ways to write exercise 12, and wrong ones as students write them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def by_paths(k1, k2):
    C_mid, C_in, K_H, K_W = k1.shape
    C_out, _, L_H, L_W = k2.shape
    w = np.zeros((C_out, C_in, K_H + L_H - 1, K_W + L_W - 1), dtype=k1.dtype)
    for o in range(C_out):
        for c in range(C_in):
            for m in range(C_mid):
                for i in range(K_H):
                    for j in range(K_W):
                        for k in range(L_H):
                            for h in range(L_W):
                                w[o, c, i + k, j + h] += k1[m, c, i, j] * k2[o, m, k, h]
    return w


def biases_by_loops(b1, k2, b2):
    b = np.zeros_like(b2)
    for o in range(len(b2)):
        b[o] = b2[o] + sum(b1[m] * k2[o, m].sum() for m in range(len(b1)))
    return b


def by_matrix_products(k1, k2):
    size = [a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True)]
    w = np.zeros((len(k2), k1.shape[1], *size), k2.dtype)
    for u in np.ndindex(k1.shape[2:]):
        for v in np.ndindex(k2.shape[2:]):
            w[:, :, u[0] + v[0], u[1] + v[1]] += k2[:, :, *v] @ k1[:, :, *u]
    return w


def biases_by_matrix_product(b1, k2, b2):
    return b2 + np.sum(k2, axis=(2, 3)) @ b1


def by_sliding(k1, k2):
    """Slide the turned second kernel over the first, with zeros around."""
    L_H, L_W = k2.shape[2:]
    padded = np.pad(k1, ((0, 0), (0, 0), (L_H - 1, L_H - 1), (L_W - 1, L_W - 1)))
    windows = sliding_window_view(padded, (L_H, L_W), axis=(2, 3))
    return np.einsum("mcijuv,omuv->ocij", windows, k2[:, :, ::-1, ::-1])


def biases_by_einsum(b1, k2, b2):
    return np.einsum("omuv,m->o", k2, b1) + b2


def by_fourier(k1, k2):
    size = [a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True)]
    spectra = [np.fft.rfft2(k.astype(np.float64), size) for k in (k1, k2)]
    product = np.einsum("mcij,omij->ocij", *spectra)
    return np.fft.irfft2(product, size).astype(k1.dtype)


def biases_by_broadcasting(b1, k2, b2):
    return (k2 * b1[None, :, None, None]).sum((1, 2, 3)) + b2


def by_impulse(k1, k2):
    """Send single pixels through both layers; each leaves the kernel behind, turned."""

    def layer(x, k):
        return np.einsum("nchwuv,ocuv->nohw", sliding_window_view(x, k.shape[2:], axis=(2, 3)), k)

    rows, columns = (a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True))
    x = np.zeros((k1.shape[1], k1.shape[1], 2 * rows - 1, 2 * columns - 1), k1.dtype)
    for c in range(len(x)):
        x[c, c, rows - 1, columns - 1] = 1
    return np.flip(layer(layer(x, k1), k2), (2, 3)).swapaxes(0, 1)


def biases_by_flat_picture(b1, k2, b2):
    picture = np.broadcast_to(b1[:, None, None], k2.shape[1:])
    return np.array([np.vdot(picture, kernel) + b for kernel, b in zip(k2, b2, strict=True)])


RIGHT = [
    (by_paths, biases_by_loops),
    (by_matrix_products, biases_by_matrix_product),
    (by_sliding, biases_by_einsum),
    (by_fourier, biases_by_broadcasting),
    (by_impulse, biases_by_flat_picture),
]


def slid_without_turn(k1, k2):
    L_H, L_W = k2.shape[2:]
    padded = np.pad(k1, ((0, 0), (0, 0), (L_H - 1, L_H - 1), (L_W - 1, L_W - 1)))
    return np.einsum("mcijuv,omuv->ocij", sliding_window_view(padded, (L_H, L_W), axis=(2, 3)), k2)


def as_large_as_the_first(k1, k2):
    w = np.zeros((len(k2), *k1.shape[1:]))
    for i, j in np.ndindex(*k1.shape[2:]):
        for u, v in np.ndindex(*k2.shape[2:]):
            if i >= u and j >= v:
                w[:, :, i, j] += k2[:, :, u, v] @ k1[:, :, i - u, j - v]
    return w


def overwritten(k1, k2):
    size = [a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True)]
    w = np.zeros((len(k2), k1.shape[1], *size))
    for i, j in np.ndindex(*k2.shape[2:]):
        w[:, :, i : i + k1.shape[2], j : j + k1.shape[3]] = np.einsum("om,mcuv->ocuv", k2[:, :, i, j], k1)
    return w


def wrong_order_and_correlated(k1, k2):
    """Two mistakes at once."""
    size = [a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True)]
    w = np.zeros((len(k1), k2.shape[1], *size))
    for u in np.ndindex(k1.shape[2:]):
        for v in np.ndindex(k2.shape[2:]):
            i, j = (a - b + n - 1 for a, b, n in zip(u, v, k2.shape[2:], strict=True))
            w[:, :, i, j] += k1[:, :, *u] @ k2[:, :, *v]
    return w


def index_of_cross_correlation(k1, k2):
    size = [a + b - 1 for a, b in zip(k1.shape[2:], k2.shape[2:], strict=True)]
    w = np.zeros((len(k2), k1.shape[1], *size))
    for i, j in np.ndindex(*k1.shape[2:]):
        for u, v in np.ndindex(*k2.shape[2:]):
            w[:, :, i - u, j - v] += k2[:, :, u, v] @ k1[:, :, i, j]
    return w


def biases_added(b1, k2, b2):
    return b1 + b2


def biases_forgotten(b1, k2, b2):
    return b2


def biases_by_center(b1, k2, b2):
    return b2 + k2[:, :, k2.shape[2] // 2, k2.shape[3] // 2] @ b1


CORRELATED = "The kernels are correlated, not convolved"
WRONG = [
    ((slid_without_turn, biases_by_einsum), {CORRELATED}),
    ((index_of_cross_correlation, biases_by_einsum), {CORRELATED}),
    ((as_large_as_the_first, biases_by_loops), {"The result keeps the size of one of the two kernels"}),
    (
        (overwritten, biases_forgotten),
        {
            "Taps are overwritten where they should be added to",
            "The biases of the first layer are lost",
        },
    ),
    ((wrong_order_and_correlated, biases_by_loops), {CORRELATED, "The channels are multiplied in the wrong order"}),
    ((by_paths, biases_added), {"The biases of the first layer are added without weights"}),
    ((by_sliding, biases_by_center), {"The biases of the first layer come in through one tap only"}),
]
EXAMPLES = [
    (
        "compose_kernels",
        (np.array([[[[1.0, 2.0, 0.0]]]]), np.array([[[[3.0, -1.0]]]])),
        np.array([[[[3.0, 5.0, -2.0, 0.0]]]]),
    ),
    ("compose_biases", (np.array([2.0]), np.array([[[[3.0, -1.0]]]]), np.array([0.5])), np.array([4.5])),
]
