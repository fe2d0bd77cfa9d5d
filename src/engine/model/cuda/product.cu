// One row times a weight matrix, as fast as the matrix can be read.
//
// Every block has a contiguous share of the outputs, every warp a slice of the columns of some of
// their rows. While the kernel in front is still at work, the first of the weights are brought near.
//
// Set when this is compiled: `THREADS`, of a block that multiplies with quantised weights; `PAIR`, the rows side by
// side in a ring; `CHUNKS`, how many times 512 bytes of a row a place in a ring has. The host knows them too, see
// plan.rs.

/// Waits for the input, reads it, through the norm if there is one, and lays it out in shared memory. `COUNT`: the
/// threads.
template <class W, int COUNT> DEVICE void read_input(const Product &p, u8 *input, float *scratch) {
    if (!p.norm) {
        wait_for_predecessor();
#pragma unroll 4
        for (int i = threadIdx.x * 4; i < p.columns; i += COUNT * 4)
            W::store(input, p.columns, i, *(const float4 *)(p.input + i));
        return;
    }
    // Enough for 8192 columns.
    constexpr int MOST = (8192 / 4 + COUNT - 1) / COUNT;
    float4 x[MOST], w[MOST];
    float squares = 0;
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * COUNT + threadIdx.x) * 4;
        if (i < p.columns) w[k] = *(const float4 *)(p.norm + i);
    }
    wait_for_predecessor();
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * COUNT + threadIdx.x) * 4;
        x[k] = i < p.columns ? *(const float4 *)(p.input + i) : make_float4(0, 0, 0, 0);
        squares += (x[k].x * x[k].x + x[k].y * x[k].y) + (x[k].z * x[k].z + x[k].w * x[k].w);
    }
    const float scale = rsqrtf(block_sum(squares, scratch) / (float)p.columns + p.eps);
#pragma unroll
    for (int k = 0; k < MOST; k++) {
        const int i = (k * COUNT + threadIdx.x) * 4;
        if (i >= p.columns) break;
        W::store(input, p.columns, i,
                 make_float4(x[k].x * scale * w[k].x, x[k].y * scale * w[k].y, x[k].z * scale * w[k].z,
                             x[k].w * scale * w[k].w));
    }
}

/// Adds the parts of the block's sums up, and does with them what shall be done. `added` is the base of the thread's
/// first output.
DEVICE void finish(const Product &p, const Share &s, const float *partial, float added) {
    __syncthreads();
    for (int i = threadIdx.x; i < s.last - s.first; i += blockDim.x) {
        const int output = s.first + i;
        const float *parts = partial + (s.gated ? 2 * i : i) * p.split;
        float sum = i < blockDim.x ? added : base(p, output, output), up = 0;
        for (int part = 0; part < p.split; part++) sum += parts[part];
        if (s.gated) {
            for (int part = 0; part < p.split; part++) up += parts[p.split + part];
            sum = gated(p, s, output, sum, up);
        }
        p.output[output] = sum;
    }
}

template <class W> DEVICE void product(const Product &p) {
    extern __shared__ __align__(16) u8 input[];
    __shared__ float scratch[32];
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Share s(p);
    s.bring_first(p);
    start_successor();
    read_input<W, THREADS>(p, input, scratch);
    const int mine = s.first + (int)threadIdx.x;
    const float added = mine < s.last ? base(p, mine, mine) : 0.f;
    __syncthreads();

    float *partial = (float *)(input + 2 * p.columns + p.columns / 32 * 12);
    const int part = warp % p.split, units = p.columns / W::COLUMNS;
    const int from = units * part / p.split, to = units * (part + 1) / p.split;
    const int place = lane / W::LANES, in = lane % W::LANES;
    constexpr int ROWS = W::ROWS;
    for (int group = warp / p.split * ROWS; group < s.count; group += warps / p.split * ROWS) {
        const u8 *rows[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) rows[r] = s.row(p, group + r);
        float sums[ROWS] = {};
        for (int unit = from + place; unit < to; unit += 32 / W::LANES) {
            typename W::Piece pieces[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++) pieces[r] = W::load(rows[r] + unit * W::BYTES, in);
            W::dot(sums, pieces, unit, in, input, p.columns);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const float sum = warp_sum(sums[r]);
            if (lane == 0 && group + r < s.count) partial[(group + r) * p.split + part] = sum;
        }
    }
    finish(p, s, partial, added);
}

/// Where `copy_piece` says that its bytes are there.
DEVICE void prepare_arrival(u32 at) { asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(at) : "memory"); }

/// Copies to shared memory that one thread asks for, of so many bytes altogether.
DEVICE void expect(u32 arrival, u32 bytes) {
#if __CUDA_ARCH__ >= 900
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(arrival), "r"(bytes) : "memory");
#endif
}

/// One of them. Addresses and size are multiples of 16.
DEVICE void copy_piece(u32 to, const void *from, u32 bytes, u32 arrival) {
#if __CUDA_ARCH__ >= 900
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
                 "l"(from), "r"(bytes), "r"(arrival)
                 : "memory");
#endif
}

/// Waits for all of them. `turn`: how often there were others before at the same place, even or odd.
DEVICE void wait_arrival(u32 arrival, u32 turn) {
#if __CUDA_ARCH__ >= 900
    u32 is_there = 0;
    while (!is_there) {
        asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
                     : "=r"(is_there)
                     : "r"(arrival), "r"(turn)
                     : "memory");
    }
#endif
}

/// The same for plain numbers, whose way through a ring of its own in shared memory every warp keeps full, so that no
/// warp waits for another before the end. Either a lane copies what it reads, or, `WHOLE`, one lane has whole pieces of
/// rows copied, which costs less and starts later.
template <class W, int WARPS, int SLOTS, bool WHOLE> DEVICE void ring_product(const Product &p) {
    extern __shared__ __align__(16) u8 shared[];
    __shared__ float scratch[32];
    __shared__ __align__(8) u64 arrivals[WHOLE ? WARPS * SLOTS : 1];
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Share s(p);
    constexpr int ROW = CHUNKS * 512, SLOT = PAIR * ROW;
    const u8 *ring = shared + warp * SLOTS * SLOT;
    u8 *input = shared + WARPS * SLOTS * SLOT;
    float *partial = (float *)(input + 4 * p.columns);
    const int part = warp % p.split, units = p.columns / W::COLUMNS;
    const int from = units * part / p.split, to = units * (part + 1) / p.split;
    const int step = WARPS / p.split * PAIR, begin = warp / p.split * PAIR;

    // Where the copies are.
    int group = begin, unit = from;
    const u8 *rows[PAIR];
    const auto aim = [&]() {
#pragma unroll
        for (int r = 0; r < PAIR; r++) rows[r] = s.row(p, group + r) + (u64)(from + (WHOLE ? 0 : lane)) * 16;
    };
    const u32 near = (u32)__cvta_generic_to_shared(ring) + (WHOLE ? 0 : lane * 16);
    const u32 arrival = (u32)__cvta_generic_to_shared(arrivals + (WHOLE ? warp * SLOTS : 0));
    const auto fetch = [&](int slot) {
        if (group < s.count && (!WHOLE || lane == 0)) {
            const u32 bytes = min(32 * CHUNKS, to - unit) * 16;
            if (WHOLE) expect(arrival + slot * 8, PAIR * bytes);
#pragma unroll
            for (int r = 0; r < PAIR; r++) {
                const u32 place = near + slot * SLOT + r * ROW;
                if (WHOLE) {
                    copy_piece(place, rows[r], bytes, arrival + slot * 8);
                } else {
#pragma unroll
                    for (int j = 0; j < CHUNKS; j++)
                        if (unit + lane + 32 * j < to) copy_aside(place + j * 512, rows[r] + j * 512);
                }
                rows[r] += ROW;
            }
            unit += 32 * CHUNKS;
            if (unit >= to) {
                unit = from, group += step;
                if (group < s.count) aim();
            }
        }
        if (!WHOLE) end_copies();
    };
    if (WHOLE) {
        if (lane < SLOTS) prepare_arrival(arrival + lane * 8);
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
        __syncwarp();
    }
    if (group < s.count) aim();
#pragma unroll
    for (int slot = 0; slot < SLOTS; slot++) fetch(slot);
    if (p.early) s.bring_first(p);
    start_successor();
    read_input<W, 32 * WARPS>(p, input, scratch);
    const int mine = s.first + (int)threadIdx.x;
    const float added = mine < s.last ? base(p, mine, mine) : 0.f;
    __syncthreads();

    int slot = 0;
    u32 turn = 0;
    const float4 *low = (const float4 *)input, *high = low + p.columns / 8;
    for (int row = begin; row < s.count; row += step) {
        float sums[PAIR] = {};
        for (int at = from; at < to; at += 32 * CHUNKS) {
            if (WHOLE) {
                wait_arrival(arrival + slot * 8, turn);
            } else {
                wait_copies<SLOTS - 1>();
            }
            const u8 *bytes = ring + slot * SLOT + lane * 16;
#pragma unroll
            for (int j = 0; j < CHUNKS; j++) {
                const int u = at + lane + 32 * j;
                const bool is_in = u < to;
                const float4 zero = make_float4(0, 0, 0, 0), a = is_in ? low[u] : zero, b = is_in ? high[u] : zero;
#pragma unroll
                for (int r = 0; r < PAIR; r++) {
                    const uint4 w = is_in ? *(const uint4 *)(bytes + r * ROW + j * 512) : make_uint4(0, 0, 0, 0);
                    sums[r] += W::dot8(w, a, b);
                }
            }
            // All lanes have read what is overwritten next.
            if (WHOLE) __syncwarp();
            fetch(slot);
            if (++slot == SLOTS) slot = 0, turn ^= 1;
        }
#pragma unroll
        for (int r = 0; r < PAIR; r++) {
            const float sum = warp_sum(sums[r]);
            if (lane == 0 && row + r < s.count) partial[(row + r) * p.split + part] = sum;
        }
    }
    finish(p, s, partial, added);
}

struct Embed {
    const u8 *rows;
    /// One for every row of the grid.
    const u32 *token;
    float *output;
    u64 pitch;
    int columns;
};

struct Aim {
    /// Tokens, and the position of the first behind them.
    u32 *inputs;
    int count;
    u32 tokens[BATCH], position;
};

/// Says which tokens the step is for.
extern "C" __global__ void __launch_bounds__(32) aim(const __grid_constant__ Aim a) {
    start_successor();
    wait_for_predecessor();
    if (threadIdx.x < a.count) a.inputs[threadIdx.x] = a.tokens[threadIdx.x];
    if (threadIdx.x == a.count) a.inputs[threadIdx.x] = a.position;
}

template <class W> DEVICE void embed(const Embed &e) {
    start_successor();
    wait_for_predecessor();
    const u8 *row = e.rows + e.token[blockIdx.y] * e.pitch;
    float *output = e.output + (u64)blockIdx.y * e.columns;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < e.columns; i += gridDim.x * blockDim.x)
        output[i] = W::value(row, i);
}

#define EMBED(name, W)                                                                                            \
    extern "C" __global__ void __launch_bounds__(256) embed_##name(const __grid_constant__ Embed e) { embed<W>(e); }
#define PRODUCT(name, W)                                                                                          \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) product_##name(const __grid_constant__ Product p) {  \
        product<W>(p);                                                                                            \
    }
/// `together`: blocks that a multiprocessor has registers for.
#define RING(name, warps, slots, whole, together)                                                                 \
    extern "C" __global__ void __launch_bounds__(32 * warps, together) name##warps##x##slots##_bf16(              \
        const __grid_constant__ Product p) {                                                                      \
        ring_product<Bf16, warps, slots, whole>(p);                                                               \
    }

#ifdef WITH_BF16
EMBED(bf16, Bf16)
RING(whole, 16, 3, true, 1)
RING(whole, 16, 2, true, 1)
RING(ring, 16, 3, false, 1)
RING(ring, 8, 6, false, 4)
RING(ring, 8, 4, false, 2)
RING(ring, 8, 2, false, 2)
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
