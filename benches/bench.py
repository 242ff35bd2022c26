"""What benches/run, benches/gate and benches/delay share: trees, environments, scenarios, and how things are measured.

Python standard library only.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(HERE)
FORMATS = ("toml", "tcl", "lua")


def find_binary():
    """The release build: $XMOD, else the newest below the target directory."""
    if os.environ.get("XMOD"):
        return os.environ["XMOD"]
    target = os.path.join(REPO, os.environ.get("CARGO_TARGET_DIR", "target"))
    for triple in sorted(os.listdir(target)):
        path = os.path.join(target, triple, "release", "xmod")
        if os.access(path, os.X_OK):
            return path
    sys.exit("no release build; run cargo build --release")


def find_peers():
    setup = subprocess.run(["bash", os.path.join(REPO, "tests", "peers", "setup.sh")], stdout=subprocess.PIPE, check=True, text=True)
    where = setup.stdout.strip().splitlines()[-1]
    return {"Lmod": os.path.join(where, "bin", "lmod"), "EM": os.path.join(where, "bin", "modulecmd.tcl")}


def make_trees(names, out=None, options=()):
    """The trees of gen_trees.py, made once below `out` ($XMOD_BENCH_DIR, target/bench)."""
    out = out or os.environ.get("XMOD_BENCH_DIR", os.path.join(REPO, "target", "bench"))
    missing = [n for n in names if not os.path.exists(os.path.join(out, n, "tree.json"))]
    if missing:
        generator = os.path.join(HERE, "gen_trees.py")
        subprocess.run([sys.executable, generator, out, "--trees", ",".join(missing), "--formats", ",".join(FORMATS), *options],
                       check=True, stdout=subprocess.DEVNULL)
    trees = {}
    for name in names:
        with open(os.path.join(out, name, "tree.json")) as f:
            trees[name] = json.load(f)
        trees[name]["dir"] = os.path.join(out, name)
    return trees


def modulepath(tree, fmt):
    return ":".join(os.path.join(tree["dir"], fmt, entry) for entry in tree["modulepath"])


def base_env(home, path):
    """All that a measured program sees: nothing of the caller's environment."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "USER": "bench", "LC_ALL": "C.UTF-8",
        "LMOD_TERM_WIDTH": "80", "MODULEPATH": path,
    }


class Scenario:
    """A request, and the requests that come before it."""

    def __init__(self, name, tree, fmt, words, before=(), budget=None, peers=True, alone=(), cached=None):
        self.name, self.tree, self.fmt, self.words = name, tree, fmt, words
        self.before, self.budget, self.peers, self.alone = before, budget, peers, alone
        # For listings: how xmod's cache is compared with the disk. The peers then have caches of their own.
        self.cached = cached

    def prepare(self, command, home, fmt=None):
        """The environment in which `command` is asked: that of a session in which `before` was done.

        `alone` is done in a session of its own first: it leaves files behind (a collection). `fmt`: the modulefiles, where
        the program cannot read those of the scenario."""
        base = base_env(home, modulepath(self.tree, fmt or self.fmt))
        if self.cached:
            base.update(cache_for(command, self.tree, fmt or self.fmt), XMOD_CACHE_FRESHNESS=self.cached)
        env = base
        for words in self.alone:
            env = after(command, words, env)
        env = base
        for words in self.before:
            env = after(command, words, env)
        return env


def cache_for(command, tree, fmt):
    """The variables that make a program use a cache of a tree, which is made once: a system cache of xmod, Lmod's spider
    cache. Environment Modules has none in version 5.2."""
    place = os.path.join(tree["dir"], f"cache-{os.path.basename(command)}-{fmt}")
    path = modulepath(tree, fmt)
    is_made = os.path.exists(place)
    os.makedirs(place, exist_ok=True)
    env = base_env(place, path)
    if os.path.basename(command) == "xmod":
        env["XMOD_SYSTEM_CACHE"] = os.path.join(place, "modules.sqlite")
        # As new as the program: another build may write another format.
        subprocess.run([command, "cache", "build", "--system"], env=env, stdout=subprocess.DEVNULL, check=True)
        return {"XMOD_SYSTEM_CACHE": env["XMOD_SYSTEM_CACHE"]}
    if os.path.basename(command) == "lmod":
        stamp, rc = os.path.join(place, "stamp"), os.path.join(place, "lmodrc.lua")
        if not is_made:
            open(stamp, "w").close()
            spider = os.path.join(os.path.dirname(command), "spider")
            with open(os.path.join(place, "spiderT.lua"), "wb") as out:
                subprocess.run([spider, "-o", "spiderT", path], env=env, stdout=out, check=True)
            with open(rc, "w") as out:
                out.write(f'scDescriptT = {{ {{ dir = "{place}", timestamp = "{stamp}" }} }}\n')
        return {"LMOD_RC": rc}
    return {}


def after(command, words, env):
    """The environment after evaluating what `command bash words` prints."""
    answer = subprocess.run([command, "bash", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if answer.returncode != 0:
        sys.stderr.write(f"{command} {' '.join(words)}: {answer.stderr.decode(errors='replace')}\n")
    with tempfile.NamedTemporaryFile() as script:
        script.write(answer.stdout)
        script.flush()
        shell = ["bash", "--noprofile", "--norc", "-c", f"source {script.name}; env -0"]
        out = subprocess.run(shell, env=env, stdout=subprocess.PIPE)
    env = {}
    for entry in out.stdout.split(b"\0"):
        name, eq, value = entry.partition(b"=")
        if eq:
            env[name.decode(errors="surrogateescape")] = value.decode(errors="surrogateescape")
    for name in ("_", "SHLVL", "PWD", "OLDPWD"):
        env.pop(name, None)
    return env


def scenarios(trees):
    """Everything that has a budget, for the trees that there are."""
    for name, tree in trees.items():
        for fmt in FORMATS:
            samples = tree["samples"]
            full, short = samples["load_full"], samples["load_name"]

            def scenario(label, words, before=(), budget=None, peers=True, alone=(), cached=None):
                return Scenario(f"{name} {fmt} {label}", tree, fmt, words, before, budget, peers, alone, cached)

            load = 2.0 if fmt == "lua" else 1.8
            yield scenario("load NAME/VERSION", ["load", full], budget=load)
            yield scenario("load NAME", ["load", short], budget=load)
            yield scenario("unload", ["unload", full], [["load", full]], 2)
            yield scenario("swap", ["swap", samples["swap_from"], samples["swap_to"]], [["load", samples["swap_from"]]], 2.5)
            yield scenario("list", ["list"], [["load", full]], 1.5)
            yield scenario("show", ["show", samples["show_name"]], budget=2)
            yield scenario("whatis", ["whatis", samples["whatis_name"]], budget=2)
            yield scenario("complete", ["--complete", "module", "load", short[:3]], budget=3, peers=False)
            app = samples.get("app")
            if app:
                yield scenario("load 61 modules", ["load", app], budget=10)
                yield scenario("purge 61 modules", ["purge"], [["load", app]], 7)
                yield scenario("list 61 modules", ["list"], [["load", app]], 2)
            compiler = samples.get("hier_compiler")
            if compiler:
                below = [["load", compiler, samples["hier_mpi"].split("/")[0], samples["hier_app"]]]
                yield scenario("swap compiler, 2 reloads", ["swap", compiler, samples["hier_compiler2"]], below, 4)
            thirty = samples.get("collection30")
            if thirty:
                all_of_them = [["load", *thirty]]
                yield scenario("save 30 modules", ["save", "bench"], all_of_them, 2.5)
                yield scenario("restore 30 modules", ["restore", "bench"], budget=6, alone=[*all_of_them, ["save", "bench"]])
            listings = [("avail", ["avail"]), ("avail NAME", ["avail", samples["avail_name"]]), ("spider", ["spider"]),
                        ("spider NAME", ["spider", samples["spider_name"]]), ("keyword", ["keyword", samples["keyword"]])]
            for label, words in listings:
                budget = LISTING_BUDGETS.get(name, {}).get(label)
                yield scenario(f"{label}, dir", words, budget=budget, cached="dir")
                yield scenario(f"{label}, trust", words, budget=budget, peers=False, cached="trust")


# Times of /bin/true.
LISTING_BUDGETS = {
    "site": {"avail": 8, "avail NAME": 2.5, "spider": 10, "keyword": 8},
    "biocontainers": {"avail": 60, "avail NAME": 4, "spider NAME": 4, "keyword": 40},
}


def instructions(argv, env, cwd=None):
    """Instructions in user space, as callgrind counts them."""
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "callgrind.out")
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *argv], env=env, cwd=cwd,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    found = re.search(r"Collected : (\d+)", run.stderr)
    if not found:
        sys.exit(f"callgrind counted nothing for {' '.join(argv)}:\n{run.stderr}")
    return int(found.group(1))


def system_calls(argv, env, only=None, cwd=None):
    """How many system calls a program and its children make; `only` names those that count."""
    with tempfile.NamedTemporaryFile() as out:
        wanted = ["-e", f"trace={only}"] if only else []
        subprocess.run(["strace", "-f", "-c", *wanted, "-o", out.name, *argv], env=env, cwd=cwd,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = re.search(rb"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total", out.read(), re.M)
    return int(total.group(1)) if total else 0


def memory(argv, env):
    """Page faults, and the largest resident set in MB. GNU time starts the program: started from here, Python's own size would count."""
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run(["/usr/bin/time", "-f", "%R %M", "-o", out.name, *argv], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = out.read().splitlines()
    faults, kilobytes = lines[-1].split() if lines else (0, 0)
    return int(faults), int(kilobytes) / 1024


def copy_of(binary, directory):
    """The program at a path of its own, so that its length does not depend on where it was built."""
    path = os.path.join(directory, "bin", "xmod")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy2(binary, path)
    return path
