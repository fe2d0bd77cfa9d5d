"""Training texts from git repositories.

    python gather_repos.py --git-folder GIT --benchmarks BENCH --out DATA [--clone] [--kinds zig sql ...] [--part repos]

GIT holds one git directory a repository, as GIT/owner+name, GIT/owner+name/repo or either with a .git inside; with
--clone what is missing there is fetched, the commit that sources.json gives and nothing before it (with --newest the
newest one, also of the repositories that sources.json does not have). BENCH holds HumanEval.jsonl and mbpp.jsonl.
Writes DATA/plain/<kind>-<part>.jsonl and DATA/sources/<part>-<kind>.json for each kind. Repositories whose licence is
not clearly one of the permitted ones are left out, and so is everything that is held out (held_out.py writes that, and
goes first, so that no copy of it is taken).
"""

import argparse
import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess

import repos
import texts

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE_FILE = re.compile(r"(licen[sc]e|copying|unlicense|copyright)([-._][\w.-]*)?$", re.I)
POSTGRESQL_LICENCE = re.compile(
    r"permission to use, copy, modify, and distribute this software and its documentation for any purpose, "
    r"without fee, and without a written agreement",
)
# Files beside the code that hold someone else's project, or a data set.
BAD_JSON = re.compile(
    r"(^|/)(node_modules|vendor|vendored|third[-_]?party|dist|__snapshots__|snapshots?|locales?|i18n|l10n|_?external|lang)(/|$)"
    r"|(^|/)(package-lock|npm-shrinkwrap|composer\.lock|.*[-.]lock)\.json$|\.min\.|\.map$|\.tmLanguage",
    re.I,
)
JSON_MAX_BYTES = 20_000
SAME_NAME = 8  # json files of the same name (package.json, ...) taken from one repository
INSERT_LINE = re.compile(r"^\s*(insert\s+into\b.*|\(.*\)\s*[,;])\s*$", re.I)


def find_git_dir(folder, name):
    """The git directory of a repository below the folder, or None."""
    base = os.path.join(folder, name.replace("/", "+"))
    for tail in ("repo/.git", "repo", ".git", ""):
        path = os.path.join(base, tail)
        if os.path.isdir(os.path.join(path, "objects")):
            return path
    return None


def known_versions():
    """The commits of the repositories that the shipped model was trained or measured on."""
    with open(os.path.join(HERE, "..", "..", "sources.json"), encoding="utf-8") as file:
        return {name: about["version"] for name, about in json.load(file).items() if "/" in name and ":" not in name}


def clone(folder, name, version):
    """Fetches one commit of a repository without its history, the newest one without a version; its git directory."""
    target = os.path.join(folder, name.replace("/", "+"))
    address = f"https://github.com/{name}"
    for arguments in (
        ("init", "--quiet", "--bare", target),
        ("--git-dir", target, "fetch", "--quiet", "--depth", "1", address, version or "HEAD"),
        ("--git-dir", target, "update-ref", "--no-deref", "HEAD", "FETCH_HEAD"),
    ):
        if subprocess.run(["git", *arguments], check=False, stdin=subprocess.DEVNULL).returncode:
            shutil.rmtree(target, ignore_errors=True)
            return None
    return target


def git_dir_of(name, options):
    """The git directory of a repository, fetched where that is asked for; None where it is not to be had."""
    found = find_git_dir(options.git_folder, name)
    if found or not options.clone:
        return found
    version = None if options.newest else known_versions().get(name)
    return clone(options.git_folder, name, version) if version or options.newest else None


def add_clone_options(parser):
    """The flags of both scripts that read repositories."""
    parser.add_argument("--git-folder", required=True)
    parser.add_argument("--benchmarks", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--clone", action="store_true", help="fetch what is not in --git-folder")
    parser.add_argument("--newest", action="store_true", help="the newest commits, not those of sources.json")
    parser.add_argument("--only", nargs="*", metavar="OWNER/NAME", help="no other repositories: for a trial")


def git(git_dir, *arguments):
    """What a git command prints, as bytes."""
    return subprocess.run(["git", "--git-dir", git_dir, *arguments], capture_output=True, check=False).stdout


def list_files(git_dir):
    """(path, size, object) of every plain file of the newest commit."""
    for line in git(git_dir, "ls-tree", "-r", "-l", "-z", "HEAD").decode("utf-8", "replace").split("\0"):
        meta, _, path = line.partition("\t")
        fields = meta.split()
        if len(fields) == 4 and fields[1] == "blob" and fields[0] != "120000" and fields[3].isdigit():
            yield path, int(fields[3]), fields[2]


class Blobs:
    """Reads objects of one git directory, one at a time."""

    def __init__(self, git_dir):
        self.process = subprocess.Popen(
            ["git", "--git-dir", git_dir, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def read(self, name):
        """The object's text, or None where it is absent or not UTF-8."""
        self.process.stdin.write(name.encode() + b"\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline().split()
        if len(head) != 3:
            return None
        data = self.process.stdout.read(int(head[2]) + 1)[:-1]
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def close(self):
        """End the reader."""
        self.process.stdin.close()
        self.process.wait()


def read_licence(files, blobs):
    """(licence, licence files): the licence is None where no permitted one is found or another one applies."""
    found, names, doubt = [], [], False
    for path, _, name in files:
        if "/" in path and not path.upper().startswith("LICENSES/") or not LICENCE_FILE.match(os.path.basename(path)):
            if not path.upper().startswith("LICENSES/"):
                continue
        text = blobs.read(name) or ""
        folded = " ".join(text.lower().split())
        licence = texts.licence_of(text) if len(text) > 200 else None
        if licence is None and POSTGRESQL_LICENCE.search(folded):
            licence = "PostgreSQL"
        if licence:
            found.append(licence)
        elif len(text) > 1500:
            doubt = True
        names.append(path)
    return (None if doubt or not found else " / ".join(dict.fromkeys(found))), names


def sql_of_logic_test(text):
    """The statements of a sqllogictest file: paragraphs below "statement" and "query" lines, results dropped."""
    out, taking = [], False
    for line in text.replace("\r\n", "\n").split("\n"):
        if re.match(r"(statement|query)\b", line):
            taking = "error" not in line
            start = len(out)
        elif taking and (not line.strip() or line.startswith("----")):
            if len(out) > start and not out[-1].rstrip().endswith(";"):
                out[-1] += ";"
            out.append("")
            taking = False
        elif taking:
            out.append(line)
        elif re.match(r"#\s*\w", line) and not re.match(r"# (name|group|description):", line):
            out.append("-- " + line.lstrip("# "))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"


def sql_of_query_sections(text):
    """The statements of a ".test" file made of "---- QUERY" sections."""
    queries = re.findall(r"^---- QUERY[^\n]*\n(.*?)^----", text, re.S | re.M)
    queries = [re.sub(r"^#", "--", query.strip(), flags=re.M) for query in queries]
    return "\n\n".join(query if query.endswith(";") else query + ";" for query in queries if query) + "\n"


def is_insert_dump(text):
    """Whether most of an SQL text is rows to insert."""
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) > 20 and sum(bool(INSERT_LINE.match(line)) for line in lines) > 0.5 * len(lines)


def held_out_json(path):
    """The rule that keeps every 12th folder of the schema collection for validation."""
    folder = "/".join(path.split("/")[:3])
    return int(hashlib.md5(folder.encode()).hexdigest(), 16) % 12 == 0


def json_part_is_held_out(repository, path):
    """Whether a json file of the schema collection, or the schema or test of the same name, is held out."""
    if repository != "SchemaStore/schemastore":
        return False
    name = os.path.basename(path).removesuffix(".json")
    return any(
        held_out_json(path.replace(part, other))
        for part in ("src/test/", "src/negative_test/")
        for other in ("src/test/", "src/negative_test/")
        if path.startswith(part)
    ) or (
        path.startswith("src/schemas/json/")
        and any(held_out_json(f"{part}{name}/x") for part in ("src/test/", "src/negative_test/"))
    )


def wanted(repository, path, size, kind):
    """Whether a file is read at all, judged by path and size."""
    if size < texts.MIN_BYTES or size > texts.MAX_BYTES * (6 if repository.flags & {"slt", "queries"} else 1.03):
        return False
    if texts.held_out_copy(path):
        return False
    if repository.prefixes and not path.startswith(tuple(repository.prefixes)) and kind in repository.kinds:
        return False
    if kind == "json":
        small = size <= JSON_MAX_BYTES or repository.name == "SchemaStore/schemastore"
        return path.endswith(".json") and small and not BAD_JSON.search(path)
    if kind == "sql" and "slt" in repository.flags:
        return path.endswith((".slt", ".test", ".slt.part"))
    if kind == "sql" and "queries" in repository.flags:
        return path.endswith(".test")
    if "tests" in repository.flags and texts.language_of(path) == kind:
        return not re.search(r"(^|/)(vendor|third[-_]party|node_modules|dist|deps)/", path)
    if repository.name.startswith("exercism/") and not re.search(r"\.meta/|/example|exemplar|proof", path):
        return False
    return texts.accept_path(path, kind)


def documents(repository, kind, files, blobs, seen):
    """The texts of one language of one repository: a seeded choice of files up to the cap."""
    chosen = [file for file in files if wanted(repository, file[0], file[1], kind)]
    random.Random(f"{repository.name} {kind}").shuffle(chosen)
    total, count, names = 0, 0, collections.Counter()
    for path, _, name in chosen:
        if total >= repository.cap_mb * 1e6 or kind == "json" and count >= repository.json_files:
            break
        if kind == "json":
            if json_part_is_held_out(repository.name, path):
                continue
            if repository.json_files <= 40 and names[os.path.basename(path)] >= SAME_NAME:
                continue
        raw = blobs.read(name)
        if raw is None:
            continue
        if kind == "sql" and "slt" in repository.flags:
            raw = sql_of_logic_test(raw)
        elif kind == "sql" and "queries" in repository.flags:
            raw = sql_of_query_sections(raw)
        text = texts.clean(raw, kind)
        if text is None or kind == "sql" and is_insert_dump(text):
            continue
        digest = texts.key(text)
        if digest in seen or texts.contaminated(text, kind):
            continue
        seen.add(digest)
        total += len(text)
        count += 1
        names[os.path.basename(path)] += 1
        yield path, text


def held_out_keys(folder, kind):
    """The keys of the held-out texts, where held_out.py has been run: no copy of them is taken."""
    path = os.path.join(folder, "val", kind + ".jsonl")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as lines:
        return {texts.key(json.loads(line)["text"]) for line in lines}


def gather(kind, options):
    """Write the texts of one language and what they came from."""
    seen, sources, missing = held_out_keys(options.out, kind), {}, []
    held = {row.name for row in repos.read_table() if row.held_out}
    texts_path = os.path.join(options.out, "plain", f"{kind}-{options.part}.jsonl")
    sources_path = os.path.join(options.out, "sources", f"{options.part}-{kind}.json")
    with open(texts_path + ".new", "w", encoding="utf-8") as out:
        for row in repos.read_table():
            if row.name in held or kind not in row.kinds and (kind != "json" or row.json_files == 0):
                continue
            if options.only and row.name not in options.only:
                continue
            git_dir = git_dir_of(row.name, options)
            if git_dir is None:
                missing.append(row.name)
                continue
            files = list(list_files(git_dir))
            blobs = Blobs(git_dir)
            licence, licence_files = read_licence(files, blobs)
            licence = row.licence or licence
            size = count = 0
            if licence:
                for path, text in documents(row, kind, files, blobs, seen):
                    out.write(json.dumps({"source": row.name, "path": path, "text": text}) + "\n")
                    size += len(text)
                    count += 1
            blobs.close()
            print(f"{kind} {row.name} {licence} {count} files {size / 1e6:.2f} MB", flush=True)
            if count:
                entry = sources.setdefault(row.name, {"bytes": {kind: 0}})
                entry["version"] = git(git_dir, "rev-parse", "HEAD").decode().strip()
                entry["licence"] = licence
                entry["licence_files"] = licence_files
                entry["bytes"][kind] += size
                if row.edu:
                    entry["edu"] = True
    os.replace(texts_path + ".new", texts_path)
    with open(sources_path, "w", encoding="utf-8") as out:
        json.dump(sources, out, indent=1)
    total = sum(entry["bytes"][kind] for entry in sources.values())
    print(f"{kind}: {total / 1e6:.1f} MB of {len(sources)} repositories, not to be had: {missing}", flush=True)


def main():
    """Read the flags and gather every kind asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_clone_options(parser)
    parser.add_argument("--kinds", nargs="*", default=list(texts.LANGUAGES))
    parser.add_argument("--part", default="repos")
    options = parser.parse_args()
    texts.load_benchmarks(options.benchmarks)
    for folder in ("plain", "sources"):
        os.makedirs(os.path.join(options.out, folder), exist_ok=True)
    for kind in options.kinds:
        gather(kind, options)


if __name__ == "__main__":
    main()
