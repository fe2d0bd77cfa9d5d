// What the sampler and the trace want to know of rows of logits, so that those need not leave the device.
//
// Three kernels: `survey` finds the largest of every tile, `weigh` sums the softmax and collects all that may
// be among the first 64, `draw` sorts those and picks a token. Ranks and weights are those of the sampler on
// the host.

/// Logits of a block, and of a thread.
static constexpr int TILE = 2048, EACH = 8;
/// The length of the lists.
static constexpr int LISTED = 64;
/// Warps of a tile. Each says what the largest of its logits is.
static constexpr int SHARES = TILE / EACH / 32;
/// Tiles there can be: enough for 262,144 logits.
static constexpr int TILES = 128;
/// Candidates there can be for a list: as many of every tile as the list has.
static constexpr int COLLECTED = TILES * LISTED;
/// Rows that can be asked about at once.
static constexpr int ROWS = 8;

/// The sums of `weigh`: total and moment of all, of the allowed, total at the temperature.
enum { WHOLE = 0, WHOLE_MOMENT = 1, MASKED = 2, MASKED_MOMENT = 3, SHAPED = 4, SUMS = 5 };

/// The question. Of everything that has rows, a block of the grid's row `y` uses row `y`.
struct Digest {
    /// `[rows, width]`
    const float *logits;
    /// One bit per logit, or null if all are allowed.
    const u32 *mask;
    /// `[rows, 2, tiles, SHARES]`: the first of all and of the allowed logits of every share.
    u64 *best;
    /// `[rows, 2, COLLECTED]`
    u64 *candidates;
    /// `[rows, 2]`: how many there are, 0 at rest.
    u32 *collected;
    /// `[rows, SUMS, tiles]`
    double *sums;
    /// `[rows]`
    struct Result *result;
    /// Where the draw falls, in 0..1.
    double u;
    float inverse_temperature;
    int width, tiles;
    /// Whether the lists are wanted; whether a token shall be drawn rather than the first taken; and whether only
    /// among those of the list that the three numbers after it leave, 0, 1 and 0 of which leave all.
    int listed, drawn, cut;
    int top_k;
    float top_p, min_p;
    /// For every row a token whose logit is wanted in place of the picked one's, or -1.
    int asked[ROWS];
    /// Where the token goes with its position, if the next step starts by itself; else null.
    u32 *inputs;
    u32 position;
};

struct Result {
    /// The first of all and of the allowed logits, best first; 0 where there are no more.
    u64 lists[2][LISTED];
    /// The first of all and of the allowed logits.
    u64 best[2];
    double sums[SUMS];
    u32 token;
    /// Of the token, or of the one that was asked about.
    float logit;
};

/// The question about the row of this block.
DEVICE Digest row_of(const Digest &all) {
    Digest d = all;
    const int row = blockIdx.y;
    d.logits += (u64)row * d.width;
    d.best += row * 2 * d.tiles * SHARES;
    d.candidates += row * 2 * COLLECTED;
    d.collected += row * 2;
    d.sums += row * SUMS * d.tiles;
    d.result += row;
    return d;
}

/// A logit and its token as a number: larger is better. Equal logits rank by token. 0 for what is no number above
/// minus infinity.
DEVICE u64 entry(float logit, int token) {
    if (!(logit > LOWEST)) return 0;
    const u32 bits = __float_as_uint(logit), key = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (u64)key << 32 | (u32)~token;
}

DEVICE float logit_of(u64 entry) {
    const u32 key = (u32)(entry >> 32);
    return entry ? __uint_as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key) : LOWEST;
}

DEVICE u64 larger(u64 a, u64 b) { return a > b ? a : b; }

DEVICE u64 warp_best(u64 x) {
#pragma unroll
    for (int step = 16; step; step /= 2) x = larger(x, __shfl_xor_sync(ALL_LANES, x, step));
    return x;
}

/// The largest of the block, for every thread.
DEVICE u64 block_best(u64 x, u64 *scratch) {
    x = warp_best(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    for (int warp = 0; warp < (int)blockDim.x / 32; warp++) x = larger(x, scratch[warp]);
    return x;
}

/// The sum over the block, for every thread. Of two calls in a row, `scratch` must differ.
DEVICE int block_count(int x, int *scratch) {
    x = __reduce_add_sync(ALL_LANES, x);
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    int sum = 0;
#pragma unroll
    for (int warp = 0; warp < 8; warp++) sum += scratch[warp];
    return sum;
}

/// A number that at least `LISTED` and no more than `most` of the block's entries reach, if there is one among
/// different entries, or 1 if fewer are more than 0. Of 256 threads.
template <int N> DEVICE u64 threshold(const u64 (&entries)[N], int most, int (*scratch)[8]) {
    u64 least = 0;
    int flip = 0;
    // Two bits at a time.
    for (int bit = 62; bit >= 0; bit -= 2) {
        // Entries that reach the number with 1, 2, 3 in these bits.
        u32 low = 0, high = 0;
#pragma unroll
        for (int i = 0; i < N; i++) {
            low += (entries[i] >= (least | 1ull << bit)) + ((u32)(entries[i] >= (least | 2ull << bit)) << 16);
            high += entries[i] >= (least | 3ull << bit);
        }
        low = (u32)block_count((int)low, scratch[flip]);
        high = (u32)block_count((int)high, scratch[flip + 1]);
        flip ^= 2;
        const u32 reached[3] = {low & 0xffff, low >> 16, high};
        int digit = 0;
#pragma unroll
        for (int i = 0; i < 3; i++) digit += reached[i] >= LISTED;
        least |= (u64)digit << bit;
        if (digit && reached[digit - 1] <= most) break;
    }
    __syncthreads();
    return least ? least : 1;
}

DEVICE void read_tile(const Digest &d, int tile, float (&logits)[EACH], u32 &allowed) {
    const int first = tile * TILE + threadIdx.x * EACH;
    allowed = d.mask && first < d.width ? d.mask[first / 32] >> first % 32 & 255 : 255;
#pragma unroll
    for (int i = 0; i < EACH; i++) logits[i] = first + i < d.width ? d.logits[first + i] : LOWEST;
}

extern "C" __global__ void __launch_bounds__(256) survey(const __grid_constant__ Digest all) {
    const Digest d = row_of(all);
    start_successor();
    wait_for_predecessor();
    const int tile = blockIdx.x, first = tile * TILE + threadIdx.x * EACH;
    float logits[EACH];
    u32 allowed;
    read_tile(d, tile, logits, allowed);
    u64 best = 0, best_allowed = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const u64 x = entry(logits[i], first + i);
        best = larger(best, x);
        if (allowed >> i & 1) best_allowed = larger(best_allowed, x);
    }
    best = warp_best(best), best_allowed = warp_best(best_allowed);
    if (threadIdx.x % 32) return;
    const int at = tile * SHARES + threadIdx.x / 32;
    d.best[at] = best, d.best[d.tiles * SHARES + at] = best_allowed;
}

/// e^x for -87 <= x <= 0, step by step as the host computes it.
DEVICE float weight_exp(float x) {
    const float round = 12582912.f;
    const float shifted = __fadd_rn(__fmul_rn(x, 1.44269504088896340736f), round);
    const float n = __fadd_rn(shifted, -round);
    const float r = __fadd_rn(__fadd_rn(x, -__fmul_rn(n, 0.6933594f)), -__fmul_rn(n, -2.1219444e-4f));
    const float terms[7] = {1.f / 720.f, 1.f / 120.f, 1.f / 24.f, 1.f / 6.f, 0.5f, 1.f, 1.f};
    float p = 1.f / 5040.f;
#pragma unroll
    for (int i = 0; i < 7; i++) p = __fadd_rn(__fmul_rn(p, r), terms[i]);
    return __uint_as_float(__float_as_uint(p) + (__float_as_uint(shifted) << 23));
}

static constexpr float FLOOR = -87.f;

DEVICE float exponent(float logit, float most, float inverse_temperature) {
    const float x = __fmul_rn(__fadd_rn(logit, -most), inverse_temperature);
    return x > FLOOR ? (x < 0 ? x : 0.f) : FLOOR;
}

/// 1 for the largest logit, 0 for those too small to count.
DEVICE float weight(float logit, float most, float inverse_temperature, float &x) {
    x = exponent(logit, most, inverse_temperature);
    return x > FLOOR ? weight_exp(x) : 0.f;
}

/// The entries of a thread where the firsts of all shares are spread among 256.
static constexpr int FIRSTS = TILES * SHARES / 256;

/// The firsts of all shares, and the first of those.
DEVICE u64 read_firsts(const Digest &d, int which, u64 (&firsts)[FIRSTS], u64 *scratch) {
    u64 best = 0;
    const int count = d.tiles * SHARES;
#pragma unroll
    for (int i = 0; i < FIRSTS; i++) {
        const int at = i * 256 + threadIdx.x;
        firsts[i] = at < count ? d.best[which * count + at] : 0;
        best = larger(best, firsts[i]);
    }
    return block_best(best, scratch);
}

/// An infinite logit takes all the weight; as a finite one it can be subtracted.
DEVICE float finite(float x) { return fminf(x, 3.40282346638528859812e38f); }

extern "C" __global__ void __launch_bounds__(256) weigh(const __grid_constant__ Digest all) {
    const Digest d = row_of(all);
    __shared__ u64 scratch[8];
    __shared__ double sums[SUMS][8];
    __shared__ int counts[4][8];
    start_successor();
    wait_for_predecessor();
    const int tile = blockIdx.x, first = tile * TILE + threadIdx.x * EACH;
    float logits[EACH];
    u32 allowed;
    read_tile(d, tile, logits, allowed);
    float most[2];
    for (int which = 0; which < 2; which++) {
        u64 firsts[FIRSTS];
        most[which] = finite(logit_of(read_firsts(d, which, firsts, scratch)));
        if (!d.listed) continue;
        // What comes after 64 firsts of shares is not among the first 64.
        u64 least = threshold(firsts, 4 * LISTED, counts), entries[EACH];
        int mine = 0;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            entries[i] = which == 0 || allowed >> i & 1 ? entry(logits[i], first + i) : 0;
            mine += entries[i] >= least;
        }
        // Nor is what comes after 64 of the same tile. With few allowed shares, a tile may have many more.
        if (block_count(mine, counts[2]) > LISTED) least = larger(least, threshold(entries, LISTED, counts));
#pragma unroll
        for (int i = 0; i < EACH; i++)
            if (entries[i] >= least) d.candidates[which * COLLECTED + atomicAdd(d.collected + which, 1)] = entries[i];
    }
    double sum[SUMS] = {};
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        float x, w = weight(logits[i], most[0], 1.f, x);
        sum[WHOLE] += w, sum[WHOLE_MOMENT] += w * x;
        if (allowed >> i & 1) {
            w = weight(logits[i], most[1], 1.f, x);
            sum[MASKED] += w, sum[MASKED_MOMENT] += w * x;
            sum[SHAPED] += weight(logits[i], most[1], d.inverse_temperature, x);
        }
    }
#pragma unroll
    for (int s = 0; s < SUMS; s++) {
        const double total = warp_sum(sum[s]);
        if (threadIdx.x % 32 == 0) sums[s][threadIdx.x / 32] = total;
    }
    __syncthreads();
    if (threadIdx.x < SUMS) {
        double total = 0;
        for (int warp = 0; warp < 8; warp++) total += sums[threadIdx.x][warp];
        d.sums[threadIdx.x * d.tiles + tile] = total;
    }
}

/// For every thread the sum over the threads up to it, and in `total` that over all.
DEVICE double block_scan(double x, double *scratch, double &total) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
        const double other = __shfl_up_sync(ALL_LANES, x, step);
        if (lane >= step) x += other;
    }
    __syncthreads();
    if (lane == 31) scratch[warp] = x;
    __syncthreads();
    total = 0;
    for (int w = 0; w < 8; w++) {
        if (w == warp) x += total;
        total += scratch[w];
    }
    return x;
}

/// The place where `left` falls among weights that lie one after the other: the first thread for which the weights
/// up to its own exceed it, or the last that has weight. `upto` is the sum up to this thread, its own weight included.
DEVICE int place_of(double left, double upto, bool has_weight, int *found) {
    if (threadIdx.x == 0) found[0] = 256, found[1] = 0;
    __syncthreads();
    if (has_weight && upto > left) atomicMin(found, threadIdx.x);
    if (has_weight) atomicMax(found + 1, threadIdx.x);
    __syncthreads();
    const int at = found[0] < 256 ? found[0] : found[1];
    __syncthreads();
    return at;
}

/// A token by its chance: first its tile, then its thread, then itself.
DEVICE int drawn_token(const Digest &d, float most) {
    __shared__ double scratch[8], rest;
    __shared__ int found[2], token;
    double total, weights = threadIdx.x < d.tiles ? d.sums[SHAPED * d.tiles + threadIdx.x] : 0;
    double upto = block_scan(weights, scratch, total);
    const int tile = place_of(d.u * total, upto, weights > 0, found);
    if (threadIdx.x == tile) rest = d.u * total - (upto - weights);
    __syncthreads();
    const double left = rest;

    float logits[EACH], weight_of[EACH];
    u32 allowed;
    read_tile(d, tile, logits, allowed);
    weights = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        float x;
        weight_of[i] = allowed >> i & 1 ? weight(logits[i], most, d.inverse_temperature, x) : 0;
        weights += weight_of[i];
    }
    upto = block_scan(weights, scratch, total);
    const int thread = place_of(left, upto, weights > 0, found);
    if (threadIdx.x == thread) {
        double behind = left - (upto - weights);
        int last = 0;
        for (int i = 0; i < EACH; i++) {
            if (!(weight_of[i] > 0)) continue;
            last = i;
            behind -= weight_of[i];
            if (behind < 0) break;
        }
        token = tile * TILE + thread * EACH + last;
    }
    __syncthreads();
    return token;
}

/// The first of `count` candidates, in order, each thread with so many of them.
template <int HELD>
DEVICE void list(const Digest &d, int which, u32 count, u64 *chosen, u64 *ranked, u32 &taken, int (*counts)[8]) {
    u64 entries[HELD];
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        const u32 at = i * 256 + threadIdx.x;
        entries[i] = at < count ? d.candidates[which * COLLECTED + at] : 0;
    }
    // Few enough that every thread can rank one of them.
    const u64 least = count > 256 ? threshold(entries, 256, counts) : 1;
#pragma unroll
    for (int i = 0; i < HELD; i++)
        if (entries[i] >= least) chosen[atomicAdd(&taken, 1)] = entries[i];
    __syncthreads();
    if (threadIdx.x >= taken) return;
    const u64 mine = chosen[threadIdx.x];
    int rank = 0;
    for (int i = 0; i < taken; i++) rank += chosen[i] > mine;
    if (rank < LISTED) ranked[rank] = mine;
}

/// A token of a list in order by its chance: first top-k, then top-p of what that leaves, then min-p, as the sampler
/// on the host does it, number by number. Where what is left may go on after the list, the host knows better.
DEVICE int token_of_list(const Digest &d, const u64 *ranked, int length, float most, double shaped) {
    __shared__ float weights[LISTED];
    __shared__ int place;
    if (threadIdx.x < length) {
        float x;
        weights[threadIdx.x] = weight(logit_of(ranked[threadIdx.x]), most, d.inverse_temperature, x);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        int kept = d.top_k > 0 && d.top_k < length ? d.top_k : length;
        if (d.top_p < 1) {
            double whole = shaped, sum = 0;
            if (d.top_k > 0) {
                whole = 0;
                for (int i = 0; i < kept; i++) whole += weights[i];
            }
            for (int i = 0; i < kept; i++) {
                sum += weights[i];
                if (sum >= d.top_p * whole) kept = i + 1;
            }
        }
        for (int i = 1; i < kept && d.min_p > 0; i++)
            if (weights[i] < d.min_p) kept = i;
        double total = 0;
        for (int i = 0; i < kept; i++) total += weights[i];
        double left = __dmul_rn(d.u, total);
        int at = 0;
        for (; at < kept - 1; at++) {
            left -= weights[at];
            if (left < 0) break;
        }
        place = at;
    }
    __syncthreads();
    return (int)~(u32)ranked[place];
}

extern "C" __global__ void __launch_bounds__(256) draw(const __grid_constant__ Digest all) {
    const Digest d = row_of(all);
    __shared__ u64 scratch[8];
    __shared__ int counts[4][8];
    __shared__ u64 chosen[256], ranked[LISTED];
    __shared__ u32 taken;
    __shared__ double shaped;
    start_successor();
    wait_for_predecessor();
    u64 firsts[FIRSTS];
    const u64 best = read_firsts(d, 0, firsts, scratch), best_allowed = read_firsts(d, 1, firsts, scratch);
    const bool draws = d.drawn && best_allowed;
    const float most = finite(logit_of(best_allowed));
    int token = (int)~(u32)best_allowed;
    if (draws && !d.cut) token = drawn_token(d, most);
    // The warps add up a sum each.
    const int sum_of = threadIdx.x / 32, lane = threadIdx.x % 32;
    if ((d.listed || d.drawn) && sum_of < SUMS) {
        double sum = 0;
        for (int i = lane; i < d.tiles; i += 32) sum += d.sums[sum_of * d.tiles + i];
        sum = warp_sum(sum);
        if (lane == 0) d.result->sums[sum_of] = sum;
        if (lane == 0 && sum_of == SHAPED) shaped = sum;
    }
    for (int which = 0; which < 2 && d.listed; which++) {
        const u32 count = d.collected[which];
        if (threadIdx.x == 0) taken = 0;
        if (threadIdx.x < LISTED) ranked[threadIdx.x] = 0;
        __syncthreads();
        if (threadIdx.x == 0) d.collected[which] = 0;
        if (count <= 2048) list<8>(d, which, count, chosen, ranked, taken, counts);
        else list<COLLECTED / 256>(d, which, count, chosen, ranked, taken, counts);
        __syncthreads();
        if (threadIdx.x < LISTED) d.result->lists[which][threadIdx.x] = ranked[threadIdx.x];
    }
    if (draws && d.cut) token = token_of_list(d, ranked, taken < LISTED ? taken : LISTED, most, shaped);
    if (threadIdx.x == 0) {
        if (d.inputs) d.inputs[0] = best_allowed ? (u32)token : 0, d.inputs[1] = d.position;
        const int asked = all.asked[blockIdx.y], shown = asked >= 0 ? asked : token;
        d.result->best[0] = best, d.result->best[1] = best_allowed;
        d.result->token = (u32)token;
        d.result->logit = best_allowed || asked >= 0 ? d.logits[shown] : LOWEST;
    }
}
