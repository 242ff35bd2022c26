"""xmod for Python: `module("load", "gcc")` changes `os.environ` of this process.

    import sys; sys.path.insert(0, os.environ["MODULESHOME"] + "/init")
    from env_modules_python import module

One argument with blanks is taken apart: `module("load gcc openmpi")`, `module("load", "gcc openmpi")`.
"""

import os
import subprocess
import sys

if os.access(@LMOD_CMD@, os.X_OK) or "MODULESHOME" not in os.environ:
    os.environ["MODULESHOME"] = @MODULESHOME@
    os.environ["LMOD_CMD"] = @LMOD_CMD@
    os.environ["LMOD_DIR"] = @LMOD_DIR@
else:
    # The tree was moved.
    os.environ["LMOD_DIR"] = os.environ["MODULESHOME"] + "/libexec"
    os.environ["LMOD_CMD"] = os.environ["LMOD_DIR"] + "/lmod"


def module(command, *arguments):
    """Runs one module command; its messages go to standard error. Returns (status, messages)."""
    words = command.split()
    if len(arguments) == 1:
        words += arguments[0].split()
    else:
        words += arguments
    answer = subprocess.run(
        [os.environ["LMOD_CMD"], "python", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    messages = os.fsdecode(answer.stderr)
    if messages:
        print(messages, file=sys.stderr, end="")
    scope = {}
    exec(answer.stdout, scope)
    return scope.get("_mlstatus", False), messages


if "MODULEPATH" not in os.environ and os.path.exists(os.environ["MODULESHOME"] + "/etc/modulespath"):
    module("modulespath")
