# xmod for Elvish: defines `module` and `ml`. In rc.elv:
#     eval (slurp < PREFIX/init/elvish) &on-end={|ns| edit:add-var module~ $ns[module~]; edit:add-var ml~ $ns[ml~] }

if (and (not (has-external @LMOD_CMD@)) (has-env MODULESHOME) (has-external $E:MODULESHOME/libexec/lmod)) {
    # The tree was moved; who reads this file has said where it is now.
    set-env LMOD_DIR $E:MODULESHOME/libexec
    set-env LMOD_CMD $E:MODULESHOME/libexec/lmod
} else {
    set-env MODULESHOME @MODULESHOME@
    set-env LMOD_CMD @LMOD_CMD@
    set-env LMOD_DIR @LMOD_DIR@
}
set-env LMOD_PKG $E:MODULESHOME
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

if (and (not (has-env MODULEPATH)) ?(test -r $E:MODULESHOME/etc/modulespath)) {
    module modulespath
}
