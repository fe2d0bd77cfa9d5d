"""Tokens per second of the program, with grammar and record of every step, against llama.cpp without a grammar.

Both decode greedily with the same file, the same number of threads, the same length of prompt, by turns in one run.
"""

import ctypes
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from . import gguf

TOKENS, ROUNDS = 256, 5


def text_value(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def without_vocabulary(path, copy):
    """Writes a copy that llama.cpp loads: the metadata says that there is no vocabulary."""
    with open(path, "rb") as file:
        data = file.read()
    reader = gguf.Reader(data)
    head = [reader.scalar(form) for form in ("<I", "<I", "<Q", "<Q")]
    names, start = set(), reader.at
    for _ in range(head[3]):
        names.add(reader.text())
        reader.value(reader.scalar("<I"))
    pairs_end = reader.at
    for _ in range(head[2]):
        reader.text()
        for _ in range(reader.scalar("<I")):
            reader.scalar("<Q")
        reader.scalar("<I"), reader.scalar("<Q")
    added, count = b"", 0
    if "tokenizer.ggml.model" not in names:
        added = text_value("tokenizer.ggml.model") + struct.pack("<I", gguf.STRING) + text_value("no_vocab")
        count = 1
    table = data[start:pairs_end] + added + data[pairs_end : reader.at]
    header = struct.pack("<IIQQ", head[0], head[1], head[2], head[3] + count) + table
    tensors = data[-(-reader.at // 32) * 32 :]
    with open(copy, "wb") as file:
        file.write(header + b"\0" * (-len(header) % 32) + tensors)


class PoolSettings(ctypes.Structure):
    """ggml's `ggml_threadpool_params`."""

    _fields_ = [
        ("cpumask", ctypes.c_bool * 512),
        ("n_threads", ctypes.c_int),
        ("prio", ctypes.c_int),
        ("poll", ctypes.c_uint32),
        ("strict_cpu", ctypes.c_bool),
        ("paused", ctypes.c_bool),
    ]


def keep_threads(llama_cpp, context, threads):
    """Gives a context threads that stay, as llama.cpp's own programs do; without them each token starts new ones.

    Where the libraries have no such functions, OpenMP keeps the threads.
    """
    folder = os.path.join(os.path.dirname(llama_cpp.__file__), "lib")
    try:
        base = ctypes.CDLL(os.path.join(folder, "libggml-base.so"))
        cpu = ctypes.CDLL(os.path.join(folder, "libggml-cpu.so"))
        llama = ctypes.CDLL(os.path.join(folder, "libllama.so"))
        settings = PoolSettings()
        base.ggml_threadpool_params_init(ctypes.byref(settings), ctypes.c_int(threads))
        cpu.ggml_threadpool_new.restype = ctypes.c_void_p
        pool = ctypes.c_void_p(cpu.ggml_threadpool_new(ctypes.byref(settings)))
        llama.llama_attach_threadpool(ctypes.c_void_p(context), pool, pool)
    except (OSError, AttributeError) as error:
        print(f"speed: llama.cpp starts its threads by itself ({error})", file=sys.stderr)


class LlamaCpp:
    """The model in llama.cpp through its C interface, token ids in and logits out."""

    def __init__(self, path, threads, context):
        import llama_cpp

        self.api = llama_cpp
        quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        self.quiet = quiet
        llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        settings = llama_cpp.llama_model_default_params()
        settings.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), settings)
        if not self.model:
            raise RuntimeError("llama.cpp cannot load the file")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch = context, context
        settings.n_threads = settings.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        if threads > 1:
            keep_threads(llama_cpp, self.context, threads)

    def decode(self, tokens):
        array = (self.api.llama_token * len(tokens))(*tokens)
        if self.api.llama_decode(self.context, self.api.llama_batch_get_one(array, len(tokens))):
            raise RuntimeError("llama.cpp cannot decode")

    def greedy(self, prompt, count, vocabulary):
        """The tokens chosen after a prompt and the tokens per second of all after it; an end token does not end it."""
        import numpy as np

        memory = self.api.llama_get_memory(self.context)
        self.api.llama_memory_clear(memory, True)
        self.decode(prompt)
        chosen, start = [], time.perf_counter()
        for _ in range(count):
            logits = self.api.llama_get_logits_ith(self.context, -1)
            chosen.append(int(np.ctypeslib.as_array(logits, (vocabulary,)).argmax()))
            self.decode(chosen[-1:])
        return chosen, count / (time.perf_counter() - start)


def serve(path, threads, context, vocabulary):
    """A process of its own for llama.cpp: a line of JSON in, a line out."""
    model = LlamaCpp(path, threads, context)
    for line in sys.stdin:
        prompt, count = json.loads(line)
        print(json.dumps(model.greedy(prompt, count, vocabulary)), flush=True)


def measure(model, maze, threads, prompt_tokens, say):
    """Medians of both by turns, and their ratio; without llama.cpp those of the program alone."""
    vocabulary = model.weights["token_embd.weight"].shape[0]
    prompt = model.encode("# Return the sum of the numbers in a list.\n" * 200)[: prompt_tokens - 8]
    prompt += model.encode("def total(numbers):\n")[1:]
    rates = {"grammar, trace": [], "free": [], "llama.cpp": []}
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        copy = os.path.join(folder, "model.gguf")
        without_vocabulary(model.path, copy)
        home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        code = "import sys; sys.path.insert(0, sys.argv[1]); from quality import speed; "
        code += "speed.serve(sys.argv[2], *map(int, sys.argv[3:]))"
        numbers = [str(number) for number in (threads, model.context, vocabulary)]
        other = subprocess.Popen(
            [sys.executable, "-c", code, home, copy, *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def ask(count):
            try:
                other.stdin.write(json.dumps([prompt, count]) + "\n")
                other.stdin.flush()
                return json.loads(other.stdout.readline())
            except (BrokenPipeError, ValueError):
                return None

        has_other = ask(16) is not None
        if not has_other:
            say("speed: llama.cpp left out, llama_cpp is not installed or does not load the file")
        for number in range(ROUNDS):
            result = maze.run(
                ["bench", "--model", maze.model, "--device", "cpu", "--language", "python", "--rounds", "1"]
                + ["--prompt-tokens", str(prompt_tokens), "--tokens", str(TOKENS)],
                {"RAYON_NUM_THREADS": str(threads)},
            )
            for row in result["rows"]:
                if row["name"] in rates:
                    rates[row["name"]].append(row["median"]["tokens_per_second"])
            if has_other:
                rates["llama.cpp"].append(ask(TOKENS)[1])
            say(
                f"speed: round {number + 1}: "
                + ", ".join(f"{name} {rate[-1]:.0f}" for name, rate in rates.items() if rate)
            )
        other.stdin.close()
        other.wait(30)
    medians = {name: statistics.median(rate) for name, rate in rates.items() if rate}
    ratio = medians["grammar, trace"] / medians["llama.cpp"] if has_other else None
    return {"threads": threads, "rounds": ROUNDS, "rates": rates, "medians": medians, "ratio": ratio}
