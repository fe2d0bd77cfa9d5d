// How weights lie in memory, one struct a type: how the input is laid out for them, their product with it, and a
// single one of them. `ROWS`: how many rows of quantised weights go through a warp side by side, so that the input is
// read once for all of them; the host knows that too, see plan.rs.

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

/// Four neighbouring numbers of an input for quantised weights, as whole numbers of 16 bits, so that products are
/// exact. Their high and low bytes are apart, and every 32 of an input have a scale.
struct Whole {
    u32 high, low;
    float scale;
    /// Of these four.
    int sum;

    /// Called by whole warps, for 128 neighbouring columns.
    explicit DEVICE Whole(float4 x) {
        float most = fmaxf(fmaxf(fabsf(x.x), fabsf(x.y)), fmaxf(fabsf(x.z), fabsf(x.w)));
#pragma unroll
        for (int step = 4; step; step /= 2) most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, step));
        const float inverse = most > 0 ? 32512.f / most : 0;
        const int q[4] = {__float2int_rn(x.x * inverse), __float2int_rn(x.y * inverse), __float2int_rn(x.z * inverse),
                          __float2int_rn(x.w * inverse)};
        high = low = 0, scale = most / 32512.f, sum = 0;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int h = (q[i] + 128) >> 8;
            high |= (u32)(h & 255) << (8 * i);
            low |= (u32)((q[i] - 256 * h) & 255) << (8 * i);
            sum += q[i];
        }
    }

    /// An input lies as all high bytes, all low bytes, the scales, and the sums of every 16.
    static DEVICE const float *scales(const u8 *input, int columns) { return (const float *)(input + 2 * columns); }
    static DEVICE const float *sums(const u8 *input, int columns) { return scales(input, columns) + columns / 32; }

    /// Called as the constructor.
    static DEVICE void store(u8 *input, int columns, int column, int place, float4 x) {
        Whole w(x);
        w.sum += __shfl_xor_sync(ALL_LANES, w.sum, 1);
        w.sum += __shfl_xor_sync(ALL_LANES, w.sum, 2);
        *(u32 *)(input + place) = w.high;
        *(u32 *)(input + columns + place) = w.low;
        float *scales = (float *)(input + 2 * columns);
        if (column % 32 == 0) scales[column / 32] = w.scale;
        if (column % 16 == 0) scales[columns / 32 + column / 16] = w.scale * (float)w.sum;
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
    static constexpr int COLUMNS = 256, BYTES = 144, LANES = 8, ROWS = 8;

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
    static constexpr int COLUMNS = 256, BYTES = 210, LANES = 8, ROWS = 4;

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

    /// Four numbers out of their bytes: `j` says which bits of those.
    static DEVICE u32 numbers(u32 low, u32 high, int j) {
        const u32 l = low >> (j / 2 * 4) & 0x0f0f0f0fu, h = high >> (j * 2) & 0x03030303u;
        // Minus 32 in every byte.
        return ((l | h << 4 | 0x80808080u) - 0x20202020u) ^ 0x80808080u;
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
                for (int i = 0; i < 2; i++) q[i] = numbers(rows[r].low[j % 2][i], rows[r].high[i], j);
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
    static constexpr int COLUMNS = 32, BYTES = 34, LANES = 2, ROWS = 4;

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
