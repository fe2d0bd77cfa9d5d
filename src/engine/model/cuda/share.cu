// Which outputs of a product a block has, where their weights lie, and what becomes of their sums.
//
// The host knows the struct too, see kernels.rs.

/// Rows of the input of a batch.
static constexpr int BATCH = 8;

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
    /// Of a batch: numbers from one row of the output to the next.
    int stride;
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

    /// Brings the first of the weights near.
    DEVICE void bring_first(const Product &p) const {
        if (threadIdx.x >= (gated ? 2 : 1)) return;
        const u64 begin = ((u64)p.weights + (u64)(threadIdx.x * outputs + first) * p.pitch) & ~15ull;
        const u64 share = (u64)(last - first) * p.pitch, early = p.early / (gated ? 2 : 1);
        bring((const void *)begin, (u32)((share < early ? share : early) & ~15ull));
    }
};

/// What the sum of an output is added to. `at`: where that goes.
DEVICE float base(const Product &p, int output, u64 at) {
    const float bias = p.bias ? p.bias[output] : 0.f;
    return p.mode == ADD ? bias + p.output[at] : bias;
}

/// One number out of the gate's sum and that of the up projection.
DEVICE float gated(const Product &p, const Share &s, int output, float gate, float up) {
    if (p.bias) up += p.bias[s.outputs + output];
    return gate / (1.f + __expf(-gate)) * up;
}
