"""A Qwen2 GGUF of a real shape with random weights, for measuring. Needs numpy and gguf.

python3 benches/gpu/gguf_file.py OUT SHAPE TYPE, where SHAPE is 0.5b, 1.5b, 7b or 32b and TYPE bf16 or q4_k.
"""
import itertools
import sys

import gguf
import numpy as np

# Hidden and inner width, layers, query heads, key heads, vocabulary, whether the embedding is the head.
SHAPES = {
    "0.5b": (896, 4864, 24, 14, 2, 151_936, True),
    "1.5b": (1536, 8960, 28, 12, 2, 151_936, True),
    "7b": (3584, 18_944, 28, 28, 4, 152_064, False),
    "32b": (5120, 27_648, 64, 40, 8, 152_064, False),
}


def byte_names():
    """The characters that stand for bytes in byte-level vocabularies."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = itertools.count(256)
    return [chr(b) if b in plain else chr(next(spare)) for b in range(256)]


def words(count):
    """So many different tokens, the end among them."""
    tokens = dict.fromkeys(byte_names() + ["ab"])
    letters = "abcdefghijklmnopqrstuvwxyz_\u0120("
    for length in (2, 3, 4):
        for word in itertools.product(letters, repeat=length):
            if len(tokens) == count - 1:
                return [*tokens, "<|endoftext|>"]
            tokens["".join(word)] = None
    raise ValueError("too few words")


def main(out, shape, kind):
    hidden, inner, layers, heads, kv_heads, vocab, tied = SHAPES[shape]
    head = hidden // heads
    random = np.random.default_rng(1)
    # Tensors repeat the same numbers, which no timing notices.
    plain = (random.standard_normal(1 << 24, dtype=np.float32) * 0.02).view(np.uint32) >> 16
    blocks = random.integers(0, 256, (1 << 18, 144), dtype=np.uint8)
    blocks[:, 0:2] = np.frombuffer(np.float16(2e-4).tobytes(), np.uint8)
    blocks[:, 2:4] = np.frombuffer(np.float16(1.5e-3).tobytes(), np.uint8)
    is_plain = kind == "bf16"
    data = plain.astype(np.uint16).view(np.uint8) if is_plain else blocks.reshape(-1)
    # As much as the largest matrix has: the others are views of it, so that no more memory is needed.
    data = np.resize(data, vocab * (hidden * 2 if is_plain else hidden // 256 * 144))
    dtype = gguf.GGMLQuantizationType.BF16 if is_plain else gguf.GGMLQuantizationType.Q4_K

    file = gguf.GGUFWriter(out, "qwen2")
    file.add_context_length(32_768)
    file.add_embedding_length(hidden)
    file.add_block_count(layers)
    file.add_feed_forward_length(inner)
    file.add_head_count(heads)
    file.add_head_count_kv(kv_heads)
    file.add_layer_norm_rms_eps(1e-6)
    file.add_rope_freq_base(1e6)
    file.add_file_type(32 if is_plain else 15)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("qwen2")
    file.add_token_list(words(vocab))
    file.add_token_types([1] * (vocab - 1) + [3])
    file.add_token_merges(["a b"])
    file.add_eos_token_id(vocab - 1)
    file.add_pad_token_id(vocab - 1)
    file.add_add_bos_token(False)

    def matrix(name, rows, columns):
        row = columns * 2 if is_plain else columns // 256 * 144
        file.add_tensor(f"{name}.weight", data[: rows * row].reshape(rows, row), raw_dtype=dtype)

    def vector(name, make, length):
        file.add_tensor(name, make(length, np.float32))

    matrix("token_embd", vocab, hidden)
    for layer in range(layers):
        block = f"blk.{layer}."
        vector(f"{block}attn_norm.weight", np.ones, hidden)
        vector(f"{block}ffn_norm.weight", np.ones, hidden)
        for part, rows in (("q", heads * head), ("k", kv_heads * head), ("v", kv_heads * head)):
            matrix(f"{block}attn_{part}", rows, hidden)
            vector(f"{block}attn_{part}.bias", np.zeros, rows)
        matrix(f"{block}attn_output", hidden, heads * head)
        matrix(f"{block}ffn_gate", inner, hidden)
        matrix(f"{block}ffn_up", inner, hidden)
        matrix(f"{block}ffn_down", hidden, inner)
    vector("output_norm.weight", np.ones, hidden)
    if not tied:
        matrix("output", vocab, hidden)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


main(*sys.argv[1:4])
