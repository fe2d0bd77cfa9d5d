from typing import Iterable, Optional
import os.path as path

async def classify(items: Iterable[str], *, limit: int = 10, **options: dict[str, int | None]) -> dict:
    """Count the items.

    Files are counted by their extension.
    """
    counts: dict[str, int] = {}
    for index, item in enumerate(items):
        # Everything after the limit is ignored.
        if index >= limit:
            break
        elif item is None or item in ("", "-"):
            continue
        else:
            try:
                key = path.splitext(item)[1:][0].lower()
            except (IndexError, ValueError) as error:
                raise RuntimeError(f"no extension in {item}") from error
            finally:
                index += 1
        counts[key] = counts.get(key, 0) + 1  # one more

    return {k: v for k, v in sorted(counts.items(), key=lambda p: -p[1]) if v > 1}
