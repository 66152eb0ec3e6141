// The kernels of cnnlab.kernels.gpu, in CUDA C. T is float or double; cnnlab.kernels.gpu.device defines it in a line
// before this text and compiles it by NVRTC.
//
// All of them are loops over a count that threads share, so any grid and block compute the same. Each thread writes
// numbers that no other writes, in one order of addition: no atomics, and the same bits at every run. Arrays lie
// contiguously, (N, C, D, H, W), where layers of one or two dimensions have sizes of 1 in front; counts are below 2^30.
// Nothing here uses shared memory, so tests can compile the same text for a CPU.

#define IN const T* __restrict__

#define EACH(i, count) \
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += blockDim.x * gridDim.x)

// Sizes of input map and kernel, stride, dilation, zeros before the input, and size of the output map.
#define WINDOW                                                                                                        \
    int D, int H, int W, int KD, int KH, int KW, int SD, int SH, int SW, int DD, int DH, int DW, int PD, int PH,      \
        int PW, int OD, int OH, int OW

// All taps in row-major order, with what each sees at the output (od, oh, ow): `seen` is a place of the input map.
#define EACH_TAP(t, seen)                                                           \
    for (int kd = 0, t = 0; kd < KD; ++kd)                                          \
        for (int kh = 0; kh < KH; ++kh)                                             \
            for (int kw = 0, d, h, w_, seen; kw < KW; ++kw, ++t)                    \
                if (d = od * SD - PD + kd * DD, h = oh * SH - PH + kh * DH,         \
                    w_ = ow * SW - PW + kw * DW, seen = (d * H + h) * W + w_,       \
                    seen = d >= 0 && d < D && h >= 0 && h < H && w_ >= 0 && w_ < W ? seen : -1, true)

// The output that lies at a place of the padded input, counted in steps of its stride; -1 for none. Dividing is slow, and
// mostly the stride is 1.
static __device__ inline int output_at(int place, int stride, int outputs) {
    if (place < 0) return -1;
    if (stride > 1) {
        if (place % stride) return -1;
        place /= stride;
    }
    return place < outputs ? place : -1;
}

// All taps in row-major order by which an output sees the input (d, h, w_): `seer` is a place of the output map,
// and TAP the number of the tap.
#define TAP ((kd * KH + kh) * KW + kw)
#define EACH_SEER(seer)                                                                    \
    for (int kd = 0; kd < KD; ++kd)                                                        \
        if (const int od = output_at(d + PD - kd * DD, SD, OD); od >= 0)                   \
            for (int kh = 0; kh < KH; ++kh)                                                \
                if (const int oh = output_at(h + PH - kh * DH, SH, OH); oh >= 0)           \
                    for (int kw = 0; kw < KW; ++kw)                                        \
                        if (const int ow = output_at(w_ + PW - kw * DW, SW, OW); ow >= 0)  \
                            if (const int seer = (od * OH + oh) * OW + ow; true)

// The windows of x (n, C, D, H, W) as columns: tap t of channel c at place `first` + l of picture m is the number
// (c * taps + t) * row + m * picture + l. count is C * n * L.
extern "C" __global__ void im2col(IN x, T* columns, int count, int C, int n, int first, int L, int row,
                                  int picture, WINDOW) {
    const int taps = KD * KH * KW;
    EACH(i, count) {
        const int l = i % L, m = i / L % n, c = i / L / n, p = first + l;
        const int ow = p % OW, oh = p / OW % OH, od = p / OW / OH;
        const T* map = x + (m * C + c) * (D * H * W);
        T* column = columns + c * taps * row + m * picture + l;
        EACH_TAP(t, seen) column[t * row] = seen < 0 ? T(0) : map[seen];
    }
}

// The adjoint: each number of dx (n, C, D, H, W) is the sum of its copies in the columns, of L places from `first` on;
// with `add`, added to what is there. count is the size of dx.
extern "C" __global__ void col2im(IN columns, T* dx, int count, int C, int first, int L, int row, int picture,
                                  int add, WINDOW) {
    const int taps = KD * KH * KW;
    EACH(i, count) {
        const int w_ = i % W, h = i / W % H, d = i / W / H % D, c = i / W / H / D % C, m = i / W / H / D / C;
        const T* column = columns + c * taps * row + m * picture - first;
        T sum = add ? dx[i] : T(0);
        EACH_SEER(seer) if (seer >= first && seer < first + L) sum += column[TAP * row + seer];
        dx[i] = sum;
    }
}

// y (n, M, OD, OH, OW) by its definition, for filters w (M, C / G, taps) and, if there are any, biases (M,).
extern "C" __global__ void direct_forward(IN x, IN w, IN bias, T* y, int count, int C, int M, int G,
                                          int biased, WINDOW) {
    const int taps = KD * KH * KW, channels = C / G, filters = M / G, places = OD * OH * OW;
    EACH(i, count) {
        const int p = i % places, f = i / places % M, m = i / places / M;
        const int ow = p % OW, oh = p / OW % OH, od = p / OW / OH;
        const T* map = x + (m * C + f / filters * channels) * (D * H * W);
        const T* weight = w + f * channels * taps;
        T sum = biased ? bias[f] : T(0);
        for (int c = 0; c < channels; ++c, map += D * H * W, weight += taps)
            EACH_TAP(t, seen) if (seen >= 0) sum += weight[t] * map[seen];
        y[i] = sum;
    }
}

// dx (n, C, D, H, W) for dy (n, M, OD, OH, OW).
extern "C" __global__ void direct_grad_input(IN dy, IN w, T* dx, int count, int C, int M, int G, WINDOW) {
    const int taps = KD * KH * KW, channels = C / G, filters = M / G, places = OD * OH * OW;
    EACH(i, count) {
        const int w_ = i % W, h = i / W % H, d = i / W / H % D, c = i / W / H / D % C, m = i / W / H / D / C;
        const int f0 = c / channels * filters;
        const T* upstream = dy + (m * M + f0) * places;
        const T* weight = w + (f0 * channels + c % channels) * taps;
        T sum = T(0);
        EACH_SEER(seer)
        for (int f = 0; f < filters; ++f) sum += weight[f * channels * taps + TAP] * upstream[f * places + seer];
        dx[i] = sum;
    }
}

// Parts of dw: partial (M, C / G, taps, S), whose sum over the last axis it is. Part s adds up the places s, s + S and so
// on of the whole batch. count is M * C / G * taps * S.
extern "C" __global__ void direct_grad_weight(IN dy, IN x, T* partial, int count, int n, int C, int M, int G,
                                              int S, WINDOW) {
    const int taps = KD * KH * KW, channels = C / G, filters = M / G, places = OD * OH * OW;
    const int step_w = S % OW, step_h = S / OW % OH, step_d = S / OW / OH % OD, step_m = S / places;
    EACH(i, count) {
        const int s = i % S, t = i / S % taps, c = i / S / taps % channels, f = i / S / taps / channels;
        const int kw = t % KW, kh = t / KW % KH, kd = t / KW / KH;
        T sum = T(0);
        int ow = s % OW, oh = s / OW % OH, od = s / OW / OH % OD, m = s / places;
        while (m < n) {
            const int w_ = ow * SW - PW + kw * DW, h = oh * SH - PH + kh * DH, d = od * SD - PD + kd * DD;
            if (d >= 0 && d < D && h >= 0 && h < H && w_ >= 0 && w_ < W)
                sum += dy[(m * M + f) * places + (od * OH + oh) * OW + ow] *
                       x[((m * C + f / filters * channels + c) * D + d) * H * W + h * W + w_];
            ow += step_w, oh += step_h, od += step_d, m += step_m;  // S places on, with carries and without dividing
            if (ow >= OW) ow -= OW, ++oh;
            if (oh >= OH) oh -= OH, ++od;
            if (od >= OD) od -= OD, ++m;
        }
        partial[i] = sum;
    }
}

// For each window the place of its largest number in the map, the first of equal ones; NaN is the largest. -1 where a
// window sees nothing of the map. Of x (maps, D, H, W); count is maps * OD * OH * OW.
extern "C" __global__ void max_pool_winner(IN x, int* winner, int count, WINDOW) {
    const int places = OD * OH * OW;
    EACH(i, count) {
        const int p = i % places, ow = p % OW, oh = p / OW % OH, od = p / OW / OH;
        const T* map = x + i / places * (D * H * W);
        int best = -1;
        T most = T(0);
        EACH_TAP(t, seen) {
            if (seen >= 0 && (best < 0 || (most == most && !(map[seen] <= most)))) {
                best = seen;
                most = map[seen];
            }
        }
        winner[i] = best;
    }
}

// The largest number of each window, minus infinity where it sees nothing.
extern "C" __global__ void max_pool_forward(IN x, T* y, int count, WINDOW) {
    const int places = OD * OH * OW;
    EACH(i, count) {
        const int p = i % places, ow = p % OW, oh = p / OW % OH, od = p / OW / OH;
        const T* map = x + i / places * (D * H * W);
        T most = -T(1) / T(0);
        EACH_TAP(t, seen) if (seen >= 0 && most == most && !(map[seen] <= most)) most = map[seen];
        y[i] = most;
    }
}

// dx (maps, D, H, W): the gradients of the windows that each place won. count is the size of dx.
extern "C" __global__ void max_pool_backward(IN dy, const int* winner, T* dx, int count, WINDOW) {
    EACH(i, count) {
        const int place = i % (D * H * W), w_ = i % W, h = i / W % H, d = i / W / H % D;
        const int windows = i / (D * H * W) * (OD * OH * OW);
        T sum = T(0);
        EACH_SEER(seer) if (winner[windows + seer] == place) sum += dy[windows + seer];
        dx[i] = sum;
    }
}

// The sum of each window divided by its count, counts (OD, OH, OW).
extern "C" __global__ void avg_pool_forward(IN x, IN counts, T* y, int count, WINDOW) {
    const int places = OD * OH * OW;
    EACH(i, count) {
        const int p = i % places, ow = p % OW, oh = p / OW % OH, od = p / OW / OH;
        const T* map = x + i / places * (D * H * W);
        T sum = T(0);
        EACH_TAP(t, seen) if (seen >= 0) sum += map[seen];
        y[i] = sum / counts[p];
    }
}

// dx (maps, D, H, W): the sum of the shares of all windows that see a place.
extern "C" __global__ void avg_pool_backward(IN share, T* dx, int count, WINDOW) {
    EACH(i, count) {
        const int w_ = i % W, h = i / W % H, d = i / W / H % D;
        const T* windows = share + i / (D * H * W) * (OD * OH * OW);
        T sum = T(0);
        EACH_SEER(seer) sum += windows[seer];
        dx[i] = sum;
    }
}

// dy where not x <= 0, else 0: also where x is NaN.
extern "C" __global__ void relu_backward(IN dy, IN x, T* dx, int count) {
    EACH(i, count) dx[i] = x[i] <= 0 ? T(0) : dy[i];
}

// dy * (1 - y * y) for y = tanh(x).
extern "C" __global__ void tanh_backward(IN dy, IN y, T* dx, int count) {
    EACH(i, count) dx[i] = dy[i] * (T(1) - y[i] * y[i]);
}

// A step of SGD with momentum: velocity' = momentum * velocity + g, w' = w - lr * velocity'.
extern "C" __global__ void momentum_step(IN w, IN g, IN velocity, T* new_w, T* new_velocity, int count, T lr,
                                         T momentum) {
    EACH(i, count) {
        const T v = momentum * velocity[i] + g[i];
        new_velocity[i] = v;
        new_w[i] = w[i] - lr * v;
    }
}

// A step of Adam: running means of g and of its square, and w' = w - lr * mean' / (sqrt(square') / root + eps). What is
// left of 1 by the betas comes from outside: 1 - 0.999 in float32 would be wrong in the fifth digit.
extern "C" __global__ void adam_step(IN w, IN g, IN mean, IN square, T* new_w, T* new_mean, T* new_square, int count,
                                     T lr, T beta1, T rest1, T beta2, T rest2, T root, T eps) {
    EACH(i, count) {
        const T m = beta1 * mean[i] + rest1 * g[i], v = beta2 * square[i] + rest2 * g[i] * g[i];
        new_mean[i] = m;
        new_square[i] = v;
        new_w[i] = w[i] - lr * m / (sqrt(v) / root + eps);
    }
}

// For each row of logits (rows, C) log(sum(exp)) less the logit of the target; minus infinity if that is no class.
extern "C" __global__ void cross_entropy_forward(IN logits, const long long* targets, T* loss, int rows, int C) {
    EACH(i, rows) {
        const T* row = logits + i * C;
        T most = row[0], sum = T(0);
        for (int c = 1; c < C; ++c)
            if (most == most && !(row[c] <= most)) most = row[c];
        for (int c = 0; c < C; ++c) sum += exp(row[c] - most);
        const bool is_class = targets[i] >= 0 && targets[i] < C;
        loss[i] = is_class ? log(sum) - (row[targets[i]] - most) : -T(1) / T(0);
    }
}

// (softmax(logits) - one-hot(targets)) / rows, for logits (rows, C).
extern "C" __global__ void cross_entropy_backward(IN logits, const long long* targets, T* d_logits, int rows, int C) {
    EACH(i, rows) {
        const T* row = logits + i * C;
        T most = row[0], sum = T(0);
        for (int c = 1; c < C; ++c)
            if (most == most && !(row[c] <= most)) most = row[c];
        for (int c = 0; c < C; ++c) sum += exp(row[c] - most);
        for (int c = 0; c < C; ++c)
            d_logits[i * C + c] = (exp(row[c] - most) / sum - (c == targets[i] ? T(1) : T(0))) / T(rows);
    }
}
