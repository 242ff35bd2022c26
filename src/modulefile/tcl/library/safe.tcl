# Safe interpreters that may read files below chosen directories, without learning where these are: they see tokens.
# Source: safe(n).

namespace eval ::safe {
    namespace export interpAddToAccessPath interpConfigure interpCreate interpDelete interpFindInAccessPath interpInit \
        setLogCmd
    # For each child: its options, and the directories in the order of their tokens.
    variable options
    variable directories
    # What was read as an index of packages.
    variable indexes
    variable log {}
    array set options {}
    array set directories {}
    array set indexes {}
}

proc ::safe::interpCreate args {
    set name {}
    if {[llength $args] && ![string match -* [lindex $args 0]]} {
        set args [lassign $args name]
    }
    set given [Parse $args]
    if {[string match *::* $name]} {
        return -code error "child name \"$name\" may not contain ::"
    }
    set child [interp create -safe -- {*}[expr {$name eq {} ? {} : [list $name]}]]
    Begin $child $given
    return $child
}

proc ::safe::interpInit {child args} {
    set given [Parse $args]
    if {![interp exists $child]} {
        return -code error "\"$child\" is not an interpreter"
    }
    Begin $child $given
    return $child
}

proc ::safe::interpConfigure {child args} {
    variable options
    Check $child
    set kept $options($child)
    if {![llength $args]} {
        return [dict merge [dict create -accessPath {}] $kept [dict create -accessPath [Directories $child]]]
    }
    if {[llength $args] == 1} {
        set name [Name [lindex $args 0]]
        if {$name in {-noStatics -nestedLoadOk}} {
            return -code error "ambiguous query (get or set $name ?) use [string map {no {} S s LoadOk {}} $name] instead"
        }
        if {$name eq "-accessPath"} {
            return [list $name [Directories $child]]
        }
        return [list $name [dict get $kept $name]]
    }
    set given [Parse $args]
    if {[dict exists $given -accessPath]} {
        SetDirectories $child [dict get $given -accessPath]
    }
    dict unset given -accessPath
    set options($child) [dict merge $kept $given]
    return
}

proc ::safe::interpDelete child {
    variable options
    variable directories
    variable indexes
    Check $child
    Log $child "About to delete" NOTICE
    set hook [dict get $options($child) -deleteHook]
    if {$hook ne {}} {
        # The hook may delete the interpreter itself; it is called once.
        dict set options($child) -deleteHook {}
        if {[catch {uplevel #0 [list {*}$hook $child]} text]} {
            Log $child "Delete hook error ($text)"
        }
    }
    unset -nocomplain options($child) directories($child)
    array unset indexes [list $child *]
    if {[interp exists $child]} {
        interp delete $child
        Log $child "Deleted" NOTICE
    }
    return
}

proc ::safe::interpFindInAccessPath {child directory} {
    Check $child
    set at [lsearch -exact [Directories $child] $directory]
    if {$at < 0} {
        return -code error "$directory not found in access path"
    }
    return [Token $at]
}

proc ::safe::interpAddToAccessPath {child directory} {
    variable directories
    Check $child
    set at [lsearch -exact $directories($child) $directory]
    if {$at < 0} {
        set at [llength $directories($child)]
        lappend directories($child) $directory
        Tell $child
        Log $child "added directory $directory" NOTICE
    }
    return [Token $at]
}

proc ::safe::setLogCmd args {
    variable log
    switch [llength $args] {
        0 {
            return $log
        }
        1 {
            set log [lindex $args 0]
        }
        default {
            set log $args
        }
    }
}

# What follows is not for callers.

proc ::safe::Name option {
    ::tcl::prefix match -message option {-accessPath -deleteHook -nested -nestedLoadOk -noStatics -statics} $option
}

proc ::safe::Parse words {
    set given [dict create]
    while {[llength $words]} {
        set words [lassign $words option]
        set name [Name $option]
        switch $name {
            -noStatics {
                dict set given -statics 0
                continue
            }
            -nestedLoadOk {
                dict set given -nested 1
                continue
            }
        }
        if {![llength $words]} {
            return -code error "value for \"$name\" missing"
        }
        set words [lassign $words value]
        if {$name in {-nested -statics}} {
            if {![string is boolean -strict $value]} {
                return -code error "expected boolean value but got \"$value\""
            }
            set value [expr {bool($value)}]
        }
        dict set given $name $value
    }
    return $given
}

proc ::safe::Check child {
    variable options
    if {![info exists options($child)] || ![interp exists $child]} {
        return -code error "\"$child\" is not an interpreter managed by ::safe::"
    }
}

proc ::safe::Log {child text {kind ERROR}} {
    variable log
    if {$log ne {}} {
        uplevel #0 [list {*}$log "$kind for child $child : $text"]
    }
}

proc ::safe::Token at {
    return "\$p(:$at:)"
}

proc ::safe::Directories child {
    variable directories
    return $directories($child)
}

proc ::safe::SetDirectories {child wanted} {
    variable directories
    if {![llength $wanted]} {
        # The directories of this interpreter's own packages.
        foreach directory [list $::tcl_library {*}$::auto_path] {
            if {$directory ne {}} {
                lappend wanted $directory {*}[lsort [glob -nocomplain -types d -directory $directory *]]
            }
        }
    }
    set directories($child) {}
    foreach directory $wanted {
        if {$directory ni $directories($child)} {
            lappend directories($child) $directory
        }
    }
    Tell $child
}

# The child knows its directories by their tokens.
proc ::safe::Tell child {
    variable directories
    set tokens {}
    for {set at 0} {$at < [llength $directories($child)]} {incr at} {
        lappend tokens [Token $at]
    }
    interp eval $child [list set auto_path $tokens]
    interp eval $child [list set tcl_library [lindex $tokens 0]]
}

proc ::safe::Begin {child given} {
    variable options
    set options($child) [dict merge {-statics 1 -nested 0 -deleteHook {}} [dict remove $given -accessPath]]
    SetDirectories $child [expr {[dict exists $given -accessPath] ? [dict get $given -accessPath] : {}}]
    foreach command {source load file encoding glob} {
        interp alias $child $command {} ::safe::[string totitle $command] $child
    }
    interp alias $child exit {} ::safe::interpDelete $child
    interp alias $child ::tcl::PackageUnknown {} ::safe::PackageUnknown $child
    interp eval $child {package unknown ::tcl::PackageUnknown}
}

# Refuses something: the child is not told why.
proc ::safe::Deny {child why {message "permission denied"}} {
    Log $child $why
    return -level 2 -code error $message
}

# The path that a child means; an error unless it lies directly in one of its directories.
proc ::safe::Path {child path} {
    variable directories
    if {[regexp {(::)|(\.\.)} $path]} {
        return -code error "invalid characters in path $path"
    }
    set real $path
    if {[regexp {^\$p\(:(\d+):\)(?:/(.*))?$} $path -> at tail] && $at < [llength $directories($child)]} {
        set real [file join [lindex $directories($child) $at] $tail]
    }
    if {$real ni $directories($child) && [file dirname $real] ni $directories($child)} {
        return -code error "\"$path\": not in access_path"
    }
    return $real
}

proc ::safe::Source {child args} {
    set encoding [encoding system]
    if {[llength $args] == 3 && [lindex $args 0] eq "-encoding"} {
        set args [lassign $args - encoding]
    }
    if {[llength $args] != 1} {
        Deny $child "wrong # args" "wrong # args: should be \"source ?-encoding E? fileName\""
    }
    set file [lindex $args 0]
    if {[catch {Path $child $file} real]} {
        Deny $child $real
    }
    if {![file isfile $real]} {
        Log $child "\"$real\": no such file or directory"
        return -code error -errorcode {POSIX EACCES} "no such file or directory"
    }
    if {[catch {open $real} channel]} {
        Log $child $channel
        return -code error -errorcode {POSIX EACCES} "not readable"
    }
    fconfigure $channel -encoding $encoding -eofchar \x1a
    set text [read $channel]
    close $channel
    set before [interp eval $child {info script}]
    interp eval $child [list info script $file]
    set code [catch {interp eval $child $text} result given]
    if {[interp exists $child]} {
        interp eval $child [list info script $before]
    }
    if {$code == 1} {
        Log $child $result
        return -code error $result
    }
    return $result
}

proc ::safe::Load {child args} {
    Deny $child "loading of compiled packages is disabled"
}

proc ::safe::File {child {subcommand {}} args} {
    if {$subcommand ni {dirname extension join pathtype rootname root split tail}} {
        Log $child "not allowed to invoke subcommand $subcommand of file"
        return -code error -errorcode {TCL SAFE SUBCOMMAND} "not allowed to invoke subcommand $subcommand of file"
    }
    if {$subcommand eq "root"} {
        set subcommand rootname
    }
    return [::file $subcommand {*}$args]
}

proc ::safe::Encoding {child {subcommand {}} args} {
    if {$subcommand eq "system" && [llength $args]} {
        return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"encoding system\""
    }
    if {$subcommand eq "dirs" && [llength $args]} {
        return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"encoding dirs\""
    }
    return [interp invokehidden $child encoding $subcommand {*}$args]
}

proc ::safe::Glob {child args} {
    set given {}
    set silent 0
    set directory {}
    while {[llength $args] && [string match -* [lindex $args 0]]} {
        set args [lassign $args option]
        switch -- $option {
            -- {
                break
            }
            -nocomplain {
                set silent 1
            }
            -join - -tails {
                lappend given $option
            }
            -types {
                set args [lassign $args kinds]
                lappend given $option $kinds
            }
            -directory {
                set args [lassign $args directory]
            }
            default {
                Deny $child "Safe base rejecting glob option '$option'" "Safe base rejecting glob option '$option'"
            }
        }
    }
    if {[catch {Path $child $directory} real] || [lsearch -regexp $args {\.\.|^/|^~}] >= 0} {
        if {$silent} {
            Log $child $real
            return {}
        }
        Deny $child $real
    }
    if {[catch {glob {*}$given -directory $real -- {*}$args} found]} {
        if {$silent} {
            return {}
        }
        Deny $child $found "script error"
    }
    set shown {}
    foreach path $found {
        if {[string match $real/* $path]} {
            set path $directory[string range $path [string length $real] end]
        }
        lappend shown $path
    }
    return $shown
}

# Reads the indexes of packages that the child may know and has not read.
proc ::safe::PackageUnknown {child args} {
    variable directories
    variable indexes
    set at 0
    foreach directory $directories($child) {
        set token [Token $at]
        incr at
        if {![info exists indexes([list $child $directory])] && [file isfile [file join $directory pkgIndex.tcl]]} {
            set indexes([list $child $directory]) 1
            interp eval $child [list set dir $token]
            catch {interp eval $child [list source $token/pkgIndex.tcl]}
            interp eval $child {unset -nocomplain dir}
        }
    }
}
