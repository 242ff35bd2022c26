# xmod for Tcl: module load gcc changes ::env of this process.
#     source $::env(MODULESHOME)/init/tcl

if {[file executable @LMOD_CMD@] || ![info exists ::env(MODULESHOME)]} {
    set ::env(MODULESHOME) @MODULESHOME@
    set ::env(LMOD_CMD) @LMOD_CMD@
    set ::env(LMOD_DIR) @LMOD_DIR@
} else {
    # The tree was moved.
    set ::env(LMOD_DIR) $::env(MODULESHOME)/libexec
    set ::env(LMOD_CMD) $::env(LMOD_DIR)/lmod
}

# Runs one module command; returns 1 when it was met, or its text result.
proc module {args} {
    set _mlstatus 0
    set answer [open |[list $::env(LMOD_CMD) tcl {*}$args 2>@stderr] r]
    set code [read $answer]
    catch {close $answer}
    eval $code
    return $_mlstatus
}

if {![info exists ::env(MODULEPATH)] && [file readable $::env(MODULESHOME)/etc/modulespath]} {
    module modulespath
}
