"""All families of functions and types of the training's requests, with how often each is drawn."""

import random

from definitions import enum_definition, stack_or_queue, struct_definition
from families import hand_written
from formulas import formula, predicate
from languages import LANGUAGES
from lookups import mapping, threshold, usual_list
from pipelines import pipeline
from records import record_query
from spelled import arithmetic, comparison, range_check, text_format

MAKERS = [
    (hand_written, 0.40), (pipeline, 0.10), (formula, 0.07), (predicate, 0.03), (usual_list, 0.02), (threshold, 0.03),
    (arithmetic, 0.05), (comparison, 0.05), (text_format, 0.03), (mapping, 0.03), (range_check, 0.025),
    (struct_definition, 0.06), (enum_definition, 0.02), (stack_or_queue, 0.01), (record_query, 0.12),
]  # fmt: skip


def generate(rng, lang):
    """A function of a random training family."""
    maker = rng.choices([m for m, _ in MAKERS], [weight for _, weight in MAKERS])[0]
    return maker(rng, lang)


if __name__ == "__main__":
    demo = random.Random(3)
    for maker_, _ in MAKERS:
        for lang_ in LANGUAGES:
            function = maker_(demo, lang_)
            print(f"--- {lang_} {function.family} {function.name} | {function.description}\n{function.code}")
