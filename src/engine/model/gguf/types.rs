//! The block types that a GGUF file may name.
//!
//! All of ggml's, so that a header can be checked and a type that we do not compute with can be
//! called by its name. Numbers and sizes: `ggml.h` and `ggml-common.h` of
//! <https://github.com/ggml-org/ggml>.

use candle_core::quantized::GgmlDType;

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockType {
    /// The name that people know it by.
    pub name: &'static str,
    /// Numbers in a block.
    pub elements: u64,
    /// Bytes of a block.
    pub bytes: u64,
    /// The type to compute with, if there is one.
    pub dtype: Option<GgmlDType>,
}

/// What to use instead, for messages.
pub const SUPPORTED: &str = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K";

impl BlockType {
    /// The block type of ggml's number.
    pub fn of(number: u32) -> Option<Self> {
        use GgmlDType as D;
        let (name, elements, bytes, dtype) = match number {
            0 => ("f32", 1, 4, Some(D::F32)),
            1 => ("f16", 1, 2, Some(D::F16)),
            2 => ("Q4_0", 32, 18, Some(D::Q4_0)),
            3 => ("Q4_1", 32, 20, Some(D::Q4_1)),
            6 => ("Q5_0", 32, 22, Some(D::Q5_0)),
            7 => ("Q5_1", 32, 24, Some(D::Q5_1)),
            8 => ("Q8_0", 32, 34, Some(D::Q8_0)),
            9 => ("Q8_1", 32, 40, None),
            10 => ("Q2_K", 256, 84, Some(D::Q2K)),
            11 => ("Q3_K", 256, 110, Some(D::Q3K)),
            12 => ("Q4_K", 256, 144, Some(D::Q4K)),
            13 => ("Q5_K", 256, 176, Some(D::Q5K)),
            14 => ("Q6_K", 256, 210, Some(D::Q6K)),
            15 => ("Q8_K", 256, 292, None),
            16 => ("IQ2_XXS", 256, 66, None),
            17 => ("IQ2_XS", 256, 74, None),
            18 => ("IQ3_XXS", 256, 98, None),
            19 => ("IQ1_S", 256, 50, None),
            20 => ("IQ4_NL", 32, 18, None),
            21 => ("IQ3_S", 256, 110, None),
            22 => ("IQ2_S", 256, 82, None),
            23 => ("IQ4_XS", 256, 136, None),
            24 => ("I8", 1, 1, None),
            25 => ("I16", 1, 2, None),
            26 => ("I32", 1, 4, None),
            27 => ("I64", 1, 8, None),
            28 => ("F64", 1, 8, None),
            29 => ("IQ1_M", 256, 56, None),
            30 => ("bf16", 1, 2, Some(D::BF16)),
            34 => ("TQ1_0", 256, 54, None),
            35 => ("TQ2_0", 256, 66, None),
            39 => ("MXFP4", 32, 17, None),
            40 => ("NVFP4", 64, 36, None),
            41 => ("Q1_0", 128, 18, None),
            _ => return None,
        };
        Some(Self { name, elements, bytes, dtype })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_candle() {
        let known: Vec<_> = (0..64).filter_map(BlockType::of).collect();
        assert_eq!(known.len(), 34);
        let computed: Vec<_> = known.iter().filter_map(|t| Some((t, t.dtype?))).collect();
        for (block, dtype) in &computed {
            let theirs = (dtype.block_size() as u64, dtype.type_size() as u64);
            assert_eq!((block.elements, block.bytes), theirs, "{}", block.name);
        }
        let names: Vec<_> = computed.iter().map(|(t, _)| t.name.to_uppercase()).collect();
        let mut listed: Vec<_> = SUPPORTED.split(", ").collect();
        listed.sort_unstable();
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(listed, names);
    }
}
