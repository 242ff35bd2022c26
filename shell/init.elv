# xmod for Elvish: defines `module` and `ml`. In rc.elv:
#     eval (slurp < PREFIX/init/elvish) &on-end={|ns| edit:add-var module~ $ns[module~]; edit:add-var ml~ $ns[ml~] }

set-env MODULESHOME @MODULESHOME@
set-env LMOD_PKG @MODULESHOME@
set-env LMOD_CMD @LMOD_CMD@
set-env LMOD_DIR @LMOD_DIR@
set-env LMOD_VERSION @LMOD_VERSION@

fn module {|@args|
    var code = ''
    var ok = $true
    # A failed request still prints code, which says so itself.
    set code = ({ try { (external $E:LMOD_CMD) elvish $@args } catch { } } | slurp)
    if (eq $code '') {
        if (not (has-external $E:LMOD_CMD)) {
            fail 'cannot run '$E:LMOD_CMD
        }
    }
    eval $code
}

fn ml {|@args|
    module ml $@args
}
