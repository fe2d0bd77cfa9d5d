// What the kernels share: numbers, reductions, copies that run by themselves, and the order of kernels.
//
// Compiled at run time, without any header. Every kernel starts before the one in front of it has
// ended. Until it calls `wait_for_predecessor` it may touch nothing but weights, which never change.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define DEVICE __device__ __forceinline__
#define LOWEST __int_as_float(0xff800000)

static constexpr u32 ALL_LANES = 0xffffffffu;

DEVICE void start_successor() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

DEVICE void wait_for_predecessor() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

DEVICE float low_bf16(u32 pair) { return __uint_as_float(pair << 16); }
DEVICE float high_bf16(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }
DEVICE float from_bf16(u16 x) { return __uint_as_float((u32)x << 16); }

/// Rounds to nearest, ties to even. Not for NaN.
DEVICE u16 to_bf16(float x) {
    u32 bits = __float_as_uint(x);
    return (u16)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

DEVICE float from_f16(u16 x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
    return y;
}

template <class T> DEVICE T warp_sum(T x) {
#pragma unroll
    for (int step = 16; step; step /= 2) x += __shfl_xor_sync(ALL_LANES, x, step);
    return x;
}

/// The sum over the block, for every thread. `scratch` holds one number per warp.
DEVICE float block_sum(float x, float *scratch) {
    x = warp_sum(x);
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < blockDim.x / 32; warp++) sum += scratch[warp];
    return sum;
}

/// 16 bytes that are read once.
DEVICE uint4 stream(const void *from) {
    uint4 x;
    asm("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
        : "l"(from));
    return x;
}

/// Has memory brought into the second cache. Address and size are multiples of 16.
DEVICE void bring(const void *from, u32 bytes) {
#if __CUDA_ARCH__ >= 900
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(from), "r"(bytes) : "memory");
#endif
}

/// Copies 16 bytes to shared memory in the background. Both addresses are multiples of 16.
DEVICE void copy_aside(u32 to, const void *from) {
    asm volatile("cp.async.cg.shared.global.L2::256B [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

/// Ends a group of copies, which may be empty.
DEVICE void end_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until no more than so many groups are under way.
template <int LEFT> DEVICE void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory"); }
