// One row times a weight matrix, as fast as the matrix can be read.
//
// Every block has a contiguous share of the outputs, every warp a slice of the columns of some of
// their rows. While the kernel in front is still at work, the first of the weights are brought near.

// Set when this is compiled: `THREADS`, of a block that multiplies with quantised weights; `ROWS`, those that go
// through such a warp side by side, so that the input is read once for all of them; `AHEAD`, the units of a row
// that are on their way to a lane at once; `PAIR`, the rows side by side in a ring; `CHUNKS`, how many times 512
// bytes of a row a place in a ring has. The host knows them too, see plan.rs.

/// What becomes of a sum.
enum { STORE = 0, ADD = 1, GATE = 2 };

struct Product {
    const u8 *weights;
    /// One number per row, or null.
    const float *bias;
    const float *input;
    /// The weights of the norm that the input goes through, or null.
    const float *norm;
    /// For `GATE`, the rows are those of the gate and then as many of the up projection.
    float *output;
    u64 pitch;
    int rows, columns;
    int mode;
    float eps;
    /// Warps that share a row; rows that a block has at most; bytes of a block's weights to bring early.
    int split, most, early;
};

/// Plain numbers. The input lies in two planes: the first four of every eight, then the others.
struct Bf16 {
    static constexpr int COLUMNS = 8;

    static DEVICE void store(u8 *shared, int columns, int column, float4 x) {
        float4 *to = (float4 *)shared + (column & 4 ? columns / 8 : 0) + column / 8;
        *to = x;
    }

    static DEVICE float2 pair(u32 bits) {
        return make_float2(low_bf16(bits), high_bf16(bits));
    }

    static DEVICE float dot8(const uint4 &w, const float4 &a, const float4 &b) {
        const float2 p = pair(w.x), q = pair(w.y), s = pair(w.z), t = pair(w.w);
        return ((p.x * a.x + p.y * a.y) + (q.x * a.z + q.y * a.w)) + ((s.x * b.x + s.y * b.y) + (t.x * b.z + t.y * b.w));
    }

    static DEVICE float value(const u8 *row, int column) {
        return from_bf16(((const u16 *)row)[column]);
    }
};

/// The input of a product with quantised weights: whole numbers of 16 bits with a common scale for
/// every 32, their high and low bytes apart, so that products are exact. Then the scales, then the
/// sums of every 16.
struct Whole {
    static DEVICE const float *scales(const u8 *input, int columns) { return (const float *)(input + 2 * columns); }
    static DEVICE const float *sums(const u8 *input, int columns) { return scales(input, columns) + columns / 32; }

    /// Called by whole warps, for 128 neighbouring columns.
    static DEVICE void store(u8 *input, int columns, int column, int place, float4 x) {
        float most = fmaxf(fmaxf(fabsf(x.x), fabsf(x.y)), fmaxf(fabsf(x.z), fabsf(x.w)));
#pragma unroll
        for (int step = 4; step; step /= 2) most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, step));
        const float scale = most / 32512.f, inverse = most > 0 ? 32512.f / most : 0;
        const int q[4] = {__float2int_rn(x.x * inverse), __float2int_rn(x.y * inverse), __float2int_rn(x.z * inverse),
                          __float2int_rn(x.w * inverse)};
        u32 high = 0, low = 0;
        int sum = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int h = (q[i] + 128) >> 8;
            high |= (u32)(h & 255) << (8 * i);
            low |= (u32)((q[i] - 256 * h) & 255) << (8 * i);
            sum += q[i];
        }
        sum += __shfl_xor_sync(ALL_LANES, sum, 1);
        sum += __shfl_xor_sync(ALL_LANES, sum, 2);
        *(u32 *)(input + place) = high;
        *(u32 *)(input + columns + place) = low;
        float *scales = (float *)(input + 2 * columns);
        if (column % 32 == 0) scales[column / 32] = scale;
        if (column % 16 == 0) scales[columns / 32 + column / 16] = scale * (float)sum;
    }
};

DEVICE int dot4(u32 a, u32 b, int sum) { return __dp4a((int)a, (int)b, sum); }

DEVICE int dot16(const uint4 &w, const uint4 &x, int sum) {
    return dot4(w.x, x.x, dot4(w.y, x.y, dot4(w.z, x.z, dot4(w.w, x.w, sum))));
}

DEVICE uint4 nibbles(const uint4 &w, int shift) {
    const u32 m = 0x0f0f0f0fu;
    return make_uint4((w.x >> shift) & m, (w.y >> shift) & m, (w.z >> shift) & m, (w.w >> shift) & m);
}

/// 256 numbers of 4 bits, with a scale and a minimum of 6 bits for every 32. Eight lanes share a unit:
/// lane l has 16 low nibbles and the 16 high nibbles of the same bytes, and its input lies so too.
struct Q4K {
    static constexpr int COLUMNS = 256, BYTES = 144, LANES = 8;
    
    static DEVICE void store(u8 *input, int columns, int column, float4 x) {
        const int in = column % 256, lane = in / 64 * 2 + in % 32 / 16;
        Whole::store(input, columns, column, column - in + in % 64 / 32 * 128 + lane * 16 + in % 16, x);
    }

    struct Piece {
        uint4 head, w;
    };

    static DEVICE Piece load(const u8 *unit, int lane) {
        return {__ldg((const uint4 *)unit), stream(unit + 16 + lane * 16)};
    }

    static DEVICE void dot(float (&sums)[ROWS], const Piece (&rows)[ROWS], int unit, int lane, const u8 *input,
                           int columns) {
        const uint4 *high = (const uint4 *)(input + unit * 256) + lane;
        const uint4 *low = (const uint4 *)(input + columns + unit * 256) + lane;
        const uint4 h0 = high[0], h1 = high[8], l0 = low[0], l1 = low[8];
        const int pair = lane / 2;
        const float2 scale = ((const float2 *)Whole::scales(input, columns))[unit * 4 + pair];
        const float *total = Whole::sums(input, columns) + unit * 16 + pair * 4 + lane % 2;
        const float t0 = total[0], t1 = total[2];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const uint4 head = rows[r].head, w = rows[r].w;
            const uint4 a = nibbles(w, 0), b = nibbles(w, 4);
            const int d0 = 256 * dot16(a, h0, 0) + dot16(a, l0, 0);
            const int d1 = 256 * dot16(b, h1, 0) + dot16(b, l1, 0);
            const int shift = pair % 2 * 16;
            const u32 x = head.y >> shift, y = head.z >> shift, z = head.w >> shift;
            const u32 s = pair < 2 ? x & 0x3f3f : (z & 0x0f0f) | ((x >> 2) & 0x3030);
            const u32 m = pair < 2 ? y & 0x3f3f : ((z >> 4) & 0x0f0f) | ((y >> 2) & 0x3030);
            const float d = from_f16((u16)head.x), least = from_f16((u16)(head.x >> 16));
            sums[r] += d * ((float)(s & 255) * scale.x * (float)d0 + (float)(s >> 8 & 255) * scale.y * (float)d1) -
                       least * ((float)(m & 255) * t0 + (float)(m >> 8 & 255) * t1);
        }
    }

    static DEVICE float value(const u8 *row, int column) {
        const u8 *unit = row + column / 256 * BYTES;
        const int in = column % 256, j = in / 32;
        const u8 *packed = unit + 4;
        int s, m;
        if (j < 4) {
            s = packed[j] & 63, m = packed[j + 4] & 63;
        } else {
            s = (packed[j + 4] & 15) | (packed[j - 4] >> 6 << 4);
            m = packed[j + 4] >> 4 | (packed[j] >> 6 << 4);
        }
        const int q = unit[16 + in / 64 * 32 + in % 32] >> (in % 64 / 32 * 4) & 15;
        return from_f16(*(const u16 *)unit) * (float)(s * q) - from_f16(*(const u16 *)(unit + 2)) * (float)m;
    }
};

/// Four bytes at an even address.
DEVICE u32 two(const u8 *at) { return __ldg((const u16 *)at) | (u32)__ldg((const u16 *)at + 1) << 16; }

/// 256 numbers of 6 bits, with a scale of 8 bits for every 16. Eight lanes share a unit: lane l has four
/// runs of eight.
struct Q6K {
    static constexpr int COLUMNS = 256, BYTES = 210, LANES = 8;

    static DEVICE void store(u8 *input, int columns, int column, float4 x) {
        Whole::store(input, columns, column, column, x);
    }

    struct Piece {
        u32 low[2][2], high[2];
        u16 scales[4], d;
    };

    static DEVICE Piece load(const u8 *unit, int lane) {
        const int half = lane / 4, run = lane % 4;
        const u8 *low = unit + half * 64 + run * 8, *high = unit + 128 + half * 32 + run * 8;
        Piece p;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            p.low[0][i] = two(low + i * 4), p.low[1][i] = two(low + 32 + i * 4), p.high[i] = two(high + i * 4);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) p.scales[j] = __ldg((const u16 *)(unit + 192 + half * 8 + j * 2));
        p.d = __ldg((const u16 *)(unit + 208));
        return p;
    }

    static DEVICE void dot(float (&sums)[ROWS], const Piece (&rows)[ROWS], int unit, int lane, const u8 *input,
                           int columns) {
        const int half = lane / 4, run = lane % 4;
        const int first = unit * 256 + half * 128 + run * 8;
        float sum[ROWS] = {};
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const uint2 hi = *(const uint2 *)(input + first + j * 32);
            const uint2 lo = *(const uint2 *)(input + columns + first + j * 32);
            const float scale = Whole::scales(input, columns)[first / 32 + j];
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                u32 q[2];
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const u32 l = rows[r].low[j % 2][i] >> (j / 2 * 4) & 0x0f0f0f0fu;
                    const u32 h = rows[r].high[i] >> (j * 2) & 0x03030303u;
                    // Minus 32 in every byte.
                    q[i] = ((l | h << 4 | 0x80808080u) - 0x20202020u) ^ 0x80808080u;
                }
                const int dot = 256 * dot4(q[0], hi.x, dot4(q[1], hi.y, 0)) + dot4(q[0], lo.x, dot4(q[1], lo.y, 0));
                const int s = (signed char)(rows[r].scales[j] >> (run / 2 * 8));
                sum[r] += (float)s * scale * (float)dot;
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) sums[r] += from_f16(rows[r].d) * sum[r];
    }

    static DEVICE float value(const u8 *row, int column) {
        const u8 *unit = row + column / 256 * BYTES;
        const int in = column % 256, half = in / 128, j = in % 128 / 32, l = in % 32;
        const int low = unit[half * 64 + j % 2 * 32 + l] >> (j / 2 * 4) & 15;
        const int high = unit[128 + half * 32 + l] >> (j * 2) & 3;
        const int scale = ((const signed char *)unit)[192 + half * 8 + j * 2 + l / 16];
        return from_f16(*(const u16 *)(unit + 208)) * (float)(scale * ((low | high << 4) - 32));
    }
};

/// 32 numbers of 8 bits with a scale. Two lanes share a unit.
struct Q80 {
    static constexpr int COLUMNS = 32, BYTES = 34, LANES = 2;

    static DEVICE void store(u8 *input, int columns, int column, float4 x) {
        Whole::store(input, columns, column, column, x);
    }

    struct Piece {
        uint4 w;
        u16 d;
    };

    static DEVICE Piece load(const u8 *unit, int lane) {
        const u8 *q = unit + 2 + lane * 16;
        return {make_uint4(two(q), two(q + 4), two(q + 8), two(q + 12)), __ldg((const u16 *)unit)};
    }

    static DEVICE void dot(float (&sums)[ROWS], const Piece (&rows)[ROWS], int unit, int lane, const u8 *input,
                           int columns) {
        const uint4 high = ((const uint4 *)(input + unit * 32))[lane];
        const uint4 low = ((const uint4 *)(input + columns + unit * 32))[lane];
        const float scale = Whole::scales(input, columns)[unit];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const int dot = 256 * dot16(rows[r].w, high, 0) + dot16(rows[r].w, low, 0);
            sums[r] += from_f16(rows[r].d) * scale * (float)dot;
        }
    }

    static DEVICE float value(const u8 *row, int column) {
        const u8 *unit = row + column / 32 * BYTES;
        return from_f16(*(const u16 *)unit) * (float)((const signed char *)unit)[2 + column % 32];
    }
};

/// Waits for the input, reads it, through the norm if there is one, and lays it out in shared memory.
template <class W> DEVICE void read_input(const Product &p, u8 *input, float *scratch) {
    if (!p.norm) {
        wait_for_predecessor();
#pragma unroll 4
        for (int i = threadIdx.x * 4; i < p.columns; i += blockDim.x * 4)
            W::store(input, p.columns, i, *(const float4 *)(p.input + i));
        return;
    }
    // Of 256 threads, enough for 8192 columns.
    constexpr int MOST = 8192 / 4 / 256;
    float4 x[MOST], w[MOST];
    float squares = 0;
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * blockDim.x + threadIdx.x) * 4;
        if (i < p.columns) w[k] = *(const float4 *)(p.norm + i);
    }
    wait_for_predecessor();
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * blockDim.x + threadIdx.x) * 4;
        x[k] = i < p.columns ? *(const float4 *)(p.input + i) : make_float4(0, 0, 0, 0);
        squares += (x[k].x * x[k].x + x[k].y * x[k].y) + (x[k].z * x[k].z + x[k].w * x[k].w);
    }
    const float scale = rsqrtf(block_sum(squares, scratch) / (float)p.columns + p.eps);
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * blockDim.x + threadIdx.x) * 4;
        if (i >= p.columns) break;
        W::store(input, p.columns, i,
                 make_float4(x[k].x * scale * w[k].x, x[k].y * scale * w[k].y, x[k].z * scale * w[k].z,
                             x[k].w * scale * w[k].w));
    }
}

/// Adds the parts of the block's sums up, and does with them what shall be done.
DEVICE void finish(const Product &p, const float *partial, float added, int outputs, int first, int last) {
    const bool gated = p.mode == GATE;
    __syncthreads();

    for (int i = threadIdx.x; i < last - first; i += blockDim.x) {
        const float *parts = partial + (gated ? 2 * i : i) * p.split;
        if (i >= blockDim.x) {
            added = p.bias ? p.bias[first + i] : 0.f;
            if (p.mode == ADD) added += p.output[first + i];
        }
        float sum = added;
        for (int s = 0; s < p.split; s++) sum += parts[s];
        if (gated) {
            float up = p.bias ? p.bias[outputs + first + i] : 0.f;
            for (int s = 0; s < p.split; s++) up += parts[p.split + s];
            sum = sum / (1.f + __expf(-sum)) * up;
        }
        p.output[first + i] = sum;
    }
}

template <class W> DEVICE void product(const Product &p) {
    extern __shared__ __align__(16) u8 input[];
    __shared__ float scratch[32];
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const bool gated = p.mode == GATE;
    const int outputs = gated ? p.rows / 2 : p.rows;
    const int first = (int)((u64)outputs * blockIdx.x / gridDim.x);
    const int last = (int)((u64)outputs * (blockIdx.x + 1) / gridDim.x);
    const int count = (last - first) * (gated ? 2 : 1);
    if (threadIdx.x < (gated ? 2 : 1)) {
        const u64 begin = ((u64)p.weights + (u64)(threadIdx.x * outputs + first) * p.pitch) & ~15ull;
        const u64 share = (u64)(last - first) * p.pitch, early = p.early / (gated ? 2 : 1);
        bring((const void *)begin, (u32)((share < early ? share : early) & ~15ull));
    }
    start_successor();
    read_input<W>(p, input, scratch);
    // What the first sums are added to.
    const int mine = first + (int)threadIdx.x;
    const bool has_one = mine < last;
    float added = has_one && p.bias ? p.bias[mine] : 0.f;
    if (has_one && p.mode == ADD) added += p.output[mine];
    __syncthreads();

    float *partial = (float *)(input + 2 * p.columns + p.columns / 32 * 12);
    const int part = warp % p.split, units = p.columns / W::COLUMNS;
    const int from = units * part / p.split, to = units * (part + 1) / p.split;
    const int place = lane / W::LANES, in = lane % W::LANES;
    constexpr int STEP = 32 / W::LANES;
    for (int group = warp / p.split * ROWS; group < count; group += warps / p.split * ROWS) {
        const u8 *rows[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            // Past the end, the last row once more.
            const int row = min(group + r, count - 1), line = gated ? row % 2 * outputs + first + row / 2 : first + row;
            rows[r] = p.weights + (u64)line * p.pitch;
        }
        float sums[ROWS] = {};
        for (int unit = from + place; unit < to; unit += STEP * AHEAD) {
            typename W::Piece pieces[AHEAD][ROWS];
#pragma unroll
            for (int a = 0; a < AHEAD; a++) {
                const int at = unit + a * STEP;
                if (at < to)
#pragma unroll
                    for (int r = 0; r < ROWS; r++) pieces[a][r] = W::load(rows[r] + at * W::BYTES, in);
            }
#pragma unroll
            for (int a = 0; a < AHEAD; a++)
                if (unit + a * STEP < to) W::dot(sums, pieces[a], unit + a * STEP, in, input, p.columns);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const float sum = warp_sum(sums[r]);
            if (lane == 0 && group + r < count) partial[(group + r) * p.split + part] = sum;
        }
    }
    finish(p, partial, added, outputs, first, last);
}

/// The same for plain numbers, whose way through a ring of its own in shared memory every warp keeps full.
/// A lane waits for what it copied itself, so that no warp waits for another before the end.
template <class W, int SLOTS> DEVICE void ring_product(const Product &p) {
    extern __shared__ __align__(16) u8 shared[];
    __shared__ float scratch[32];
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const bool gated = p.mode == GATE;
    const int outputs = gated ? p.rows / 2 : p.rows;
    const int first = (int)((u64)outputs * blockIdx.x / gridDim.x);
    const int last = (int)((u64)outputs * (blockIdx.x + 1) / gridDim.x);
    const int count = (last - first) * (gated ? 2 : 1);
    constexpr int ROW = CHUNKS * 512, SLOT = PAIR * ROW;
    const u8 *ring = shared + warp * SLOTS * SLOT + lane * 16;
    u8 *input = shared + warps * SLOTS * SLOT;
    float *partial = (float *)(input + 4 * p.columns);
    const int part = warp % p.split, units = p.columns / W::COLUMNS;
    const int from = units * part / p.split + lane, to = units * (part + 1) / p.split;
    const int step = warps / p.split * PAIR, begin = warp / p.split * PAIR;

    // Where the copies are.
    int group = begin, unit = from;
    const u8 *rows[PAIR];
    const auto aim = [&]() {
#pragma unroll
        for (int r = 0; r < PAIR; r++) {
            const int row = min(group + r, count - 1), line = gated ? row % 2 * outputs + first + row / 2 : first + row;
            rows[r] = p.weights + (u64)line * p.pitch + (u64)from * 16;
        }
    };
    const auto fetch = [&](u32 slot) {
        if (group < count) {
#pragma unroll
            for (int r = 0; r < PAIR; r++) {
#pragma unroll
                for (int j = 0; j < CHUNKS; j++)
                    if (unit + 32 * j < to) copy_aside(slot + r * ROW + j * 512, rows[r] + j * 512);
                rows[r] += ROW;
            }
            unit += 32 * CHUNKS;
            if (unit - lane >= to) {
                unit = from, group += step;
                if (group < count) aim();
            }
        }
        end_copies();
    };
    if (group < count) aim();
    const u32 near = (u32)__cvta_generic_to_shared(ring);
#pragma unroll
    for (int slot = 0; slot < SLOTS; slot++) fetch(near + slot * SLOT);
    start_successor();
    read_input<W>(p, input, scratch);
    // What the first sums are added to.
    const int mine = first + (int)threadIdx.x;
    const bool has_one = mine < last;
    float added = has_one && p.bias ? p.bias[mine] : 0.f;
    if (has_one && p.mode == ADD) added += p.output[mine];
    __syncthreads();

    int slot = 0;
    const float4 *low = (const float4 *)input, *high = low + p.columns / 8;
    for (int row = begin; row < count; row += step) {
        float sums[PAIR] = {};
        for (int at = from; at - lane < to; at += 32 * CHUNKS) {
            wait_copies<SLOTS - 1>();
            const u8 *bytes = ring + slot * SLOT;
#pragma unroll
            for (int j = 0; j < CHUNKS; j++) {
                const int u = at + 32 * j;
                const bool is_in = u < to;
                const float4 zero = make_float4(0, 0, 0, 0), a = is_in ? low[u] : zero, b = is_in ? high[u] : zero;
#pragma unroll
                for (int r = 0; r < PAIR; r++) {
                    const uint4 w = is_in ? *(const uint4 *)(bytes + r * ROW + j * 512) : make_uint4(0, 0, 0, 0);
                    sums[r] += W::dot8(w, a, b);
                }
            }
            fetch(near + slot * SLOT);
            if (++slot == SLOTS) slot = 0;
        }
#pragma unroll
        for (int r = 0; r < PAIR; r++) {
            const float sum = warp_sum(sums[r]);
            if (lane == 0 && row + r < count) partial[(row + r) * p.split + part] = sum;
        }
    }
    finish(p, partial, added, outputs, first, last);
}

struct Embed {
    const u8 *rows;
    const u32 *token;
    float *output;
    u64 pitch;
    int columns;
};

struct Aim {
    /// The token and its position.
    u32 *inputs;
    u32 token, position;
};

/// Says which token the step is for.
extern "C" __global__ void __launch_bounds__(32) aim(const __grid_constant__ Aim a) {
    start_successor();
    wait_for_predecessor();
    if (threadIdx.x == 0) a.inputs[0] = a.token, a.inputs[1] = a.position;
}

template <class W> DEVICE void embed(const Embed &e) {
    start_successor();
    wait_for_predecessor();
    const u8 *row = e.rows + *e.token * e.pitch;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < e.columns; i += gridDim.x * blockDim.x)
        e.output[i] = W::value(row, i);
}

#define EMBED(name, W)                                                                                            \
    extern "C" __global__ void __launch_bounds__(256) embed_##name(const __grid_constant__ Embed e) { embed<W>(e); }
#define PRODUCT(name, W)                                                                                          \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) product_##name(const __grid_constant__ Product p) {  \
        product<W>(p);                                                                                            \
    }
#define RING(slots)                                                                                               \
    extern "C" __global__ void __launch_bounds__(512, 1) ring##slots##_bf16(const __grid_constant__ Product p) {  \
        ring_product<Bf16, slots>(p);                                                                             \
    }

#ifdef WITH_BF16
EMBED(bf16, Bf16)
RING(2)
RING(3)
#endif
#ifdef WITH_Q4K
EMBED(q4k, Q4K)
PRODUCT(q4k, Q4K)
#endif
#ifdef WITH_Q6K
EMBED(q6k, Q6K)
PRODUCT(q6k, Q6K)
#endif
#ifdef WITH_Q80
EMBED(q80, Q80)
PRODUCT(q80, Q80)
#endif
