"""Gather plain source code from package registries: pip wheels, npm tarballs, crates, and Debian's Go packages.

    python gather_packages.py --lang py --benchmarks DIR --out DIR [--work DIR] [--megabytes 150] [--newest] [--lock]

reads the names in packages.toml (beside this file), downloads those with a version, or with --newest the newest version
of each, in batches with the registry's ordinary client
(`pip download`, `npm pack`, `cargo vendor`, `apt-get download`), unpacks every archive in memory, filters the files with
texts.py, and writes

    OUT/plain/<lang>-packages.jsonl      one document a line: {"source", "path", "text"}
    OUT/sources/packages-<lang>.json     per source: version, licence, licence files, bytes, edu

A package whose licence is unclear or not permitted is dropped whole. With --lock the versions and licences that were
found are written back to packages.toml, so that a later run takes the same versions: wheels, npm packages and the
crates named there. What these crates need comes in the newest version that fits, and of a Debian package there is
only that of the release that this runs on. Batches are read in the order in which they were asked for, whichever
comes first, so that the same downloads give the same texts.
"""

import argparse
import collections
import concurrent.futures
import email
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib
import zipfile

import texts

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE_FILE = re.compile(r"(^|/)(licen[sc]es?|copying|copyright|unlicense)([-_.][\w.-]*)?$", re.I)
LANGUAGES = ("py", "ts", "rs", "go")

Package = collections.namedtuple("Package", "name version licence licence_files files")


def read_list():
    """The packages by language: {lang: {name: {"version", "licence", "edu"}}}."""
    with open(os.path.join(HERE, "packages.toml"), "rb") as handle:
        return tomllib.load(handle)


def write_list(packages):
    """Write packages.toml again, one package a line."""
    with open(os.path.join(HERE, "packages.toml"), "w", encoding="utf-8") as out:
        out.write(
            "# Packages that plain source code is taken from (read and, with --lock, written by gather_packages.py).\n"
        )
        for lang in LANGUAGES:
            out.write(f"\n[{lang}]\n")
            for name, facts in sorted(packages.get(lang, {}).items()):
                fields = []
                for field in ("version", "licence", "edu"):
                    if field in facts:
                        value = facts[field]
                        fields.append(f"{field} = {'true' if value is True else json.dumps(value)}")
                out.write(
                    f"{json.dumps(name)} = {{ {', '.join(fields)} }}\n" if fields else f"{json.dumps(name)} = {{}}\n"
                )


# ---------------------------------------------------------------------------------------------------- downloading


def run(command, folder, **options):
    """Run a download command quietly; true where it succeeded."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )
    return done.returncode == 0


def pip_command(specs, folder):
    names = [name + (f"=={version}" if version else "") for name, version in specs]
    return run(
        ["pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", folder, *names], folder, timeout=300
    )


def npm_command(specs, folder):
    names = [name + (f"@{version}" if version else "") for name, version in specs]
    return run(["npm", "pack", "--silent", "--pack-destination", folder, *names], folder, timeout=300)


def apt_command(specs, folder):
    return run(["apt-get", "download", "-qq", *[name for name, _ in specs]], folder, timeout=300)


def cargo_command(specs, folder):
    """Vendor the crates (and what they need) through a throwaway project."""
    project = os.path.join(folder, "project")
    os.makedirs(os.path.join(project, "src"), exist_ok=True)
    with open(os.path.join(project, "Cargo.toml"), "w", encoding="utf-8") as out:
        out.write(
            '[package]\nname = "throwaway"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\n'
        )
        for name, version in specs:
            out.write(f'{name} = "{"=" + version if version else "*"}"\n')
    open(os.path.join(project, "src", "lib.rs"), "w").close()
    done = run(["cargo", "vendor", "-q", "--versioned-dirs", os.path.join(folder, "crates")], project, timeout=500)
    shutil.rmtree(project)
    return done


COMMANDS = {"py": pip_command, "ts": npm_command, "rs": cargo_command, "go": apt_command}
BATCH = {"py": 12, "ts": 12, "rs": 40, "go": 25}


def download(specs, lang, work, stop):
    """Download a batch into a new folder; where that fails, its halves. Returns folders and names that failed.

    Nothing more is started once the event `stop` is set."""
    if stop.is_set():
        return [], []
    folder = tempfile.mkdtemp(dir=work)
    try:
        if COMMANDS[lang](specs, folder):
            return [folder], []
    except subprocess.TimeoutExpired:
        pass
    shutil.rmtree(folder, ignore_errors=True)
    if len(specs) == 1 or stop.is_set():
        return [], [name for name, _ in specs]
    middle = len(specs) // 2
    folders, failed = download(specs[:middle], lang, work, stop)
    more, also = download(specs[middle:], lang, work, stop)
    return folders + more, failed + also


# ------------------------------------------------------------------------------------------------------ unpacking


def licence_from(expressions, licence_texts):
    """The licence that the metadata names, else the one that the licence files hold."""
    for expression in expressions:
        licence = texts.licence_of(expression)
        if licence:
            return licence
    if any((expression or "").strip() for expression in expressions):
        return None
    found = [texts.licence_of(text) for text in licence_texts]
    return " AND ".join(dict.fromkeys(found)) if found and all(found) else None


def wanted(path, size, lang):
    """Whether an archive's member is worth reading as a document."""
    return (
        texts.MIN_BYTES <= size <= texts.MAX_BYTES + 4000
        and texts.accept_path(path, lang)
        and not texts.held_out_copy(path)
    )


def read_wheel(path):
    """A wheel: a zip with the metadata in NAME.dist-info."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        meta_path = next(name for name in members if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        meta = email.message_from_bytes(archive.read(meta_path))
        notices = [name for name in members if ".dist-info/" in name and LICENCE_FILE.search(name)]
        classifiers = [value for value in meta.get_all("Classifier", []) if value.startswith("License ::")]
        classifiers = [value for value in classifiers if value != "License :: OSI Approved"]
        if meta["License-Expression"]:
            expressions = [meta["License-Expression"]]
        elif classifiers:
            # several classifiers are alternatives or all apply: take the package where each one is permitted
            expressions = [classifiers[0] if all(map(texts.licence_of, classifiers)) else "?"]
        else:
            expressions = [meta["License"]]
        licence = licence_from(expressions, [archive.read(name).decode("utf-8", "replace") for name in notices])
        files = [(n, archive.read(n)) for n, info in members.items() if wanted(n, info.file_size, "py")]
    return Package(meta["Name"], meta["Version"], licence, [os.path.basename(name) for name in notices], files)


def read_tarball(path):
    """An npm tarball: everything below package/."""
    files, notices, meta = [], {}, {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if not member.isfile() or "/node_modules/" in name:
                continue
            if name == "package.json":
                meta = json.loads(archive.extractfile(member).read())
            elif "/" not in name and LICENCE_FILE.search(name):
                notices[name] = archive.extractfile(member).read().decode("utf-8", "replace")
            elif wanted(name, member.size, "ts"):
                files.append((name, archive.extractfile(member).read()))
    licence = meta.get("license")
    if isinstance(licence, dict):
        licence = licence.get("type")
    return Package(meta["name"], meta["version"], licence_from([licence], notices.values()), list(notices), files)


def read_crate(folder):
    """A vendored crate's folder."""
    with open(os.path.join(folder, "Cargo.toml"), "rb") as handle:
        meta = tomllib.load(handle)["package"]
    files, notices = [], {}
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(parent, name)
            path = os.path.relpath(full, folder)
            if parent == folder and LICENCE_FILE.search(name):
                with open(full, encoding="utf-8", errors="replace") as handle:
                    notices[name] = handle.read()
            elif wanted(path, os.path.getsize(full), "rs"):
                with open(full, "rb") as handle:
                    files.append((path, handle.read()))
    licence = licence_from([meta.get("license")], notices.values())
    return Package(meta["name"], meta["version"], licence, list(notices), files)


def debian_licence(copyright_file):
    """The licences of a machine-readable debian/copyright file, Debian's own packaging left out; else its text's."""
    if not re.match(r"\s*Format", copyright_file):
        return texts.licence_of(copyright_file)
    found = []
    for stanza in re.split(r"\n[ \t]*\n", copyright_file):
        files = re.search(r"^Files:(.*(?:\n[ \t].*)*)", stanza, re.M)
        licence = re.search(r"^Licen[sc]e:[ \t]*(.*)", stanza, re.M)
        if not files or not licence or files.group(1).strip().startswith("debian/"):
            continue
        name = licence.group(1).strip()
        found.append(
            texts.licence_of(re.sub(r"\b(Google|Golang|Go)-?(?=BSD)|(?<=BSD-3-Clause)-\w+", "", name, flags=re.I))
        )
    return " AND ".join(dict.fromkeys(found)) if found and all(found) else None


def read_deb(path):
    """A Debian package with Go sources below usr/share/gocode/src or usr/share/go-VERSION/src."""
    name, version = os.path.basename(path).split("_")[:2]
    files, notices, modules = [], {}, collections.Counter()
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            if not member.isfile():
                continue
            if re.fullmatch(r"\./usr/share/doc/[^/]+/copyright", member.name):
                notices["copyright"] = archive.extractfile(member).read().decode("utf-8", "replace")
            source = re.match(r"\./usr/share/(gocode|go-[\d.]+)/src/(.*)", member.name)
            if source and wanted(source.group(2), member.size, "go"):
                files.append((source.group(2), archive.extractfile(member).read()))
                parts = source.group(2).split("/")
                modules["/".join(parts[:3]) if "." in parts[0] else "std"] += 1
    process.wait()
    licence = licence_from([], [debian_licence(text) or "" for text in notices.values()])
    if notices:
        licence = debian_licence(notices["copyright"])
    module = modules.most_common(1)[0][0] if modules else name
    return Package(name, version.replace("%3a", ":"), licence, list(notices), files), module


SOURCE_PREFIX = {"py": "pypi:", "ts": "npm:", "rs": "crate:", "go": "go:"}


def packages_in(folder, lang):
    """Every package in a download folder, with its source name."""
    if lang == "rs":
        crates = os.path.join(folder, "crates")
        for name in sorted(os.listdir(crates)):
            package = read_crate(os.path.join(crates, name))
            yield package, SOURCE_PREFIX[lang] + package.name
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            if lang == "py" and name.endswith(".whl"):
                package = read_wheel(path)
                yield package, SOURCE_PREFIX[lang] + re.sub(r"[-_.]+", "-", package.name).lower()
            elif lang == "ts" and name.endswith(".tgz"):
                package = read_tarball(path)
                yield package, SOURCE_PREFIX[lang] + package.name
            elif lang == "go" and name.endswith(".deb"):
                package, module = read_deb(path)
                yield package, SOURCE_PREFIX[lang] + module
        except (KeyError, StopIteration, tarfile.TarError, zipfile.BadZipFile, ValueError) as problem:
            print("unreadable", name, problem, file=sys.stderr)


# ------------------------------------------------------------------------------------------------------ gathering


class Gatherer:
    """Filters packages and writes their documents, keeping count of what was taken and dropped."""

    def __init__(self, lang, out, cap, target):
        self.lang, self.out, self.cap, self.target = lang, out, cap, target
        self.seen, self.sources, self.locked = set(), {}, {}
        self.dropped, self.refused, self.total, self.documents = collections.Counter(), {}, 0, 0
        self.names = set()

    def add(self, package, source, edu):
        """Take a package's documents, up to the cap."""
        identity = (source, package.name, package.version)
        if identity in self.names or package.name.lower() in texts.HELD_OUT:
            return
        self.names.add(identity)
        if not package.licence:
            self.refused[package.name] = package.version
            return
        files = sorted(package.files)
        random.Random(hashlib.sha1(source.encode()).hexdigest()).shuffle(files)
        taken = self.sources.get(source, {}).get("bytes", {}).get(self.lang, 0)
        before = taken
        for path, raw in files:
            if taken > self.cap or self.total > self.target:
                self.dropped["over the cap"] += 1
                continue
            try:
                text = texts.clean(raw.decode("utf-8"), self.lang)
            except UnicodeDecodeError:
                text = None
            if not text:
                self.dropped["filter"] += 1
                continue
            digest = texts.key(text)
            if digest in self.seen:
                self.dropped["duplicate"] += 1
                continue
            self.seen.add(digest)
            reason = texts.contaminated(text, self.lang)
            if reason:
                self.dropped["benchmark " + reason] += 1
                continue
            self.out.write(json.dumps({"source": source, "path": path, "text": text}) + "\n")
            taken += len(text)
            self.total += len(text)
            self.documents += 1
        if taken == before:
            return
        facts = self.sources.setdefault(source, {"version": package.version, "licence": package.licence})
        facts.update(licence_files=sorted(set(facts.get("licence_files", []) + package.licence_files)))
        facts["bytes"] = {self.lang: taken}
        if edu:
            facts["edu"] = True
        self.locked[package.name] = {"version": package.version, "licence": package.licence}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=LANGUAGES, required=True)
    parser.add_argument("--benchmarks", required=True, help="folder with HumanEval.jsonl and mbpp.jsonl")
    parser.add_argument("--out", required=True, help="folder for plain/ and sources/")
    parser.add_argument("--work", help="folder for downloads (default: a temporary one)")
    parser.add_argument("--megabytes", type=float, default=1000, help="stop taking documents at this volume")
    parser.add_argument("--cap", type=float, default=2.5, help="at most this many megabytes a package")
    parser.add_argument("--workers", type=int, default=4, help="parallel downloads")
    parser.add_argument("--crates", action="append", default=[], help="folder with unpacked crates to take as well")
    parser.add_argument("--most", type=int, help="take no more than so many packages: for a trial")
    parser.add_argument("--newest", action="store_true", help="every name, in its newest version")
    parser.add_argument("--lock", action="store_true", help="write versions and licences back to packages.toml")
    options = parser.parse_args()
    texts.load_benchmarks(options.benchmarks)
    lang, packages = options.lang, read_list()
    asked = packages[lang]
    edu = {canonical(name) for name, facts in asked.items() if facts.get("edu")}
    specs = [(name, facts.get("version")) for name, facts in asked.items()]
    specs = [(name, None) for name, _ in specs] if options.newest else [spec for spec in specs if spec[1]]
    random.Random(1).shuffle(specs)
    specs = specs[: options.most]
    batches = [specs[i : i + BATCH[lang]] for i in range(0, len(specs), BATCH[lang])]
    work = options.work or tempfile.mkdtemp()
    os.makedirs(work, exist_ok=True)
    for folder in ("plain", "sources"):
        os.makedirs(os.path.join(options.out, folder), exist_ok=True)
    plain = os.path.join(options.out, "plain", f"{lang}-packages.jsonl")
    failed, stop = [], threading.Event()
    with open(plain + ".part", "w", encoding="utf-8") as out:
        gatherer = Gatherer(lang, out, options.cap * 1e6, options.megabytes * 1e6)
        for folder in options.crates:
            for name in sorted(os.listdir(folder)):
                package = read_crate(os.path.join(folder, name))
                gatherer.add(package, "crate:" + package.name, canonical(package.name) in edu)
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            waiting = [pool.submit(download, batch, lang, work, stop) for batch in batches]
            for done in waiting:
                folders, names = done.result()
                failed += names
                for folder in folders:
                    for package, source in packages_in(folder, lang):
                        gatherer.add(package, source, canonical(package.name) in edu)
                    shutil.rmtree(folder, ignore_errors=True)
                print(
                    f"{gatherer.total / 1e6:.1f} MB, {gatherer.documents} documents, {len(gatherer.sources)} sources",
                    flush=True,
                )
                out.flush()
                if gatherer.total > gatherer.target:
                    stop.set()
                    break
    os.replace(plain + ".part", plain)
    with open(os.path.join(options.out, "sources", f"packages-{lang}.json"), "w", encoding="utf-8") as out:
        json.dump(gatherer.sources, out, indent=1, sort_keys=True)
    print("dropped files:", dict(gatherer.dropped))
    print("dropped for their licence:", gatherer.refused)
    print("not downloaded:", failed)
    if options.lock:
        packages = read_list()
        packages[lang] = {
            name: {**facts, **({"edu": True} if canonical(name) in edu else {})}
            for name, facts in gatherer.locked.items()
        }
        write_list(packages)


if __name__ == "__main__":
    main()
