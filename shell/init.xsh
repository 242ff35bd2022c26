# xmod for xonsh: defines `module` and `ml`. In ~/.xonshrc:  source PREFIX/init/xonsh.xsh

__xonsh__.env["MODULESHOME"] = @MODULESHOME@
__xonsh__.env["LMOD_PKG"] = @MODULESHOME@
__xonsh__.env["LMOD_CMD"] = @LMOD_CMD@
__xonsh__.env["LMOD_DIR"] = @LMOD_DIR@
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
