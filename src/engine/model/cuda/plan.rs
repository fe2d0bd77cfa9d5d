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
/// Rows that go through a warp side by side, of quantised weights.
pub const ROWS: usize = 4;
/// Bytes of a block's quantised weights that are brought near before the input is there.
pub const EARLY: usize = 96 << 10;
/// The widest input that can go through a norm.
pub const NORMED: usize = 8192;

/// Matrices of fewer bytes are read sooner by fewer warps.
const SMALL: usize = 20 << 20;
/// Warps and places of a ring, best first.
const RINGS: [(usize, usize); 6] = [(16, 3), (16, 2), (12, 3), (8, 3), (12, 2), (8, 2)];

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
}

impl Layout {
    /// That of a type, if there are kernels for it.
    pub fn of(dtype: GgmlDType) -> Option<Self> {
        let (name, columns, bytes, lanes) = match dtype {
            GgmlDType::BF16 => ("bf16", 8, 16, 1),
            GgmlDType::Q4K => ("q4k", 256, 144, 8),
            GgmlDType::Q6K => ("q6k", 256, 210, 8),
            GgmlDType::Q8_0 => ("q80", 32, 34, 2),
            _ => return None,
        };
        Some(Self { name, columns, bytes, lanes })
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
        };
        if layout.lanes > 1 {
            let warps = THREADS / 32;
            let split = split(warps, |split| {
                let turns = (units.div_ceil(split) * layout.lanes).div_ceil(32);
                let rounds = most.div_ceil(ROWS).div_ceil(warps / split);
                (split <= units).then_some(rounds * ((8 + ROWS) * turns + 2))
            })?;
            let plan = plan(format!("product_{}", layout.name), warps, split, 0);
            return (plan.shared <= chip.shared).then_some(plan);
        }
        let is_small = rows * layout.pitch(columns) < SMALL;
        let rings = RINGS.into_iter().filter(|(warps, _)| !is_small || *warps == 8);
        rings
            .filter_map(|(warps, slots)| {
                let split = split(warps, |split| {
                    let turns = units.div_ceil(split).div_ceil(32);
                    let rounds = most.div_ceil(PAIR).div_ceil(warps / split);
                    (split <= units).then_some(rounds * (PAIR * turns + 2 * turns.div_ceil(CHUNKS) + 2))
                })?;
                let ring = warps * slots * PAIR * CHUNKS * 512;
                Some(plan(format!("ring{slots}_{}", layout.name), warps, split, ring))
            })
            .find(|plan| plan.shared <= chip.shared)
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
                }
            }
        }
    }

    #[test]
    fn what_the_kernels_cannot_do_has_no_plan() {
        let bf16 = Layout::of(GgmlDType::BF16).unwrap();
        assert_eq!(Plan::new(&bf16, 100, 100, false, H200), None);
        assert_eq!(Plan::new(&bf16, 100, 1 << 17, false, H200), None, "the input does not fit");
        assert_eq!(Plan::new(&Layout::of(GgmlDType::Q4K).unwrap(), 100, 896, false, H200), None);
        assert_eq!(Layout::of(GgmlDType::Q3K), None);
    }

    #[test]
    fn a_row_is_shared_where_there_are_fewer_rows_than_warps() {
        let bf16 = Layout::of(GgmlDType::BF16).unwrap();
        assert!(Plan::new(&bf16, 896, 4864, false, H200).unwrap().split > 1);
        assert_eq!(Plan::new(&bf16, 152_064, 3584, false, H200).unwrap().split, 1);
    }
}
