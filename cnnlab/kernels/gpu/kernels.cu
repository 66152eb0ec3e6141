// The kernels of cnnlab.kernels.gpu, in CUDA C. T is float or double; cnnlab.kernels.gpu.device defines it in a line
// before this text and compiles it by NVRTC.
//
// All of them are loops over counts that threads share, so any grid and block compute the same. Each thread writes
// numbers that no other writes, in one order of addition: no atomics, and the same bits at every run. Arrays lie
// contiguously, (N, C, D, H, W), where layers of one or two dimensions have sizes of 1 in front; counts are below 2^30.
// Nothing here uses shared memory, so tests can compile the same text for a CPU.

#define IN const T* __restrict__

#define EACH(i, count) \
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += blockDim.x * gridDim.x)

// Sizes, as one argument: input map, kernel, stride, dilation, zeros before the map, and output map.
struct Window {
    int D, H, W, KD, KH, KW, SD, SH, SW, DD, DH, DW, PD, PH, PW, OD, OH, OW;
};

// The same as names of their own, for the loops below.
#define UNPACK(s)                                                                                                   \
    const int D = s.D, H = s.H, W = s.W, KD = s.KD, KH = s.KH, KW = s.KW, SD = s.SD, SH = s.SH, SW = s.SW,          \
              DD = s.DD, DH = s.DH, DW = s.DW, PD = s.PD, PH = s.PH, PW = s.PW, OD = s.OD, OH = s.OH, OW = s.OW;    \
    const int taps = KD * KH * KW, places = OD * OH * OW;                                                           \
    (void)D, (void)H, (void)W, (void)SD, (void)SH, (void)SW, (void)DD, (void)DH, (void)DW, (void)PD, (void)PH,      \
        (void)PW, (void)taps, (void)places

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
                                  int picture, const Window s) {
    UNPACK(s);
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
                                  int add, const Window s) {
    UNPACK(s);
    EACH(i, count) {
        const int w_ = i % W, h = i / W % H, d = i / W / H % D, c = i / W / H / D % C, m = i / W / H / D / C;
        const T* column = columns + c * taps * row + m * picture - first;
        T sum = add ? dx[i] : T(0);
        EACH_SEER(seer) if (seer >= first && seer < first + L) sum += column[TAP * row + seer];
        dx[i] = sum;
    }
}

// Products (M, n, L) of pictures side by side, put in place in y (n, M, places) from the place `first` on; plus a bias,
// and cut off at zero with `relu`, where NaN stays. count is n * M * L.
extern "C" __global__ void put_in_place(IN products, IN bias, T* y, int count, int n, int M, int L, int places,
                                        int first, int biased, int relu) {
    EACH(i, count) {
        const int l = i % L, f = i / L % M, m = i / L / M;
        T value = products[(f * n + m) * L + l];
        if (biased) value += bias[f];
        y[(m * M + f) * places + first + l] = relu && value <= 0 ? T(0) : value;
    }
}

// The reverse: pictures dy (n, M, places) side by side, (M, n, L). count is n * M * L.
extern "C" __global__ void side_by_side(IN dy, T* some, int count, int n, int M, int L, int places, int first) {
    EACH(i, count) {
        const int l = i % L, m = i / L % n, f = i / L / n;
        some[i] = dy[(m * M + f) * places + first + l];
    }
}

// y (n, M, OD, OH, OW) by its definition, for filters w (M, C / G, taps) and, if there are any, biases (M,).
extern "C" __global__ void direct_forward(IN x, IN w, IN bias, T* y, int count, int C, int M, int G,
                                          int biased, const Window s) {
    UNPACK(s);
    const int channels = C / G, filters = M / G;
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
extern "C" __global__ void direct_grad_input(IN dy, IN w, T* dx, int count, int C, int M, int G, const Window s) {
    UNPACK(s);
    const int channels = C / G, filters = M / G;
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
                                              int S, const Window s) {
    UNPACK(s);
    const int channels = C / G, filters = M / G;
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

// Pooling.

// Between which places zeros of the padding and the map count in an average, from the first to before the stop.
struct Counted {
    int D0, H0, W0, D1, H1, W1;
};

// Threads side by side share the places of a map, those above each other the maps: what follows from a place is computed
// once for all maps that a thread comes to. Counts of numbers in all maps may be beyond 32 bits.
#define EACH_PLACE(p, count) \
    for (unsigned p = blockIdx.x * blockDim.x + threadIdx.x; p < unsigned(count); p += blockDim.x * gridDim.x)
#define EACH_MAP(m, maps) \
    for (int m = blockIdx.y * blockDim.y + threadIdx.y; m < (maps); m += blockDim.y * gridDim.y)

struct Range {
    int first, stop;
};

struct Place {
    int d, h, w;
};

// Dividing is slow, and mostly there is no depth.
static __device__ inline Place place_of(unsigned p, unsigned depth, unsigned height, unsigned width) {
    const unsigned row = p / width, d = depth > 1 ? row / height : 0;
    return {int(d), int(row - d * height), int(p - row * width)};
}

// The taps of a window from `start` on that lie in a map of `size` places.
static __device__ inline Range taps_inside(int start, int taps, int dilation, int size) {
    const int first = start < 0 ? (dilation - 1 - start) / dilation : 0;
    if (start + (taps - 1) * dilation < size) return {first, taps};
    return {first, start < size ? (size - 1 - start) / dilation + 1 : 0};
}

// The windows whose first and last taps lie on both sides of a place, which is counted from the first zero on. With a
// dilation some may step over it.
static __device__ inline Range windows_over(int place, int taps, int stride, int dilation, int windows) {
    const int least = place - (taps - 1) * dilation, stop = place / stride + 1;
    return {least > 0 ? (least + stride - 1) / stride : 0, stop < windows ? stop : windows};
}

// What a window sees of a map: its taps that lie there, and where its first tap would lie.
struct View {
    Range d, h, w;
    int start;
};

static __device__ inline View view_of(Place o, const Window& s) {
    const int d = o.d * s.SD - s.PD, h = o.h * s.SH - s.PH, w = o.w * s.SW - s.PW;
    return {taps_inside(d, s.KD, s.DD, s.D), taps_inside(h, s.KH, s.DH, s.H), taps_inside(w, s.KW, s.DW, s.W),
            (d * s.H + h) * s.W + w};
}

// Call work(number of the tap, place) for all that a window sees, in row-major order. Where K is not 0, all windows are
// squares of K * K, and the compiler writes the loops out.
template <int K, class Work>
static __device__ inline void each_tap(const View& v, const Window& s, Work work) {
    if constexpr (K > 0) {
        for (int kh = 0; kh < K; ++kh)
            for (int kw = 0; kw < K; ++kw)
                if (kh >= v.h.first && kh < v.h.stop && kw >= v.w.first && kw < v.w.stop)
                    work(kh * K + kw, v.start + kh * s.DH * s.W + kw * s.DW);
    } else {
        for (int kd = v.d.first; kd < v.d.stop; ++kd)
            for (int kh = v.h.first; kh < v.h.stop; ++kh)
                for (int kw = v.w.first; kw < v.w.stop; ++kw)
                    work(0, v.start + (kd * s.DD * s.H + kh * s.DH) * s.W + kw * s.DW);
    }
}

// Call work(place, number there) likewise. The numbers of a square are all asked for before the first is looked at.
template <int K, class Work>
static __device__ inline void each_seen(IN map, const View& v, const Window& s, Work work) {
    if constexpr (K > 0) {
        T numbers[K * K];
        each_tap<K>(v, s, [&](int tap, int place) { numbers[tap] = map[place]; });
        each_tap<K>(v, s, [&](int tap, int place) { work(place, numbers[tap]); });
    } else {
        each_tap<K>(v, s, [&](int, int place) { work(place, map[place]); });
    }
}

// Squares of 2 and 3 are the windows of most nets.
#define BY_SIZE(function, ...)                                                     \
    if (s.KD == 1 && s.KH == 2 && s.KW == 2) function<2>(__VA_ARGS__);             \
    else if (s.KD == 1 && s.KH == 3 && s.KW == 3) function<3>(__VA_ARGS__);        \
    else function<0>(__VA_ARGS__);

// Whether a number is larger than the largest so far; NaN is the largest.
static __device__ inline bool exceeds(T number, T most) { return most == most && !(number <= most); }

// The place of the largest number that a window sees, the first of equal ones; -1 if it sees nothing.
template <int K>
static __device__ inline int winner_of(IN map, const View& v, const Window& s) {
    int best = -1;
    T most = T(0);
    each_seen<K>(map, v, s, [&](int place, T number) {
        if (best < 0 || exceeds(number, most)) {
            best = place;
            most = number;
        }
    });
    return best;
}

template <int K>
static __device__ inline void winners(IN x, int* winner, int maps, const Window& s) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    EACH_PLACE(p, outputs) {
        const View v = view_of(place_of(p, s.OD, s.OH, s.OW), s);
        EACH_MAP(m, maps) winner[size_t(m) * outputs + p] = winner_of<K>(x + size_t(m) * inputs, v, s);
    }
}

// The winners of all windows of x (maps, D, H, W).
extern "C" __global__ void max_pool_winner(IN x, int* winner, int maps, const Window s) {
    BY_SIZE(winners, x, winner, maps, s)
}

template <int K>
static __device__ inline void largest(IN x, T* y, int maps, const Window& s) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    EACH_PLACE(p, outputs) {
        const View v = view_of(place_of(p, s.OD, s.OH, s.OW), s);
        EACH_MAP(m, maps) {
            T most = -T(1) / T(0);
            each_seen<K>(x + size_t(m) * inputs, v, s, [&](int, T number) {
                if (exceeds(number, most)) most = number;
            });
            y[size_t(m) * outputs + p] = most;
        }
    }
}

// The largest number of each window, minus infinity where it sees nothing.
extern "C" __global__ void max_pool_forward(IN x, T* y, int maps, const Window s) {
    BY_SIZE(largest, x, y, maps, s)
}

// dx (maps, D, H, W): each place gathers the gradients of the windows that it won, in the order of its taps.
extern "C" __global__ void max_pool_backward(IN dy, const int* winner, T* dx, int maps, const Window s) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    EACH_PLACE(p, inputs) {
        const Place i = place_of(p, s.D, s.H, s.W);
        const Range d = windows_over(i.d + s.PD, s.KD, s.SD, s.DD, s.OD);
        const Range h = windows_over(i.h + s.PH, s.KH, s.SH, s.DH, s.OH);
        const Range w = windows_over(i.w + s.PW, s.KW, s.SW, s.DW, s.OW);
        EACH_MAP(m, maps) {
            const int* won = winner + size_t(m) * outputs;
            const T* upstream = dy + size_t(m) * outputs;
            T sum = T(0);
            for (int od = d.stop - 1; od >= d.first; --od)
                for (int oh = h.stop - 1; oh >= h.first; --oh)
                    for (int ow = w.stop - 1; ow >= w.first; --ow) {
                        const int o = (od * s.OH + oh) * s.OW + ow;
                        const T gradient = upstream[o];  // asked for before it is known whether it is needed
                        if (won[o] == int(p)) sum += gradient;
                    }
            dx[size_t(m) * inputs + p] = sum;
        }
    }
}

// A map is cut into tiles of the size of a window, from its first place on: the last ones may be smaller.
static __device__ inline int tiles(int size, int kernel) { return (size + kernel - 1) / kernel; }

template <int K>
static __device__ inline void to_winners(IN dy, IN x, T* dx, int maps, const Window& s) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    const int depth = tiles(s.D, s.KD), height = tiles(s.H, s.KH), width = tiles(s.W, s.KW);
    EACH_PLACE(p, depth * height * width) {
        const Place tile = place_of(p, depth, height, width);
        const View v = view_of(tile, s);
        const bool is_window = tile.d < s.OD && tile.h < s.OH && tile.w < s.OW;
        const int o = (tile.d * s.OH + tile.h) * s.OW + tile.w;
        EACH_MAP(m, maps) {
            const T gradient = is_window ? T(0) + dy[size_t(m) * outputs + o] : T(0);
            const int best = is_window ? winner_of<K>(x + size_t(m) * inputs, v, s) : -1;
            T* target = dx + size_t(m) * inputs;
            each_tap<K>(v, s, [&](int, int place) { target[place] = place == best ? gradient : T(0); });
        }
    }
}

// The same where windows lie side by side from the first place on: each writes the gradients of its places, and what
// lies behind the last window gets 0.
extern "C" __global__ void max_pool_backward_tiled(IN dy, IN x, T* dx, int maps, const Window s) {
    BY_SIZE(to_winners, dy, x, dx, maps, s)
}

// How many taps of a window from `start` on count, of dilation 1. Padding is at most half a window, so some do.
static __device__ inline int taps_between(int start, int taps, int first, int stop) {
    const int before = first > start ? first - start : 0, until = stop - start;
    return (until < taps ? until : taps) - before;
}

static __device__ inline T count_of(int od, int oh, int ow, const Window& s, const Counted& c) {
    return T(taps_between(od * s.SD - s.PD, s.KD, c.D0, c.D1) * taps_between(oh * s.SH - s.PH, s.KH, c.H0, c.H1) *
             taps_between(ow * s.SW - s.PW, s.KW, c.W0, c.W1));
}

template <int K>
static __device__ inline void means(IN x, T* y, int maps, const Window& s, const Counted& c) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    EACH_PLACE(p, outputs) {
        const Place o = place_of(p, s.OD, s.OH, s.OW);
        const View v = view_of(o, s);
        const T count = count_of(o.d, o.h, o.w, s, c);
        EACH_MAP(m, maps) {
            T sum = T(0);
            each_seen<K>(x + size_t(m) * inputs, v, s, [&](int, T number) { sum += number; });
            y[size_t(m) * outputs + p] = sum / count;
        }
    }
}

// The sum of each window divided by how many of its taps count; dilation 1.
extern "C" __global__ void avg_pool_forward(IN x, T* y, int maps, const Window s, const Counted c) {
    BY_SIZE(means, x, y, maps, s, c)
}

// dx (maps, D, H, W): each place gathers its share of the gradients of all windows that see it; dilation 1.
extern "C" __global__ void avg_pool_backward(IN dy, T* dx, int maps, const Window s, const Counted c) {
    const int inputs = s.D * s.H * s.W, outputs = s.OD * s.OH * s.OW;
    EACH_PLACE(p, inputs) {
        const Place i = place_of(p, s.D, s.H, s.W);
        const Range d = windows_over(i.d + s.PD, s.KD, s.SD, 1, s.OD);
        const Range h = windows_over(i.h + s.PH, s.KH, s.SH, 1, s.OH);
        const Range w = windows_over(i.w + s.PW, s.KW, s.SW, 1, s.OW);
        EACH_MAP(m, maps) {
            const T* upstream = dy + size_t(m) * outputs;
            T sum = T(0);
            for (int od = d.stop - 1; od >= d.first; --od)
                for (int oh = h.stop - 1; oh >= h.first; --oh)
                    for (int ow = w.stop - 1; ow >= w.first; --ow)
                        sum += upstream[(od * s.OH + oh) * s.OW + ow] / count_of(od, oh, ow, s, c);
            dx[size_t(m) * inputs + p] = sum;
        }
    }
}

// Numbers that are read and written at once, where arrays begin at a multiple of 16 bytes; views need not.
struct alignas(16) Four {
    T v[4];
};

static __device__ inline bool is_aligned(const void* a) { return size_t(a) % 16 == 0; }

// y = work(a, b), number by number.
template <class Work>
static __device__ inline void each_number(IN a, IN b, T* y, int count, Work work) {
    const int fours = is_aligned(a) && is_aligned(b) && is_aligned(y) ? count / 4 : 0, rest = count - 4 * fours;
    EACH(i, fours) {
        const Four p = ((const Four*)a)[i], q = ((const Four*)b)[i];
        Four r;
        for (int k = 0; k < 4; ++k) r.v[k] = work(p.v[k], q.v[k]);
        ((Four*)y)[i] = r;
    }
    EACH(i, rest) y[4 * fours + i] = work(a[4 * fours + i], b[4 * fours + i]);
}

// max(x, 0); NaN stays NaN.
static __device__ inline T cut_off(T x) { return x <= 0 ? T(0) : x; }

extern "C" __global__ void relu_forward(IN x, T* y, int count) {
    each_number(x, x, y, count, [](T number, T) { return cut_off(number); });
}

// dy where not x <= 0, else 0: also where x is NaN.
extern "C" __global__ void relu_backward(IN dy, IN x, T* dx, int count) {
    each_number(dy, x, dx, count, [](T gradient, T number) { return number <= 0 ? T(0) : gradient; });
}

extern "C" __global__ void tanh_forward(IN x, T* y, int count) {
    each_number(x, x, y, count, [](T number, T) { return T(tanh(number)); });
}

// dy * (1 - y * y) for y = tanh(x).
extern "C" __global__ void tanh_backward(IN dy, IN y, T* dx, int count) {
    each_number(dy, y, dx, count, [](T gradient, T number) { return gradient * (T(1) - number * number); });
}

// y (n, M, places) += bias (M,) if there is one, in place; with `relu`, cut off at 0.
extern "C" __global__ void add_bias(T* y, IN bias, int count, int M, int places, int biased, int relu) {
    const int fours = is_aligned(y) && places % 4 == 0 ? count / 4 : 0;
    EACH(i, fours) {
        const T more = biased ? bias[unsigned(4 * i) / unsigned(places) % unsigned(M)] : T(0);
        Four r = ((Four*)y)[i];
        for (int k = 0; k < 4; ++k) r.v[k] = relu ? cut_off(r.v[k] + more) : r.v[k] + more;
        ((Four*)y)[i] = r;
    }
    if (fours == 0) {
        EACH(i, count) {
            const T more = biased ? bias[unsigned(i) / unsigned(places) % unsigned(M)] : T(0);
            y[i] = relu ? cut_off(y[i] + more) : y[i] + more;
        }
    }
}

// A step of SGD with momentum: velocity' = momentum * velocity + g, w' = w - lr * velocity'.
static __device__ inline void momentum_rule(T w, T g, T velocity, T& new_w, T& new_velocity, T lr, T momentum) {
    const T v = momentum * velocity + g;
    new_velocity = v;
    new_w = w - lr * v;
}

extern "C" __global__ void momentum_step(IN w, IN g, IN velocity, T* new_w, T* new_velocity, int count, T lr,
                                         T momentum) {
    EACH(i, count) momentum_rule(w[i], g[i], velocity[i], new_w[i], new_velocity[i], lr, momentum);
}

// A step of Adam: running means of g and of its square, and w' = w - lr * mean' / (sqrt(square') / root + eps). What is
// left of 1 by the betas comes from outside: 1 - 0.999 in float32 would be wrong in the fifth digit.
#define ADAM T lr, T beta1, T rest1, T beta2, T rest2, T root, T eps
static __device__ inline void adam_rule(T w, T g, T mean, T square, T& new_w, T& new_mean, T& new_square, ADAM) {
    const T m = beta1 * mean + rest1 * g, v = beta2 * square + rest2 * g * g;
    new_mean = m;
    new_square = v;
    new_w = w - lr * m / (sqrt(v) / root + eps);
}

extern "C" __global__ void adam_step(IN w, IN g, IN mean, IN square, T* new_w, T* new_mean, T* new_square, int count,
                                     T lr, T beta1, T rest1, T beta2, T rest2, T root, T eps) {
    EACH(i, count)
    adam_rule(w[i], g[i], mean[i], square[i], new_w[i], new_mean[i], new_square[i], lr, beta1, rest1, beta2, rest2, root,
              eps);
}

// The same for many arrays in place. They are counted through: number i lies in the last array whose offset is not
// beyond i. Addresses are those of all weights, then of all gradients, and of all memories.
static __device__ inline int array_of(int i, const long long* offsets, int arrays) {
    int first = 0, stop = arrays;
    while (stop - first > 1) {
        const int middle = (first + stop) / 2;
        if (offsets[middle] <= i) first = middle;
        else stop = middle;
    }
    return first;
}

extern "C" __global__ void momentum_in_place(const long long* addresses, const long long* offsets, int arrays, int count,
                                             T lr, T momentum) {
    EACH(i, count) {
        const int a = array_of(i, offsets, arrays), k = i - int(offsets[a]);
        T* w = (T*)addresses[a];
        const T* g = (const T*)addresses[arrays + a];
        T* velocity = (T*)addresses[2 * arrays + a];
        momentum_rule(w[k], g[k], velocity[k], w[k], velocity[k], lr, momentum);
    }
}

extern "C" __global__ void adam_in_place(const long long* addresses, const long long* offsets, int arrays, int count,
                                         T lr, T beta1, T rest1, T beta2, T rest2, T root, T eps) {
    EACH(i, count) {
        const int a = array_of(i, offsets, arrays), k = i - int(offsets[a]);
        T* w = (T*)addresses[a];
        const T* g = (const T*)addresses[arrays + a];
        T* mean = (T*)addresses[2 * arrays + a];
        T* square = (T*)addresses[3 * arrays + a];
        adam_rule(w[k], g[k], mean[k], square[k], w[k], mean[k], square[k], lr, beta1, rest1, beta2, rest2, root, eps);
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
