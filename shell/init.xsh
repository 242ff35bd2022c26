# xmod for xonsh: defines `module` and `ml`. In ~/.xonshrc:  source PREFIX/init/xonsh.xsh

def _xmod_places():
    import os

    home, command, dir = @MODULESHOME@, @LMOD_CMD@, @LMOD_DIR@
    if not os.access(command, os.X_OK):
        # The tree was moved: this file is where it is now, or who reads it has said so.
        for place in (os.path.dirname(os.path.dirname(os.path.realpath(__file__))), __xonsh__.env.get("MODULESHOME", "")):
            if os.access(place + "/libexec/lmod", os.X_OK):
                home, command, dir = place, place + "/libexec/lmod", place + "/libexec"
                break
    return {"MODULESHOME": home, "LMOD_PKG": home, "LMOD_CMD": command, "LMOD_DIR": dir}


__xonsh__.env.update(_xmod_places())
__xonsh__.env["LMOD_VERSION"] = @LMOD_VERSION@


def _xmod_module(args):
    import subprocess

    answer = subprocess.run(
        [__xonsh__.env["LMOD_CMD"], "xonsh", *args],
        stdout=subprocess.PIPE,
        env=__xonsh__.env.detype(),
        check=False,
    )
    scope = {"__xonsh__": __xonsh__, "aliases": aliases}
    exec(answer.stdout, scope)
    status = scope.get("_mlstatus", False)
    if isinstance(status, str):
        print(status)
        return 0
    return 0 if status else 1


aliases["module"] = _xmod_module
aliases["ml"] = lambda args: _xmod_module(["ml", *args])

if "MODULEPATH" not in __xonsh__.env and p"$MODULESHOME/etc/modulespath".exists():
    _xmod_module(["modulespath"])
