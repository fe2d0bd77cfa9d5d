//! How the product of a row with a matrix is shared out among blocks and warps.
//!
//! Knows no device: sizes in, numbers out.

use candle_core::quantized::GgmlDType;

/// Rows that go through a warp side by side in a ring.
pub const PAIR: usize = 2;
/// How many times 512 bytes of a row a place in a ring has.
pub const CHUNKS: usize = 2;
/// Threads of a block that multiplies with quantised weights.
pub const THREADS: usize = 512;
/// Bytes of a block's quantised weights that are brought near before the input is there.
pub const EARLY: usize = 96 << 10;
/// The widest input that can go through a norm.
pub const NORMED: usize = 8192;

/// Rows of a batch.
pub const BATCH: usize = 8;
/// Rows of weights that a warp has at once for a batch, and the bytes that it leaves for them.
const TALL: usize = 32;
const LEFT: usize = BATCH * (TALL + 4) * 4;

/// Of matrices of fewer bytes, much is read before the input is there, if a multiprocessor has two blocks.
const SMALL: usize = 20 << 20;
/// Matrices of as many bytes are read sooner in whole pieces and by more warps.
const LARGE: usize = 64 << 20;

/// A kernel whose warps have rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Whether one lane has whole pieces of rows copied.
    is_whole: bool,
    warps: usize,
    /// Places of a ring.
    slots: usize,
}

/// All of them.
pub const RINGS: [Ring; 6] = {
    const fn ring(is_whole: bool, warps: usize, slots: usize) -> Ring {
        Ring { is_whole, warps, slots }
    }
    [
        ring(true, 16, 3),
        ring(true, 16, 2),
        ring(false, 16, 3),
        ring(false, 8, 6),
        ring(false, 8, 4),
        ring(false, 8, 2),
    ]
};

impl Ring {
    /// Its name.
    pub fn kernel(&self) -> String {
        format!("{}{}x{}_bf16", if self.is_whole { "whole" } else { "ring" }, self.warps, self.slots)
    }

    /// Those that are good for a matrix of so many bytes, best first.
    fn of(bytes: usize) -> &'static [Self] {
        match bytes {
            ..SMALL => &RINGS[3..],
            SMALL..LARGE => &RINGS[2..],
            _ => &RINGS,
        }
    }
}

/// How a type of weights lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The kernels' name for it.
    pub name: &'static str,
    /// Columns of a unit.
    pub columns: usize,
    /// Bytes of a unit.
    pub bytes: usize,
    /// Lanes that share a unit.
    pub lanes: usize,
    /// Rows that go through a warp side by side.
    rows: usize,
}

impl Layout {
    /// That of a type, if there are kernels for it.
    pub fn of(dtype: GgmlDType) -> Option<Self> {
        let (name, columns, bytes, lanes, rows) = match dtype {
            GgmlDType::BF16 => ("bf16", 8, 16, 1, PAIR),
            GgmlDType::Q4K => ("q4k", 256, 144, 8, 8),
            GgmlDType::Q6K => ("q6k", 256, 210, 8, 4),
            GgmlDType::Q8_0 => ("q80", 32, 34, 2, 4),
            _ => return None,
        };
        Some(Self { name, columns, bytes, lanes, rows })
    }

    /// Bytes of a row.
    pub fn pitch(&self, columns: usize) -> usize {
        columns / self.columns * self.bytes
    }

    /// Bytes that an input takes in shared memory.
    fn input(&self, columns: usize) -> usize {
        if self.lanes == 1 { 4 * columns } else { 2 * columns + columns / 32 * 12 }
    }
}

/// The sizes of a device that matter here.
#[derive(Clone, Copy, Debug)]
pub struct Chip {
    /// Multiprocessors.
    pub processors: usize,
    /// Bytes of shared memory that a block can have.
    pub shared: usize,
}

/// How one product is shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The kernel.
    pub kernel: String,
    /// Blocks.
    pub blocks: usize,
    /// Threads of a block.
    pub threads: usize,
    /// Warps that share a row.
    pub split: usize,
    /// Rows that a block has at most.
    pub most: usize,
    /// Bytes of shared memory of a block.
    pub shared: usize,
    /// Bytes of a block's weights that are brought near before the input is there.
    pub early: usize,
}

impl Plan {
    /// The plan for `rows` times `columns` weights, if the kernels can do it. `gated`: the first half of
    /// the rows is the gate, the other the up projection.
    pub fn new(layout: &Layout, rows: usize, columns: usize, gated: bool, chip: Chip) -> Option<Self> {
        // Whole warps lay the input out, four numbers a lane.
        if rows == 0 || !columns.is_multiple_of(128) || !columns.is_multiple_of(layout.columns) {
            return None;
        }
        let outputs = if gated { rows / 2 } else { rows };
        let most = outputs.div_ceil(chip.processors) * if gated { 2 } else { 1 };
        let units = columns / layout.columns;
        let plan = |kernel, warps: usize, split, ring| Self {
            kernel,
            blocks: chip.processors,
            threads: 32 * warps,
            split,
            most,
            shared: ring + layout.input(columns) + (4 * most * split).next_multiple_of(16),
            early: if ring == 0 { EARLY } else { 0 },
        };
        if layout.lanes > 1 {
            let warps = THREADS / 32;
            let split = split(warps, |split| {
                let turns = (units.div_ceil(split) * layout.lanes).div_ceil(32);
                let rounds = most.div_ceil(layout.rows).div_ceil(warps / split);
                (split <= units).then_some(rounds * ((8 + layout.rows) * turns + 2))
            })?;
            let plan = plan(format!("product_{}", layout.name), warps, split, 0);
            return (plan.shared <= chip.shared).then_some(plan);
        }
        Ring::of(rows * layout.pitch(columns))
            .iter()
            .filter_map(|ring| {
                let Ring { warps, slots, .. } = *ring;
                let split = split(warps, |split| {
                    let turns = units.div_ceil(split).div_ceil(32);
                    let rounds = most.div_ceil(PAIR).div_ceil(warps / split);
                    (split <= units).then_some(rounds * (PAIR * turns + 2 * turns.div_ceil(CHUNKS) + 2))
                })?;
                Some(plan(ring.kernel(), warps, split, warps * slots * PAIR * CHUNKS * 512))
            })
            .find(|plan| plan.shared <= chip.shared)
    }

    /// The same for a batch.
    pub fn batch(layout: &Layout, rows: usize, columns: usize, gated: bool, chip: Chip) -> Option<Self> {
        if rows == 0 || !columns.is_multiple_of(128) || !columns.is_multiple_of(layout.columns) {
            return None;
        }
        let outputs = if gated { rows / 2 } else { rows };
        // More blocks have fewer rows each.
        (1..=outputs.div_ceil(chip.processors)).find_map(|times| {
            let blocks = times * chip.processors;
            let most = outputs.div_ceil(blocks) * if gated { 2 } else { 1 };
            let shared = (most.div_ceil(TALL) + THREADS / 32 - 1) * LEFT;
            let kernel = format!("batch_{}", layout.name);
            let plan = Self { kernel, blocks, threads: THREADS, split: 1, most, shared, early: EARLY };
            (shared <= chip.shared).then_some(plan)
        })
    }
}

/// The number of warps a row that costs least. It divides that of all.
fn split(warps: usize, cost: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    let splits = (0..).map(|i| 1 << i).take_while(|split| *split <= warps);
    let splits = splits.filter(|split| warps.is_multiple_of(*split));
    splits.filter_map(|split| cost(split).map(|cost| (cost, split))).min().map(|(_, split)| split)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::model::random::Shape;

    const H200: Chip = Chip { processors: 132, shared: 226 << 10 };

    #[test]
    fn every_product_of_the_known_shapes_has_a_plan() {
        for dtype in [GgmlDType::BF16, GgmlDType::Q8_0, GgmlDType::Q4K, GgmlDType::Q6K] {
            for shape in [Shape::Qwen05, Shape::Qwen15, Shape::Qwen7, Shape::Qwen32] {
                let (c, layout) = (shape.config(), Layout::of(dtype).unwrap());
                if !c.hidden.is_multiple_of(layout.columns) {
                    continue;
                }
                let products = [
                    (c.q_width() + 2 * c.kv_width(), c.hidden, false),
                    (c.hidden, c.q_width(), false),
                    (2 * c.intermediate, c.hidden, true),
                    (c.hidden, c.intermediate, false),
                    (c.vocab, c.hidden, false),
                ];
                for (rows, columns, gated) in products {
                    let plan = Plan::new(&layout, rows, columns, gated, H200);
                    let plan = plan.unwrap_or_else(|| panic!("{dtype:?} {rows} x {columns}"));
                    assert!(plan.shared <= H200.shared, "{plan:?}");
                    assert!(plan.most * plan.blocks >= rows, "{plan:?} leaves rows out");
                    assert!((plan.threads / 32).is_multiple_of(plan.split), "{plan:?}");
                    assert!(plan.split <= columns / layout.columns, "{plan:?} has warps without columns");
                    let batch = Plan::batch(&layout, rows, columns, gated, H200).unwrap();
                    assert_eq!((batch.blocks, batch.most), (plan.blocks, plan.most), "{batch:?}");
                }
            }
        }
    }

    #[test]
    fn what_the_kernels_cannot_do_has_no_plan() {
        let bf16 = Layout::of(GgmlDType::BF16).unwrap();
        assert_eq!(Plan::new(&bf16, 100, 100, false, H200), None);
        assert_eq!(Plan::new(&bf16, 100, 1 << 17, false, H200), None, "the input does not fit");
        let q4k = Layout::of(GgmlDType::Q4K).unwrap();
        assert_eq!(Plan::new(&q4k, 100, 896, false, H200), None);
        assert_eq!(Plan::batch(&q4k, 100, 896, false, H200), None);
        assert_eq!(Layout::of(GgmlDType::Q3K), None);
    }

    #[test]
    fn where_a_batch_has_no_room_for_its_sums_there_are_more_blocks() {
        let (bf16, small) = (Layout::of(GgmlDType::BF16).unwrap(), Chip { processors: 30, shared: 99 << 10 });
        let plan = Plan::batch(&bf16, 152_064, 1024, false, small).unwrap();
        assert!(plan.blocks > 30 && plan.blocks.is_multiple_of(30), "{plan:?}");
        assert!(plan.shared <= small.shared && plan.most * plan.blocks >= 152_064, "{plan:?}");
    }

    #[test]
    fn a_row_is_shared_where_there_are_fewer_rows_than_warps() {
        let bf16 = Layout::of(GgmlDType::BF16).unwrap();
        assert!(Plan::new(&bf16, 896, 4864, false, H200).unwrap().split > 1);
        assert_eq!(Plan::new(&bf16, 152_064, 3584, false, H200).unwrap().split, 1);
    }
}
