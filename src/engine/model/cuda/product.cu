// One row times a weight matrix, as fast as the matrix can be read.
//
// Every block has a contiguous share of the outputs, every warp a slice of the columns of some of
// their rows. While the kernel in front is still at work, the first of the weights are brought near.
//
// Set when this is compiled: `THREADS`, of a block that multiplies with quantised weights; `ROWS`, see weights.cu;
// `PAIR`, the rows side by side in a ring; `CHUNKS`, how many times 512 bytes of a row a place in a ring has. The
// host knows them too, see plan.rs.

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

/// The outputs of a block, and the rows of weights that they come from: of gate and up projection in turns.
struct Share {
    bool gated;
    /// All of the outputs, those of this block, and its rows.
    int outputs, first, last, count;

    explicit DEVICE Share(const Product &p) {
        gated = p.mode == GATE;
        outputs = gated ? p.rows / 2 : p.rows;
        first = (int)((u64)outputs * blockIdx.x / gridDim.x);
        last = (int)((u64)outputs * (blockIdx.x + 1) / gridDim.x);
        count = (last - first) * (gated ? 2 : 1);
    }

    /// Where a row begins. Past the end, the last one once more.
    DEVICE const u8 *row(const Product &p, int row) const {
        row = min(row, count - 1);
        return p.weights + (u64)(gated ? row % 2 * outputs + first + row / 2 : first + row) * p.pitch;
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

/// What the sum of an output is added to.
DEVICE float base(const Product &p, int output) {
    const float bias = p.bias ? p.bias[output] : 0.f;
    return p.mode == ADD ? bias + p.output[output] : bias;
}

/// Adds the parts of the block's sums up, and does with them what shall be done. `added` is the base of the thread's
/// first output.
DEVICE void finish(const Product &p, const Share &s, const float *partial, float added) {
    __syncthreads();
    for (int i = threadIdx.x; i < s.last - s.first; i += blockDim.x) {
        const int output = s.first + i;
        const float *parts = partial + (s.gated ? 2 * i : i) * p.split;
        float sum = i < blockDim.x ? added : base(p, output);
        for (int part = 0; part < p.split; part++) sum += parts[part];
        if (s.gated) {
            float up = p.bias ? p.bias[s.outputs + output] : 0.f;
            for (int part = 0; part < p.split; part++) up += parts[p.split + part];
            sum = sum / (1.f + __expf(-sum)) * up;
        }
        p.output[output] = sum;
    }
}

template <class W> DEVICE void product(const Product &p) {
    extern __shared__ __align__(16) u8 input[];
    __shared__ float scratch[32];
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Share s(p);
    if (threadIdx.x < (s.gated ? 2 : 1)) {
        const u64 begin = ((u64)p.weights + (u64)(threadIdx.x * s.outputs + s.first) * p.pitch) & ~15ull;
        const u64 share = (u64)(s.last - s.first) * p.pitch, early = p.early / (s.gated ? 2 : 1);
        bring((const void *)begin, (u32)((share < early ? share : early) & ~15ull));
    }
    start_successor();
    read_input<W>(p, input, scratch);
    const int mine = s.first + (int)threadIdx.x;
    const float added = mine < s.last ? base(p, mine) : 0.f;
    __syncthreads();

    float *partial = (float *)(input + 2 * p.columns + p.columns / 32 * 12);
    const int part = warp % p.split, units = p.columns / W::COLUMNS;
    const int from = units * part / p.split, to = units * (part + 1) / p.split;
    const int place = lane / W::LANES, in = lane % W::LANES;
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

/// The same for plain numbers, whose way through a ring of its own in shared memory every warp keeps full.
/// A lane waits for what it copied itself, so that no warp waits for another before the end.
template <class W, int SLOTS> DEVICE void ring_product(const Product &p) {
    extern __shared__ __align__(16) u8 shared[];
    __shared__ float scratch[32];
    const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Share s(p);
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
        for (int r = 0; r < PAIR; r++) rows[r] = s.row(p, group + r) + (u64)from * 16;
    };
    const auto fetch = [&](u32 slot) {
        if (group < s.count) {
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
                if (group < s.count) aim();
            }
        }
        end_copies();
    };
    if (group < s.count) aim();
    const u32 near = (u32)__cvta_generic_to_shared(ring);
#pragma unroll
    for (int slot = 0; slot < SLOTS; slot++) fetch(near + slot * SLOT);
    start_successor();
    read_input<W>(p, input, scratch);
    const int mine = s.first + (int)threadIdx.x;
    const float added = mine < s.last ? base(p, mine) : 0.f;
    __syncthreads();

    int slot = 0;
    const float4 *low = (const float4 *)input, *high = low + p.columns / 8;
    for (int row = begin; row < s.count; row += step) {
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
            if (lane == 0 && row + r < s.count) partial[(row + r) * p.split + part] = sum;
        }
    }
    finish(p, s, partial, added);
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
