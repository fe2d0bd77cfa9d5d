"""Runs the program: generation under its shipped grammars, as a person would start it."""

import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from .decoder import Sample
from .requests import GRAMMARS

# Of a model whose tokenizer has no template yet: the turns that it was trained with.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FINISHED = ("grammar_complete", "eos")


class Maze:
    """A binary with a model: the file beside its tokenizer, in a folder of its own that is removed at the end."""

    def __init__(self, binary, model, jobs):
        self.binary, self.jobs = os.path.abspath(binary), jobs
        self.folder = tempfile.TemporaryDirectory(prefix="quality-")
        place = lambda name: os.path.join(self.folder.name, name)
        self.model = place("model.gguf")
        os.symlink(os.path.abspath(model.path), self.model)
        os.symlink(os.path.abspath(model.tokenizer_path), place("tokenizer.json"))
        beside = os.path.dirname(os.path.abspath(model.tokenizer_path))
        config = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "add_bos_token": True}
        if os.path.exists(os.path.join(beside, "tokenizer_config.json")):
            with open(os.path.join(beside, "tokenizer_config.json"), encoding="utf-8") as file:
                config = json.load(file)
        if os.path.exists(os.path.join(beside, "chat_template.jinja")):
            shutil.copy(os.path.join(beside, "chat_template.jinja"), place("chat_template.jinja"))
        else:
            config.setdefault("chat_template", TEMPLATE)
        with open(place("tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        with open(place("generation_config.json"), "w", encoding="utf-8") as file:
            json.dump({"bos_token_id": model.start, "eos_token_id": model.ends}, file)

    def environment(self):
        """The caller's, without settings of the program."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAZE_")}
        return kept | {"XDG_CONFIG_HOME": self.folder.name, "XDG_STATE_HOME": self.folder.name}

    def run(self, arguments, environment=None):
        """What a command prints as JSON; the object is there also when a run did not end well."""
        command = [self.binary, arguments[0], "--json", *arguments[1:]]
        process = subprocess.run(command, capture_output=True, text=True, env=self.environment() | (environment or {}))
        if not process.stdout.strip():
            raise RuntimeError(f"{' '.join(command)} failed: {process.stderr.strip()}")
        return json.loads(process.stdout)

    def generate(self, kind, prompt, turn, entry, most_tokens, temperature, seed):
        """One `Sample` under the grammar of a kind; `turn` is what is said in a chat, else the prompt goes in raw."""
        arguments = ["generate", "--model", self.model, "--device", "cpu", "--language", GRAMMARS[kind]]
        arguments += ["--max-tokens", str(most_tokens), "--temperature", str(temperature), "--seed", str(seed)]
        arguments += ["--entry", entry] if entry else []
        arguments += ["--chat" if turn else "--raw", "--", turn or prompt]
        result = self.run(arguments, {"RAYON_NUM_THREADS": "1"})
        return Sample(result["text"], result["tokens"], result["finish_reason"] in FINISHED)

    def generate_all(self, calls):
        """Samples for many calls of `generate`, several processes at a time."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda call: self.generate(*call), calls))
