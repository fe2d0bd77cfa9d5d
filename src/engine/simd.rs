//! The widest vector instructions that the processor has.
//!
//! The program is compiled for every processor of its architecture; what is computed inside of
//! [`wide`] is compiled once more for AVX2 and chosen at run time. This file must never compute
//! anything itself.

#[cfg(target_arch = "x86_64")]
use std::sync::LazyLock;

/// Whether the processor has AVX2.
pub fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return V3.is_some();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// AVX2 and what comes with it, if the processor has it.
#[cfg(target_arch = "x86_64")]
static V3: LazyLock<Option<pulp::x86::V3>> = LazyLock::new(pulp::x86::V3::try_new);

/// Something to compute with AVX2 instructions.
#[cfg(target_arch = "x86_64")]
pub trait Avx2Task {
    /// What comes out.
    type Output;

    /// Must be `#[inline(always)]`, or the instructions become calls.
    fn run(self, v3: pulp::x86::V3) -> Self::Output;
}

/// Runs the task, if the processor has AVX2.
#[cfg(target_arch = "x86_64")]
pub fn with_avx2<T: Avx2Task>(task: T) -> Option<T::Output> {
    struct Call<T>(pulp::x86::V3, T);
    impl<T: Avx2Task> pulp::NullaryFnOnce for Call<T> {
        type Output = T::Output;

        #[inline(always)]
        fn call(self) -> T::Output {
            self.1.run(self.0)
        }
    }
    V3.map(|v3| v3.vectorize(Call(v3, task)))
}

/// Runs `f` compiled for AVX2 where the processor has it.
#[inline(always)]
pub fn wide<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = *V3 {
        return v3.vectorize(f);
    }
    f()
}
