// Eight rows times a weight matrix, which is read once for all of them.
//
// The tensor cores multiply 16 rows of weights with the eight of the input. Every lane of a warp has its part of both,
// and as a sum does not ask for the order of its terms, a lane's columns lie side by side. A kernel of its own lays the
// input out so. A batch always has eight rows: those that nobody needs are computed for nothing.
//
// Every block has a contiguous share of the outputs. What there is to read of it, 32 rows after another, is one walk,
// of which every warp goes an equal part. A warp that comes to the end of its part or of 32 rows leaves its sums.

/// Rows of weights that a warp has at once, as two operands.
static constexpr int TALL = 32;
/// Numbers from the sums for one row of the input to those for the next, with a gap that keeps lanes out of each
/// other's way; and all numbers that are left at once. The host knows them too, see plan.rs.
static constexpr int PITCH = TALL + 4, LEFT = BATCH * PITCH;

/// The first operand: for either 8 rows of 16, a lane's numbers.
struct Pair {
    u32 low, high;
};

/// Adds the product of 16 x 16 weights with 16 x 8 inputs.
DEVICE void multiply(float (&sums)[4], Pair first, Pair second, u32 x, u32 y) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(first.low), "r"(first.high), "r"(second.low), "r"(second.high), "r"(x), "r"(y));
}

/// The product of 16 x 32 weights of 8 bits with 32 x 8 inputs. `UNSIGNED`: the weights have no sign.
template <bool UNSIGNED> DEVICE void multiply(int (&sums)[4], Pair first, Pair second, u32 x, u32 y) {
    if (UNSIGNED) {
        asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %10, %10, %10};"
            : "=r"(sums[0]), "=r"(sums[1]), "=r"(sums[2]), "=r"(sums[3])
            : "r"(first.low), "r"(first.high), "r"(second.low), "r"(second.high), "r"(x), "r"(y), "r"(0));
    } else {
        asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %10, %10, %10};"
            : "=r"(sums[0]), "=r"(sums[1]), "=r"(sums[2]), "=r"(sums[3])
            : "r"(first.low), "r"(first.high), "r"(second.low), "r"(second.high), "r"(x), "r"(y), "r"(0));
    }
}

/// The same of 16 x 16 weights.
DEVICE void multiply(int (&sums)[4], Pair only, u32 x) {
    asm("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %7, %7, %7};"
        : "=r"(sums[0]), "=r"(sums[1]), "=r"(sums[2]), "=r"(sums[3])
        : "r"(only.low), "r"(only.high), "r"(x), "r"(0));
}

/// Plain numbers: the input is the sum of two that are as short as the weights.
struct BatchBf16 {
    /// Of what a warp reads at once.
    static constexpr int COLUMNS = 128;

    static DEVICE void lay(u8 *output, int column, int token, float4 x) {
        u8 *to = output + column / 32 * 1024 + (token * 4 + column % 32 / 8) * 16 + column % 8 * 2;
        const float numbers[4] = {x.x, x.y, x.z, x.w};
        u32 high[4], low[4];
#pragma unroll
        for (int i = 0; i < 4; i++) high[i] = to_bf16(numbers[i]), low[i] = to_bf16(numbers[i] - from_bf16(high[i]));
        *(uint2 *)to = make_uint2(high[0] | high[1] << 16, high[2] | high[3] << 16);
        *(uint2 *)(to + 512) = make_uint2(low[0] | low[1] << 16, low[2] | low[3] << 16);
    }

    struct Piece {
        uint4 w[4];
    };

    static DEVICE Piece load(const u8 *row, int unit, int quarter) {
        const u8 *at = row + unit * 256 + quarter * 16;
        return {stream(at), stream(at + 64), stream(at + 128), stream(at + 192)};
    }

    static DEVICE void dot(float (&sums)[2][4], const Piece (&rows)[4], const u8 *input, int unit) {
        const uint4 *x = (const uint4 *)(input + unit * 4096) + threadIdx.x % 32;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const uint4 parts[2] = {x[k * 64], x[k * 64 + 32]};
#pragma unroll
            for (int m = 0; m < 2; m++) {
                const uint4 a = rows[2 * m].w[k], b = rows[2 * m + 1].w[k];
#pragma unroll
                for (int part = 0; part < 2; part++) {
                    multiply(sums[m], {a.x, b.x}, {a.y, b.y}, parts[part].x, parts[part].y);
                    multiply(sums[m], {a.z, b.z}, {a.w, b.w}, parts[part].z, parts[part].w);
                }
            }
        }
    }
};

/// The input of a product with quantised weights. Every 32 columns have for every lane the high and the low bytes of
/// eight numbers, and then for every row the scale and the sum.
struct BatchWhole {
    static constexpr int BYTES = 576;

    /// `quarter`: which of four lanes gets these four numbers, `word`: as the first or the second of its.
    static DEVICE void lay(u8 *output, int column, int token, int quarter, int word, float4 x) {
        Whole w(x);
#pragma unroll
        for (int step = 4; step; step /= 2) w.sum += __shfl_xor_sync(ALL_LANES, w.sum, step);
        u8 *group = output + column / 32 * BYTES;
        u32 *to = (u32 *)(group + (token * 4 + quarter) * 16) + word;
        to[0] = w.high, to[2] = w.low;
        if (column % 32 == 0) ((float2 *)(group + 512))[token] = make_float2(w.scale, w.scale * (float)w.sum);
    }

    /// For a lane: high bytes, low bytes.
    static DEVICE uint4 numbers(const u8 *input, int group) {
        return ((const uint4 *)(input + group * BYTES))[threadIdx.x % 32];
    }

    /// Scale and sum of the two rows that a lane has sums of.
    static DEVICE float4 scales(const u8 *input, int group) {
        return ((const float4 *)(input + group * BYTES + 512))[threadIdx.x % 4];
    }

    static DEVICE float whole(int high, int low) { return (float)(256 * high + low); }
};

struct BatchQ4K {
    static constexpr int COLUMNS = 256;

    static DEVICE void lay(u8 *output, int column, int token, float4 x) {
        BatchWhole::lay(output, column, token, column % 32 / 8, column % 8 / 4, x);
    }

    struct Piece {
        uint4 head;
        uint2 w[4];
    };

    static DEVICE Piece load(const u8 *row, int unit, int quarter) {
        const u8 *at = row + unit * Q4K::BYTES;
        Piece p;
        p.head = __ldg((const uint4 *)at);
#pragma unroll
        for (int j = 0; j < 4; j++) p.w[j] = __ldg((const uint2 *)(at + 16 + j * 32) + quarter);
        return p;
    }

    static DEVICE void dot(float (&sums)[2][4], const Piece (&rows)[4], const u8 *input, int unit) {
#pragma unroll
        for (int group = 0; group < 8; group++) {
            const uint4 x = BatchWhole::numbers(input, unit * 8 + group);
            const float4 t = BatchWhole::scales(input, unit * 8 + group);
#pragma unroll
            for (int m = 0; m < 2; m++) {
                Pair first, second;
                float scale[2], least[2];
#pragma unroll
                for (int r = 0; r < 2; r++) {
                    const Piece &p = rows[2 * m + r];
                    const u32 a = p.w[group / 2].x >> group % 2 * 4 & 0x0f0f0f0fu;
                    const u32 b = p.w[group / 2].y >> group % 2 * 4 & 0x0f0f0f0fu;
                    (r ? first.high : first.low) = a, (r ? second.high : second.low) = b;
                    const int shift = group % 4 * 8;
                    const u32 x = p.head.y >> shift, y = p.head.z >> shift, z = p.head.w >> shift;
                    const u32 s = group < 4 ? x & 63 : (z & 15) | (x >> 2 & 48);
                    const u32 l = group < 4 ? y & 63 : (z >> 4 & 15) | (y >> 2 & 48);
                    scale[r] = from_f16((u16)p.head.x) * (float)s;
                    least[r] = from_f16((u16)(p.head.x >> 16)) * (float)l;
                }
                int high[4], low[4];
                multiply<true>(high, first, second, x.x, x.y);
                multiply<true>(low, first, second, x.z, x.w);
#pragma unroll
                for (int i = 0; i < 4; i++)
                    sums[m][i] += scale[i / 2] * (i % 2 ? t.z : t.x) * BatchWhole::whole(high[i], low[i]) -
                                  least[i / 2] * (i % 2 ? t.w : t.y);
            }
        }
    }
};

struct BatchQ6K {
    static constexpr int COLUMNS = 128;

    /// Every 16 columns have a scale, and a product of their own.
    static DEVICE void lay(u8 *output, int column, int token, float4 x) {
        BatchWhole::lay(output, column, token, column % 16 / 4, column % 32 / 16, x);
    }

    struct Piece {
        u32 low[2][2], high[2];
        u16 scales[4], d;
    };

    static DEVICE Piece load(const u8 *row, int unit, int quarter) {
        const u8 *at = row + unit / 2 * Q6K::BYTES, *low = at + unit % 2 * 64 + quarter * 4;
        const u8 *high = at + 128 + unit % 2 * 32 + quarter * 4;
        Piece p;
#pragma unroll
        for (int h = 0; h < 2; h++) {
            p.low[0][h] = two(low + h * 16), p.low[1][h] = two(low + 32 + h * 16), p.high[h] = two(high + h * 16);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) p.scales[j] = __ldg((const u16 *)(at + 192 + unit % 2 * 8 + j * 2));
        p.d = __ldg((const u16 *)(at + 208));
        return p;
    }

    static DEVICE void dot(float (&sums)[2][4], const Piece (&rows)[4], const u8 *input, int unit) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const uint4 x = BatchWhole::numbers(input, unit * 4 + j);
            const float4 t = BatchWhole::scales(input, unit * 4 + j);
#pragma unroll
            for (int m = 0; m < 2; m++) {
                float sum[4] = {};
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    u32 q[2];
                    float scale[2];
#pragma unroll
                    for (int r = 0; r < 2; r++) {
                        const Piece &p = rows[2 * m + r];
                        q[r] = Q6K::numbers(p.low[j % 2][h], p.high[h], j);
                        scale[r] = (float)(signed char)(p.scales[j] >> h * 8);
                    }
                    int high[4], low[4];
                    multiply(high, {q[0], q[1]}, h ? x.y : x.x);
                    multiply(low, {q[0], q[1]}, h ? x.w : x.z);
#pragma unroll
                    for (int i = 0; i < 4; i++) sum[i] += scale[i / 2] * BatchWhole::whole(high[i], low[i]);
                }
#pragma unroll
                for (int i = 0; i < 4; i++) sums[m][i] += from_f16(rows[2 * m + i / 2].d) * (i % 2 ? t.z : t.x) * sum[i];
            }
        }
    }
};

struct BatchQ80 {
    static constexpr int COLUMNS = 128;

    static DEVICE void lay(u8 *output, int column, int token, float4 x) { BatchQ4K::lay(output, column, token, x); }

    struct Piece {
        uint2 w[4];
        u16 d[4];
    };

    static DEVICE Piece load(const u8 *row, int unit, int quarter) {
        Piece p;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const u8 *at = row + (unit * 4 + j) * Q80::BYTES, *q = at + 2 + quarter * 8;
            p.w[j] = make_uint2(two(q), two(q + 4)), p.d[j] = __ldg((const u16 *)at);
        }
        return p;
    }

    static DEVICE void dot(float (&sums)[2][4], const Piece (&rows)[4], const u8 *input, int unit) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const uint4 x = BatchWhole::numbers(input, unit * 4 + j);
            const float4 t = BatchWhole::scales(input, unit * 4 + j);
#pragma unroll
            for (int m = 0; m < 2; m++) {
                const Piece &a = rows[2 * m], &b = rows[2 * m + 1];
                const Pair first = {a.w[j].x, b.w[j].x}, second = {a.w[j].y, b.w[j].y};
                int high[4], low[4];
                multiply<false>(high, first, second, x.x, x.y);
                multiply<false>(low, first, second, x.z, x.w);
#pragma unroll
                for (int i = 0; i < 4; i++)
                    sums[m][i] += from_f16(i / 2 ? b.d[j] : a.d[j]) * (i % 2 ? t.z : t.x) * BatchWhole::whole(high[i], low[i]);
            }
        }
    }
};

struct Lay {
    /// `[BATCH, columns]`
    const float *input;
    /// The weights of the norm that it goes through, or null.
    const float *norm;
    u8 *output;
    int columns;
    float eps;
};

/// Lays the input out, a row of it for every row of the grid.
template <class W> DEVICE void lay(const Lay &l) {
    __shared__ float scratch[32];
    start_successor();
    wait_for_predecessor();
    const float *x = l.input + (u64)blockIdx.y * l.columns;
    float scale = 1;
    if (l.norm) {
        float squares = 0;
#pragma unroll 4
        for (int i = threadIdx.x * 4; i < l.columns; i += blockDim.x * 4) {
            const float4 v = *(const float4 *)(x + i);
            squares += (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
        }
        scale = rsqrtf(block_sum(squares, scratch) / (float)l.columns + l.eps);
    }
    for (int i = (blockIdx.x * blockDim.x + threadIdx.x) * 4; i < l.columns; i += gridDim.x * blockDim.x * 4) {
        float4 v = *(const float4 *)(x + i);
        if (l.norm) {
            const float4 w = *(const float4 *)(l.norm + i);
            v = make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
        }
        W::lay(l.output, i, blockIdx.y, v);
    }
}

/// How the walk through a block's rows is shared out.
struct Walk {
    int units, all, warps;

    DEVICE Walk(int count, int units) : units(units), all((count + TALL - 1) / TALL * units), warps(blockDim.x / 32) {}

    DEVICE int begin(int warp) const { return (int)((u64)all * warp / warps); }
    /// Who comes by a place.
    DEVICE int warp_at(int place) const { return ((place + 1) * warps - 1) / all; }

    /// The sum of a row and a token out of all that was left of it.
    DEVICE float sum(const float *left, int row, int token) const {
        const int tile = row / TALL, last = warp_at((tile + 1) * units - 1);
        float sum = 0;
        for (int warp = warp_at(tile * units); warp <= last; warp++)
            sum += left[(warp + tile) * LEFT + token * PITCH + row % TALL];
        return sum;
    }
};

template <class W> DEVICE void batch(const Product &p) {
    extern __shared__ __align__(16) u8 shared[];
    // Who has a part of a tile leaves it at the sum of their numbers.
    float *left = (float *)shared;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Share s(p);
    s.bring_first(p);
    start_successor();
    const Walk walk(s.count, p.columns / W::COLUMNS);
    int at = walk.begin(warp), tile = at / walk.units;
    const int end = walk.begin(warp + 1);
    wait_for_predecessor();
    // A warp without a part leaves zeros.
    do {
        const u8 *rows[4];
#pragma unroll
        for (int r = 0; r < 4; r++) rows[r] = s.row(p, tile * TALL + r * 8 + lane / 4);
        float sums[2][4] = {};
        for (const int to = min(end, (tile + 1) * walk.units); at < to; at++) {
            const int unit = at - tile * walk.units;
            typename W::Piece pieces[4];
#pragma unroll
            for (int r = 0; r < 4; r++) pieces[r] = W::load(rows[r], unit, lane % 4);
            W::dot(sums, pieces, (const u8 *)p.input, unit);
        }
        float *to = left + (warp + tile) * LEFT + lane % 4 * 2 * PITCH + lane / 4;
#pragma unroll
        for (int i = 0; i < 8; i++) to[i % 2 * PITCH + i / 2 * 8] = sums[i / 4][i % 4];
        tile++;
    } while (at < end);
    __syncthreads();

    const int outputs = s.last - s.first;
    for (int i = threadIdx.x; i < outputs * BATCH; i += blockDim.x) {
        const int token = i / outputs, mine = i % outputs, output = s.first + mine;
        const u64 place = (u64)token * p.stride + output;
        const float sum = base(p, output, place) + walk.sum(left, s.gated ? 2 * mine : mine, token);
        p.output[place] = s.gated ? gated(p, s, output, sum, walk.sum(left, 2 * mine + 1, token)) : sum;
    }
}

#define BATCHES(name, W)                                                                                          \
    extern "C" __global__ void __launch_bounds__(256) lay_##name(const __grid_constant__ Lay l) { lay<W>(l); }    \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) batch_##name(const __grid_constant__ Product p) {    \
        batch<W>(p);                                                                                              \
    }

#ifdef WITH_BF16
BATCHES(bf16, BatchBf16)
#endif
#ifdef WITH_Q4K
BATCHES(q4k, BatchQ4K)
#endif
#ifdef WITH_Q6K
BATCHES(q6k, BatchQ6K)
#endif
#ifdef WITH_Q80
BATCHES(q80, BatchQ80)
#endif
