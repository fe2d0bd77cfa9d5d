// Attention of one token, or of each of a few neighbours, over the cache, whose part that is in use is split among the
// blocks of a cluster.
//
// Queries and the new keys are normed and rotated here, and the new keys and values written to the cache. Every token
// of a batch writes those before it as well, for it cannot wait for the others: they are the same numbers.
// `HEAD_DIM` and `GROUP`, the query heads of a key head, are set when this is compiled.

struct Attention {
    /// Queries, key and value of every token, as they come from the projection.
    const float *qkv;
    /// Weights of the norms over heads, or null.
    const float *query_norm, *key_norm;
    /// `[context, HEAD_DIM / 2]`
    const float *cos, *sin;
    /// `[kv_heads, context, HEAD_DIM]`
    void *keys, *values;
    /// That of the first token. Tokens past the end of the context do not count.
    const u32 *position;
    float *output;
    int context;
    float eps;
};

/// The least positions that are worth a block.
static constexpr int LEAST = 32;

DEVICE u32 cluster_size() {
    u32 x;
    asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(x));
    return x;
}

DEVICE u32 cluster_rank() {
    u32 x;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(x));
    return x;
}

/// All threads of the cluster, and what they wrote.
DEVICE void cluster_sync() {
    asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
}

/// Reads the number that lies where `mine` does in another block of the cluster.
DEVICE float from_block(const float *mine, u32 block) {
    u32 at;
    float x;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(at) : "r"((u32)__cvta_generic_to_shared(mine)), "r"(block));
    asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(x) : "r"(at) : "memory");
    return x;
}

/// Eight neighbouring numbers as they lie in memory.
template <class T> struct Eight;

template <> struct Eight<u16> {
    uint4 x;

    DEVICE void read(const u16 *from) { x = *(const uint4 *)from; }

    DEVICE void widen(float (&y)[8]) const {
        y[0] = low_bf16(x.x), y[1] = high_bf16(x.x), y[2] = low_bf16(x.y), y[3] = high_bf16(x.y);
        y[4] = low_bf16(x.z), y[5] = high_bf16(x.z), y[6] = low_bf16(x.w), y[7] = high_bf16(x.w);
    }
};

template <> struct Eight<float> {
    float4 x, y;

    DEVICE void read(const float *from) { x = ((const float4 *)from)[0], y = ((const float4 *)from)[1]; }

    DEVICE void widen(float (&z)[8]) const {
        z[0] = x.x, z[1] = x.y, z[2] = x.z, z[3] = x.w, z[4] = y.x, z[5] = y.y, z[6] = y.z, z[7] = y.w;
    }
};

DEVICE void put(u16 *to, float x) { *to = to_bf16(x); }
DEVICE void put(float *to, float x) { *to = x; }

/// Norms and rotates a head with one warp.
template <class T, int D>
DEVICE void turn(const float *from, const float *norm, float eps, const float *cos, const float *sin, float scale, T *to) {
    constexpr int PAIRS = D / 64;
    const int lane = threadIdx.x % 32;
    float a[PAIRS], b[PAIRS], squares = 0;
#pragma unroll
    for (int j = 0; j < PAIRS; j++) {
        const int i = lane + 32 * j;
        a[j] = from[i], b[j] = from[i + D / 2];
        squares += a[j] * a[j] + b[j] * b[j];
    }
    const float factor = norm ? rsqrtf(warp_sum(squares) / (float)D + eps) : 1.f;
#pragma unroll
    for (int j = 0; j < PAIRS; j++) {
        const int i = lane + 32 * j;
        if (norm) a[j] *= factor * norm[i], b[j] *= factor * norm[i + D / 2];
        put(to + i, (a[j] * cos[i] - b[j] * sin[i]) * scale);
        put(to + i + D / 2, (b[j] * cos[i] + a[j] * sin[i]) * scale);
    }
}

template <class T, int D, int G> DEVICE void attend(const Attention &a) {
    /// Lanes that share a position, positions that a warp looks at once and in one go.
    constexpr int LANES = D / 8, TEAMS = 32 / LANES, BATCH = LANES / 4, WARPS = 4;
    constexpr int ROUND = BATCH * WARPS * TEAMS;
    __shared__ float query[G][D];
    __shared__ float gathered[WARPS][G][D + 2];
    __shared__ float block[G][D + 2];
    const int kv = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    start_successor();
    const int old = (int)*a.position, position = old + blockIdx.z, len = position + 1;
    if (position >= a.context) return;
    const int blocks = (int)cluster_size(), rank = (int)cluster_rank();
    const int chunk = max(LEAST, ((len + blocks - 1) / blocks + 7) & ~7);
    const int from = min(rank * chunk, len), to = min(from + chunk, len);
    T *keys = (T *)a.keys + (u64)kv * a.context * D, *values = (T *)a.values + (u64)kv * a.context * D;
    const int part = lane % LANES * 8, team = warp * TEAMS + lane / LANES;
    // What is in the cache already need not wait for this token.
    Eight<T> k[BATCH], v[BATCH];
    const auto read = [&](int p) {
#pragma unroll
        for (int b = 0; b < BATCH; b++) {
            const int at = min(p + b * WARPS * TEAMS + team, to - 1);
            k[b].read(keys + (u64)at * D + part), v[b].read(values + (u64)at * D + part);
        }
    };
    if (from < to) read(from);
    wait_for_predecessor();

    const float *cos = a.cos + (u64)position * (D / 2), *sin = a.sin + (u64)position * (D / 2);
    const int q_width = gridDim.y * G * D, kv_width = gridDim.y * D;
    const int width = q_width + 2 * kv_width, fresh = min(max(from, old), to);
    const float *queries = a.qkv + blockIdx.z * width;
    for (int i = warp; i < G + to - fresh; i += WARPS) {
        if (i < G) {
            turn<float, D>(queries + (kv * G + i) * D, a.query_norm, a.eps, cos, sin, rsqrtf((float)D), query[i]);
        } else {
            const int at = fresh + i - G, turned = at * (D / 2);
            const float *key = a.qkv + (at - old) * width + q_width + kv * D;
            turn<T, D>(key, a.key_norm, a.eps, a.cos + turned, a.sin + turned, 1.f, keys + (u64)at * D);
        }
    }
    for (int at = fresh; at < to; at++) {
        const float *value = a.qkv + (at - old) * width + q_width + kv_width + kv * D;
        for (int i = threadIdx.x; i < D; i += blockDim.x) put(values + (u64)at * D + i, value[i]);
    }
    __syncthreads();
    // New keys and values came after the others were read.
    if (fresh < to && fresh < from + ROUND) read(from);

    float q[G][8], sums[G][8], most[G], total[G];
#pragma unroll
    for (int g = 0; g < G; g++) {
#pragma unroll
        for (int i = 0; i < 8; i++) q[g][i] = query[g][part + i];
        most[g] = LOWEST, total[g] = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) sums[g][i] = 0;
    }
    for (int p = from; p < to; p += ROUND) {
        float score[BATCH][G];
#pragma unroll
        for (int b = 0; b < BATCH; b++) {
            const int at = p + b * WARPS * TEAMS + team;
            float x[8];
            k[b].widen(x);
#pragma unroll
            for (int g = 0; g < G; g++) {
                float s = 0;
#pragma unroll
                for (int i = 0; i < 8; i++) s += q[g][i] * x[i];
#pragma unroll
                for (int step = LANES / 2; step; step /= 2) s += __shfl_xor_sync(ALL_LANES, s, step);
                score[b][g] = at < to ? s : LOWEST;
            }
        }
#pragma unroll
        for (int g = 0; g < G; g++) {
            float m = most[g];
#pragma unroll
            for (int b = 0; b < BATCH; b++) m = fmaxf(m, score[b][g]);
            const float shrink = m > LOWEST ? __expf(most[g] - m) : 1.f;
            most[g] = m;
            total[g] *= shrink;
#pragma unroll
            for (int i = 0; i < 8; i++) sums[g][i] *= shrink;
#pragma unroll
            for (int b = 0; b < BATCH; b++) {
                score[b][g] = score[b][g] > LOWEST ? __expf(score[b][g] - m) : 0.f;
                total[g] += score[b][g];
            }
        }
#pragma unroll
        for (int b = 0; b < BATCH; b++) {
            float x[8];
            v[b].widen(x);
#pragma unroll
            for (int g = 0; g < G; g++)
#pragma unroll
                for (int i = 0; i < 8; i++) sums[g][i] += score[b][g] * x[i];
        }
        if (p + ROUND < to) read(p + ROUND);
    }
    // The teams of a warp, then the warps.
#pragma unroll
    for (int g = 0; g < G; g++) {
#pragma unroll
        for (int step = 16; step >= LANES; step /= 2) {
            const float other = __shfl_xor_sync(ALL_LANES, most[g], step), m = fmaxf(most[g], other);
            const float mine = most[g] > LOWEST ? __expf(most[g] - m) : 0.f;
            most[g] = m;
            total[g] *= mine;
            total[g] += __shfl_xor_sync(ALL_LANES, total[g], step);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                sums[g][i] *= mine;
                sums[g][i] += __shfl_xor_sync(ALL_LANES, sums[g][i], step);
            }
        }
        if (lane < LANES) {
#pragma unroll
            for (int i = 0; i < 8; i++) gathered[warp][g][part + i] = sums[g][i];
            if (lane == 0) gathered[warp][g][D] = most[g], gathered[warp][g][D + 1] = total[g];
        }
    }
    __syncthreads();

    for (int i = threadIdx.x; i < G * D; i += blockDim.x) {
        const int g = i / D, d = i % D;
        float m = LOWEST, sum = 0, weight = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) m = fmaxf(m, gathered[w][g][D]);
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            const float share = gathered[w][g][D] > LOWEST ? __expf(gathered[w][g][D] - m) : 0.f;
            sum += share * gathered[w][g][d];
            weight += share * gathered[w][g][D + 1];
        }
        block[g][d] = sum;
        if (d == 0) block[g][D] = m, block[g][D + 1] = weight;
    }
    cluster_sync();
    // Every block puts its share of the results together.
    const int active = (len + chunk - 1) / chunk;
    for (int i = rank * blockDim.x + threadIdx.x; i < G * D; i += blocks * blockDim.x) {
        const int g = i / D, d = i % D;
        float m = LOWEST, sum = 0, weight = 0;
        #pragma unroll 4
        for (int b = 0; b < active; b++) m = fmaxf(m, from_block(&block[g][D], b));
#pragma unroll 4
        for (int b = 0; b < active; b++) {
            const float share = __expf(from_block(&block[g][D], b) - m);
            sum += share * from_block(&block[g][d], b);
            weight += share * from_block(&block[g][D + 1], b);
        }
        a.output[blockIdx.z * q_width + (kv * G + g) * D + d] = sum / weight;
    }
    // No block may go while another reads from it.
    cluster_sync();
}

extern "C" __global__ void __launch_bounds__(128) attention_bf16(const __grid_constant__ Attention a) {
    attend<u16, HEAD_DIM, GROUP>(a);
}
extern "C" __global__ void __launch_bounds__(128) attention_f32(const __grid_constant__ Attention a) {
    attend<float, HEAD_DIM, GROUP>(a);
}
