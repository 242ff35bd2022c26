# The commands that tclsh defines in Tcl and not in C. Only this form is used here: proc NAME ARGS BODY. A proc is defined
# when it is called for the first time. Sources: library(n), parray(n), tm(n).

proc parray {a {pattern *}} {
    upvar 1 $a array
    if {![array exists array]} {
        return -code error "\"$a\" isn't an array"
    }
    set names [lsort [array names array $pattern]]
    set width 0
    foreach name $names {
        set width [expr {max($width, [string length $name])}]
    }
    incr width [expr {[string length $a] + 2}]
    foreach name $names {
        puts stdout [format "%-*s = %s" $width "${a}($name)" $array($name)]
    }
}

proc auto_load {cmd {namespace {}}} {
    global auto_index
    if {$namespace eq ""} {
        set namespace [uplevel 1 {::namespace current}]
    }
    foreach name [auto_qualify $cmd $namespace] {
        if {[info exists auto_index($name)]} {
            namespace eval :: $auto_index($name)
            if {[namespace which -command $name] ne ""} {
                return 1
            }
        }
    }
    return 0
}

proc auto_qualify {cmd namespace} {
    set separators [regsub -all {::+} $cmd :: cmd]
    if {[string match ::* $cmd]} {
        if {$separators == 1} {
            set cmd [string range $cmd 2 end]
        }
        return [list $cmd]
    }
    set global [expr {$separators ? "::$cmd" : $cmd}]
    if {$namespace eq "::"} {
        return [list $global]
    }
    return [list ${namespace}::$cmd $global]
}

proc auto_import pattern {
    global auto_index
    if {![string match *::* $pattern]} {
        return
    }
    foreach wanted [auto_qualify $pattern [uplevel 1 {::namespace current}]] {
        foreach name [array names auto_index $wanted] {
            if {[namespace which -command $name] eq "" && [namespace qualifiers $wanted] eq [namespace qualifiers $name]} {
                namespace eval :: $auto_index($name)
            }
        }
    }
}

proc auto_reset {} {
    global auto_index auto_execs
    unset -nocomplain auto_index auto_execs
}

proc auto_execok name {
    global auto_execs env
    if {[info exists auto_execs($name)]} {
        return $auto_execs($name)
    }
    set auto_execs($name) ""
    if {[llength [file split $name]] != 1} {
        if {[file executable $name] && ![file isdirectory $name]} {
            set auto_execs($name) [list $name]
        }
        return $auto_execs($name)
    }
    foreach dir [split $env(PATH) :] {
        if {$dir eq ""} {
            set dir .
        }
        set file [file join $dir $name]
        if {[file executable $file] && ![file isdirectory $file]} {
            set auto_execs($name) [list $file]
            break
        }
    }
    return $auto_execs($name)
}

proc tcl::tm::path {action args} {
    variable ::tcl::tm::paths
    if {![info exists paths]} {
        set paths {}
    }
    switch -- [::tcl::prefix match {add list remove} $action] {
        add {
            set new $paths
            foreach path $args {
                if {$path in $new} {
                    continue
                }
                foreach old $new {
                    if {[string match $path/* $old]} {
                        return -code error "$path is ancestor of existing module path $old."
                    }
                    if {[string match $old/* $path]} {
                        return -code error "$path is subdirectory of existing module path $old."
                    }
                }
                set new [linsert $new 0 $path]
            }
            set paths $new
        }
        remove {
            foreach path $args {
                set paths [lsearch -all -inline -exact -not $paths $path]
            }
        }
        list {
            if {[llength $args]} {
                return -code error "wrong # args: should be \"::tcl::tm::path list\""
            }
            return $paths
        }
    }
    return
}

proc tcl::tm::roots paths {
    lassign [split [info tclversion] .] major minor
    foreach path $paths {
        set base [file join $path tcl$major]
        for {set at 0} {$at <= $minor} {incr at} {
            path add [file normalize [file join $base $major.$at]]
        }
        path add [file normalize [file join $base site-tcl]]
    }
}

# Scripts that change where zones lie tell `clock`. Zones, words and forms are not kept from one call to the next.
proc tcl::clock::ClearCaches {} {}

proc safe::interpAddToAccessPath args {
    ::tcl::Bundled safe
    tailcall ::safe::interpAddToAccessPath {*}$args
}

proc safe::interpConfigure args {
    ::tcl::Bundled safe
    tailcall ::safe::interpConfigure {*}$args
}

proc safe::interpCreate args {
    ::tcl::Bundled safe
    tailcall ::safe::interpCreate {*}$args
}

proc safe::interpDelete args {
    ::tcl::Bundled safe
    tailcall ::safe::interpDelete {*}$args
}

proc safe::interpFindInAccessPath args {
    ::tcl::Bundled safe
    tailcall ::safe::interpFindInAccessPath {*}$args
}

proc safe::interpInit args {
    ::tcl::Bundled safe
    tailcall ::safe::interpInit {*}$args
}

proc safe::setLogCmd args {
    ::tcl::Bundled safe
    tailcall ::safe::setLogCmd {*}$args
}
