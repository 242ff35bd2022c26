"""Environment modules from Python, through the xmod program.

    import xmod
    xmod.load("gcc/13.2.0", "openmpi")     # changes os.environ
    xmod.loaded()                          # ['gcc/13.2.0', 'openmpi/5.0.3']
    env = xmod.env_of("gcc/13.2.0")        # a copy of the environment with gcc loaded; os.environ stays
    subprocess.run(["make"], env=env)

The program is found through ``$XMOD_CMD``, ``$LMOD_CMD`` or ``PATH``. Standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Mapping, MutableMapping, Optional

__all__ = [
    "Loaded",
    "ModuleError",
    "avail",
    "env_of",
    "is_loaded",
    "list_loaded",
    "load",
    "loaded",
    "module",
    "purge",
    "swap",
    "unload",
    "use",
    "unuse",
]


class ModuleError(RuntimeError):
    """A request failed; nothing has changed. The text is what a user would see."""


@dataclass(frozen=True)
class Loaded:
    """One loaded module."""

    name: str
    version: Optional[str]
    full_name: str
    file: str
    requested: str


def _program(env: Mapping[str, str]) -> str:
    for variable in ("XMOD_CMD", "LMOD_CMD"):
        if env.get(variable):
            return env[variable]
    for name in ("xmod", "lmod"):
        found = shutil.which(name, path=env.get("PATH"))
        if found:
            return found
    raise ModuleError("no xmod program: set XMOD_CMD, or put it on PATH")


def _run(shell: str, words: tuple[str, ...], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_program(env), shell, *words],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def _change(words: tuple[str, ...], env: MutableMapping[str, str]) -> str:
    """Runs a request and applies its changes to ``env``; gives the text for people."""
    result = _run("json", words, env)
    try:
        answer = json.loads(result.stdout)
    except ValueError:
        raise ModuleError(result.stderr.strip() or f"no answer to {' '.join(words)}") from None
    if not answer.get("_mlstatus", False):
        raise ModuleError(result.stderr.strip() or f"{' '.join(words)} failed")
    for name in answer.get("unset", []):
        env.pop(name, None)
    env.update(answer.get("env", {}))
    return result.stderr


def _report(words: tuple[str, ...], env: Mapping[str, str]) -> Any:
    """The answer of a sub-command that only informs, as JSON."""
    result = _run("json", ("--no-redirect", "--json", *words), env)
    if result.returncode != 0:
        raise ModuleError(result.stderr.strip())
    return json.loads(result.stderr)


def module(*words: str, env: Optional[MutableMapping[str, str]] = None) -> str:
    """Runs any sub-command, changes ``env`` (``os.environ`` by default), gives the text for people."""
    return _change(words, os.environ if env is None else env)


def load(*names: str, env: Optional[MutableMapping[str, str]] = None) -> None:
    """Loads modules, all or none."""
    module("load", *names, env=env)


def unload(*names: str, env: Optional[MutableMapping[str, str]] = None) -> None:
    """Unloads modules."""
    module("unload", *names, env=env)


def swap(old: str, new: str, env: Optional[MutableMapping[str, str]] = None) -> None:
    """Unloads ``old`` and loads ``new``."""
    module("swap", old, new, env=env)


def purge(env: Optional[MutableMapping[str, str]] = None) -> None:
    """Unloads all modules."""
    module("purge", env=env)


def use(*directories: str, env: Optional[MutableMapping[str, str]] = None) -> None:
    """Puts directories in front of MODULEPATH."""
    module("use", *directories, env=env)


def unuse(*directories: str, env: Optional[MutableMapping[str, str]] = None) -> None:
    """Takes directories out of MODULEPATH."""
    module("unuse", *directories, env=env)


def loaded(env: Optional[Mapping[str, str]] = None) -> list[str]:
    """The full names of the loaded modules, in load order."""
    text = (os.environ if env is None else env).get("LOADEDMODULES", "")
    return [name for name in text.split(":") if name]


def list_loaded(env: Optional[Mapping[str, str]] = None) -> list[Loaded]:
    """The loaded modules with what is known of them."""
    answer = _report(("list",), os.environ if env is None else env)
    return [
        Loaded(
            name=entry["name"],
            version=entry["version"],
            full_name=entry["full_name"],
            file=entry["file"],
            requested=entry["requested"],
        )
        for entry in answer["modules"]
    ]


def is_loaded(name: str, env: Optional[Mapping[str, str]] = None) -> bool:
    """Whether a module of this name, or with this version, is loaded."""
    return any(full == name or full.startswith(name + "/") for full in loaded(env))


def avail(*patterns: str, env: Optional[Mapping[str, str]] = None) -> list[str]:
    """The full names of the modules that can be loaded now."""
    answer = _report(("avail", *patterns), os.environ if env is None else env)
    return [entry["full_name"] for section in answer["sections"] for entry in section["modules"]]


def env_of(*names: str, env: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """A copy of the environment in which the modules are loaded; nothing else changes."""
    copy = dict(os.environ if env is None else env)
    load(*names, env=copy)
    return copy
