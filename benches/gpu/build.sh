#!/bin/sh
# Builds maze with the feature `cuda` where no CUDA toolkit is installed and no GPU is there, as in CI: the compiler
# comes from Python packages, and the driver's library is an empty one to link against.
#
# benches/gpu/build.sh FOLDER [cargo's arguments]: FOLDER is where the compiler is put. Needs pip and cc.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift
cuda=$folder/cuda
if [ ! -e "$cuda/bin/nvcc" ]; then
    # All of one minor version: with another nvvm or crt, ptxas fails.
    python3 -m pip install --no-deps --target "$folder/packages" \
        nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
        nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-cuda-nvrtc==13.0.88
    mkdir -p "$cuda"
    for part in bin include lib nvvm; do ln -sfn "$folder/packages/nvidia/cu13/$part" "$cuda/$part"; done
    ln -sfn lib "$cuda/lib64"
    for library in "$cuda"/lib/*.so.*; do ln -sf "$library" "${library%%.so*}.so"; done
    for name in cuda.1 cublas.13 cublasLt.13 curand.10; do
        echo | cc -shared -x c - -o "$cuda/lib/lib${name%.*}.so" "-Wl,-soname,lib${name%.*}.so.${name##*.}"
    done
fi
export CUDA_HOME="$cuda" CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-90}" PATH="$cuda/bin:$PATH"
export RUSTFLAGS="-L native=$cuda/lib -C link-arg=-Wl,--no-as-needed -C link-arg=-Wl,--unresolved-symbols=ignore-all"
exec cargo build --release --features cuda "$@"
