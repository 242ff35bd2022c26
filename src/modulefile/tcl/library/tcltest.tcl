# The package tcltest, as far as a script of tests needs it to run: tests with constraints, set-up, clean-up, expected
# results, output and return codes; files and directories for them; options of the command line. What starts other
# processes for each file (`runAllTests -singleproc 0`) runs them here, one after the other. Source: tcltest(n).

namespace eval ::tcltest {
    namespace export bytestring cleanupTests configure customMatch debug errorChannel errorFile getMatchingFiles \
        interpreter limitConstraints loadFile loadScript loadTestedCommands mainThread makeDirectory makeFile match \
        matchDirectories matchFiles normalizeMsg normalizePath outputChannel outputFile preserveCore removeDirectory \
        removeFile restoreState runAllTests saveState singleProcess skip skipDirectories skipFiles temporaryDirectory \
        test testConstraint testsDirectory threadReap verbose viewFile workingDirectory

    variable version 2.5.5
    variable originalDirectory [pwd]
    variable started [pwd]
    variable numTests
    array set numTests {Total 0 Passed 0 Skipped 0 Failed 0}
    variable skippedBecause
    array set skippedBecause {}
    variable createdNewFiles
    array set createdNewFiles {}
    variable constraints
    array set constraints {}
    variable matchers
    array set matchers {}
    variable failed {}
    variable made {}
    variable captured
    array set captured {stdout "" stderr ""}
    variable currentFailure false
    variable testSingleFile true
    variable mainThread 1
    variable tcl_platform
    variable options
    array set options {
        -asidefromdir {} -constraints {} -debug 0 -errfile stderr -file {} -limitconstraints 0 -load {} -loadfile {}
        -match * -notfile l.*.test -outfile stdout -preservecore 0 -relateddir * -singleproc 0 -skip {} -verbose {body error}
    }
    set options(-tmpdir) [pwd]
    set options(-testdir) [file dirname [file normalize [info script]]]
    if {[info script] eq "" && [info exists ::argv0]} {
        set options(-testdir) [file dirname [file normalize $::argv0]]
    }
}

# Each of these reads a fact when it has no argument and sets it when it has one.
proc ::tcltest::Accessor {name option} {
    proc ::tcltest::$name args "
        variable options
        if {\[llength \$args\]} { configure $option \[lindex \$args 0\] }
        return \$options($option)
    "
}
foreach {name option} {
    debug -debug errorFile -errfile limitConstraints -limitconstraints match -match matchDirectories -relateddir
    matchFiles -file outputFile -outfile preserveCore -preservecore singleProcess -singleproc skip -skip
    skipDirectories -asidefromdir skipFiles -notfile temporaryDirectory -tmpdir testsDirectory -testdir verbose -verbose
    loadScript -load
} {
    ::tcltest::Accessor $name $option
}
unset name option
rename ::tcltest::Accessor {}

proc ::tcltest::configure args {
    variable options
    variable constraints
    if {[llength $args] == 0} {
        return [lsort [array names options]]
    }
    if {[llength $args] == 1} {
        return $options([Option [lindex $args 0]])
    }
    if {[llength $args] % 2} {
        return -code error "missing value for option [lindex $args end]"
    }
    foreach {name value} $args {
        set name [Option $name]
        switch -- $name {
            -verbose {
                set value [Verbosity $value]
            }
            -tmpdir - -testdir {
                set value [file normalize $value]
                if {$name eq "-tmpdir"} {
                    file mkdir $value
                }
            }
            -constraints {
                foreach constraint $value {
                    set constraints($constraint) 1
                }
            }
            -limitconstraints - -preservecore - -singleproc {
                if {![string is boolean -strict $value]} {
                    return -code error "bad value \"$value\" for option $name"
                }
            }
        }
        set options($name) $value
    }
    return
}

proc ::tcltest::Option name {
    variable options
    if {[info exists options($name)]} {
        return $name
    }
    set known [lsort [array names options $name*]]
    if {[llength $known] == 1} {
        return [lindex $known 0]
    }
    set known [lsort [array names options]]
    set known "[join [lrange $known 0 end-1] {, }], or [lindex $known end]"
    return -code error "unknown option $name: should be one of $known"
}

# The words of -verbose, also from their first letters run together.
proc ::tcltest::Verbosity value {
    set names {b body e error l line m msec p pass s skip t start u usec}
    set letters [dict keys $names]
    if {[regexp {^[beflmpstu]+$} $value] && $value ni [dict values $names]} {
        return [lmap letter [split $value ""] {dict get $names $letter}]
    }
    return $value
}

proc ::tcltest::outputChannel args {
    return [Channel -outfile {*}$args]
}

proc ::tcltest::errorChannel args {
    return [Channel -errfile {*}$args]
}

proc ::tcltest::Channel {option {channel {}}} {
    variable options
    variable channels
    if {$channel ne ""} {
        set channels($option) $channel
    } elseif {![info exists channels($option)]} {
        set name $options($option)
        set channels($option) [expr {$name in {stdout stderr} ? $name : [open [file join $options(-tmpdir) $name] a]}]
    }
    return $channels($option)
}

proc ::tcltest::interpreter args {
    variable interpreter
    if {[llength $args]} {
        set interpreter [lindex $args 0]
    }
    return $interpreter
}
set ::tcltest::interpreter [info nameofexecutable]

proc ::tcltest::mainThread args {
    variable mainThread
    if {[llength $args]} {
        set mainThread [lindex $args 0]
    }
    return $mainThread
}

proc ::tcltest::workingDirectory args {
    if {[llength $args]} {
        cd [lindex $args 0]
    }
    return [pwd]
}

proc ::tcltest::loadTestedCommands {} {
    return [uplevel 1 [loadScript]]
}

# Lets a child interpreter run tests with the same options.
proc ::tcltest::loadIntoChildInterpreter {child args} {
    interp eval $child {package require tcltest}
    interp eval $child [list ::tcltest::configure {*}$args]
}

proc ::tcltest::loadFile args {
    variable options
    if {[llength $args]} {
        set options(-loadfile) [lindex $args 0]
        set channel [open [file join $options(-tmpdir) $options(-loadfile)]]
        set options(-load) [read $channel]
        close $channel
    }
    return $options(-loadfile)
}

proc ::tcltest::threadReap {} {
    return 1
}

proc ::tcltest::saveState {} {
    variable saved
    set saved(procs) [uplevel 1 {::info procs}]
    set saved(vars) [uplevel 1 {::info vars}]
    return
}

proc ::tcltest::restoreState {} {
    variable saved
    foreach name [uplevel 1 {::info procs}] {
        if {$name ni $saved(procs) && [uplevel 1 [list ::namespace origin $name]] eq [uplevel 1 [list ::namespace which $name]]} {
            uplevel 1 [list ::rename $name {}]
        }
    }
    foreach name [uplevel 1 {::info vars}] {
        if {$name ni $saved(vars)} {
            uplevel 1 [list ::unset -nocomplain $name]
        }
    }
    return
}

proc ::tcltest::normalizeMsg text {
    regsub "\n$" [string tolower $text] "" text
    return [string map [list "\n\n" "\n" "\n\}" "\}"] $text]
}

proc ::tcltest::normalizePath variable {
    upvar 1 $variable path
    set path [file normalize $path]
}

proc ::tcltest::bytestring text {
    return [encoding convertfrom identity $text]
}

# Constraints.

proc ::tcltest::testConstraint {name {value {}}} {
    variable constraints
    variable options
    if {$value ne ""} {
        if {$options(-limitconstraints) && $name ni $options(-constraints)} {
            set value 0
        }
        if {![string is boolean -strict $value]} {
            return -code error "expected boolean value but got \"$value\""
        }
        set constraints($name) [expr {bool($value)}]
        return $constraints($name)
    }
    if {![info exists constraints($name)]} {
        set constraints($name) [expr {[Known $name] && !($options(-limitconstraints) && $name ni $options(-constraints))}]
    }
    return $constraints($name)
}

# Keeps a script that tells whether a constraint holds, for the first time that it is asked for.
proc ::tcltest::ConstraintInitializer {name {script {}}} {
    variable initializers
    if {$script ne ""} {
        set initializers($name) $script
    }
    return $initializers($name)
}

# Whether a constraint that nobody has set holds here.
proc ::tcltest::Known name {
    variable initializers
    if {[info exists initializers($name)]} {
        return [expr {![catch {namespace eval ::tcltest $initializers($name)} truth] && [string is true -strict $truth]}]
    }
    switch -- $name {
        unix - unixOnly - unixOrPc - unixOrWin - unixOrMac - macOrUnix - tempNotPc - tempNotWin - tempNotMac - notPc -
        notMac - notWin - nonBlockFiles - asyncPipeClose - eformat - unixExecs - stdio - singleTestInterp {
            return 1
        }
        root {
            return [expr {$::tcl_platform(user) eq "root"}]
        }
        notRoot {
            return [expr {$::tcl_platform(user) ne "root"}]
        }
        interactive {
            return [expr {[info exists ::tcl_interactive] && $::tcl_interactive}]
        }
        exec - fcopy {
            return [llength [info commands ::$name]]
        }
        default {
            return 0
        }
    }
}

# Why a test with these constraints does not run; empty when it does.
proc ::tcltest::Unmet wanted {
    set condition ""
    if {[string match {*[$\[]*} $wanted]} {
        set condition $wanted
    } elseif {[regexp {[^.:_a-zA-Z0-9 \n\r\t]} $wanted]} {
        regsub -all {[.\w]+} $wanted {[::tcltest::testConstraint &]} condition
    }
    if {$condition ne ""} {
        # What is no expression is not met either.
        return [expr {![catch {uplevel #0 [list ::expr $condition]} truth] && $truth ? "" : $wanted}]
    }
    foreach constraint $wanted {
        if {![testConstraint $constraint]} {
            return $constraint
        }
    }
    return ""
}

# Tests.

proc ::tcltest::customMatch {mode command} {
    variable matchers
    set matchers($mode) $command
    return
}
::tcltest::customMatch exact {::string equal}
::tcltest::customMatch glob {::string match}
::tcltest::customMatch regexp {::regexp --}

proc ::tcltest::Compare {actual expected mode} {
    variable matchers
    return [uplevel #0 [list {*}$matchers($mode) $expected $actual]]
}

proc ::tcltest::test {name description args} {
    variable numTests
    variable matchers
    variable options
    variable skippedBecause
    variable failed
    variable captured
    array set given {
        -constraints {} -setup {} -body {} -cleanup {} -result {} -match exact -returnCodes {ok return} -errorCode *
    }
    if {[string match -* [lindex $args 0]] || [llength $args] <= 1} {
        if {[llength $args] == 1} {
            set args [lindex $args 0]
        }
        foreach {option value} $args {
            set known {-body -cleanup -constraints -errorCode -errorOutput -match -output -result -returnCodes -setup}
            if {$option ni $known} {
                return -code error "bad option \"$option\": must be [join [lrange $known 0 end-1] {, }], or [lindex $known end]"
            }
            set given($option) $value
        }
    } else {
        switch [llength $args] {
            2 {
                lassign $args given(-body) given(-result)
            }
            3 {
                lassign $args given(-constraints) given(-body) given(-result)
            }
            default {
                return -code error "wrong # args: should be \"test name desc ?options?\""
            }
        }
    }
    if {![info exists matchers($given(-match))]} {
        set known [lsort [array names matchers]]
        return -code error "bad -match value \"$given(-match)\": must be [join [lrange $known 0 end-1] {, }], or [lindex $known end]"
    }
    set expected [lmap code $given(-returnCodes) {
        string map {ok 0 error 1 return 2 break 3 continue 4} $code
    }]
    incr numTests(Total)
    set reason [Skipped $name $given(-constraints)]
    if {$reason ne ""} {
        incr numTests(Skipped)
        incr skippedBecause($reason)
        if {"skip" in $options(-verbose)} {
            ::puts [outputChannel] "++++ $name SKIPPED: $reason"
        }
        return
    }
    if {"start" in $options(-verbose)} {
        ::puts [outputChannel] "---- $name start"
        flush [outputChannel]
    }

    set problems {}
    set capture [expr {[info exists given(-output)] || [info exists given(-errorOutput)]}]
    array set captured {stdout "" stderr ""}
    set setup [catch {uplevel 1 $given(-setup)} message how]
    if {$setup == 1} {
        lappend problems "---- Test setup failed:\n$message" "---- errorInfo(setup): [dict get $how -errorinfo]"
    } else {
        if {$capture} {
            Capture
        }
        set code [catch {uplevel 1 $given(-body)} actual how]
        if {$capture} {
            Release
        }
        if {$code == 1} {
            set ::errorInfo [dict get $how -errorinfo]
            set ::errorCode [dict get $how -errorcode]
        }
        if {$code ni $expected} {
            lappend problems "---- [Described $code]; Return code was: $code" \
                "---- Return code should have been one of: $expected"
            if {$code == 1 && "error" in $options(-verbose)} {
                lappend problems "---- errorInfo: [dict get $how -errorinfo]" "---- errorCode: [dict get $how -errorcode]"
            }
        } elseif {$code == 1 && 1 in $expected && ![string match $given(-errorCode) [dict get $how -errorcode]]} {
            lappend problems "---- Error code was: '[dict get $how -errorcode]'" \
                "---- Error code should have been: '$given(-errorCode)'"
        }
        # A wrong return code says enough.
        if {$code in $expected && ![Compare $actual $given(-result) $given(-match)]} {
            lappend problems "---- Result was:\n$actual" "---- Result should have been ($given(-match) matching):\n$given(-result)"
        }
        foreach {option stream what} {-output stdout Output -errorOutput stderr {Error output}} {
            if {[info exists given($option)] && ![Compare $captured($stream) $given($option) $given(-match)]} {
                lappend problems "---- $what was:\n$captured($stream)" \
                    "---- $what should have been ($given(-match) matching):\n$given($option)"
            }
        }
    }
    if {[catch {uplevel 1 $given(-cleanup)} message how] == 1} {
        lappend problems "---- Test cleanup failed:\n$message" "---- errorInfo(cleanup): [dict get $how -errorinfo]"
    }
    if {![llength $problems]} {
        incr numTests(Passed)
        if {"pass" in $options(-verbose)} {
            ::puts [outputChannel] "++++ $name PASSED"
        }
        return
    }
    incr numTests(Failed)
    lappend failed $name
    set out [outputChannel]
    ::puts $out "\n"
    ::puts -nonewline $out "==== $name [string trim $description]"
    ::puts $out " FAILED"
    if {"body" in $options(-verbose)} {
        ::puts $out "==== Contents of test case:\n$given(-body)"
    }
    foreach problem $problems {
        ::puts $out $problem
    }
    ::puts $out "==== $name FAILED\n"
    return
}

proc ::tcltest::Described code {
    switch -- $code {
        0 {return "Test completed normally"}
        1 {return "Test generated error"}
        2 {return "Test generated return exception"}
        3 {return "Test generated break exception"}
        4 {return "Test generated continue exception"}
        default {return "Test generated exception"}
    }
}

proc ::tcltest::Skipped {name constraints} {
    variable options
    foreach pattern $options(-skip) {
        if {[string match $pattern $name]} {
            return userSpecifiedSkip
        }
    }
    set chosen 0
    foreach pattern $options(-match) {
        if {[string match $pattern $name]} {
            set chosen 1
        }
    }
    if {!$chosen} {
        return userSpecifiedNonMatch
    }
    return [Unmet $constraints]
}

# While the output is checked, what goes to the two standard channels is gathered.
proc ::tcltest::Capture {} {
    rename ::puts ::tcltest::Puts
    proc ::puts args {
        variable ::tcltest::captured
        set words $args
        set end \n
        if {[lindex $words 0] eq "-nonewline"} {
            set end ""
            set words [lrange $words 1 end]
        }
        if {[llength $words] == 1} {
            set words [linsert $words 0 stdout]
        }
        if {[llength $words] == 2} {
            set channel [lindex $words 0]
            foreach {stream option} {stdout -outfile stderr -errfile} {
                if {$channel eq $stream || $channel eq [::tcltest::Channel $option]} {
                    append captured($stream) [lindex $words 1]$end
                    return
                }
            }
        }
        return [uplevel 1 [list ::tcltest::Puts {*}$args]]
    }
}

proc ::tcltest::Release {} {
    rename ::puts {}
    rename ::tcltest::Puts ::puts
}

# Files.

proc ::tcltest::Place {name directory} {
    variable options
    if {$directory eq ""} {
        set directory $options(-tmpdir)
    }
    return [file normalize [file join $directory $name]]
}

proc ::tcltest::makeFile {contents name {directory {}}} {
    variable made
    set path [Place $name $directory]
    set channel [open $path w]
    fconfigure $channel -translation lf
    ::puts -nonewline $channel $contents
    if {![string match *\n $contents]} {
        ::puts $channel ""
    }
    close $channel
    if {$path ni $made} {
        lappend made $path
    }
    return $path
}

proc ::tcltest::removeFile {name {directory {}}} {
    variable made
    set path [Place $name $directory]
    set made [lsearch -all -inline -exact -not $made $path]
    return [file delete -- $path]
}

proc ::tcltest::makeDirectory {name {directory {}}} {
    variable made
    set path [Place $name $directory]
    file mkdir $path
    if {$path ni $made} {
        lappend made $path
    }
    return $path
}

proc ::tcltest::removeDirectory {name {directory {}}} {
    variable made
    set path [Place $name $directory]
    set made [lsearch -all -inline -exact -not $made $path]
    return [file delete -force -- $path]
}

proc ::tcltest::viewFile {name {directory {}}} {
    set channel [open [Place $name $directory]]
    set text [read -nonewline $channel]
    close $channel
    return $text
}

proc ::tcltest::getMatchingFiles args {
    variable options
    set directories [expr {[llength $args] ? $args : [list $options(-testdir)]}]
    set patterns [expr {[llength $options(-file)] ? $options(-file) : "*.test"}]
    set files {}
    foreach directory $directories {
        foreach file [lsort [glob -nocomplain -directory $directory -types f -- {*}$patterns]] {
            set skipped 0
            foreach pattern $options(-notfile) {
                if {[string match $pattern [file tail $file]]} {
                    set skipped 1
                }
            }
            if {!$skipped} {
                lappend files $file
            }
        }
    }
    return $files
}

proc ::tcltest::runAllTests {{shell ""}} {
    variable options
    variable testSingleFile false
    foreach file [getMatchingFiles] {
        ::puts [outputChannel] [file tail $file]
        uplevel #0 [list ::source $file]
    }
    variable testSingleFile true
    return [expr {[cleanupTests 1] > 0}]
}

proc ::tcltest::cleanupTests {{all 0}} {
    variable numTests
    variable skippedBecause
    variable made
    variable failed
    variable testSingleFile
    variable originalDirectory
    foreach path $made {
        file delete -force -- $path
    }
    set made {}
    if {$testSingleFile || $all} {
        set name [expr {[info exists ::argv0] ? [file tail $::argv0] : ""}]
        ::puts -nonewline [outputChannel] "$name:"
        foreach what {Total Passed Skipped Failed} {
            ::puts -nonewline [outputChannel] "\t$what\t$numTests($what)"
        }
        ::puts [outputChannel] ""
        if {[array size skippedBecause]} {
            ::puts [outputChannel] "Number of tests skipped for each constraint:"
            foreach reason [lsort [array names skippedBecause]] {
                ::puts [outputChannel] "\t$skippedBecause($reason)\t$reason"
            }
        }
        set count $numTests(Failed)
        array set numTests {Total 0 Passed 0 Skipped 0 Failed 0}
        array unset skippedBecause
        set failed {}
        flush [outputChannel]
        return $count
    }
    return 0
}

# Options of the command line and of the variable that tests inherit.
apply {{} {
    set words {}
    if {[info exists ::env(TCLTEST_OPTIONS)]} {
        set words $::env(TCLTEST_OPTIONS)
    }
    if {[info exists ::argv]} {
        lappend words {*}$::argv
    }
    foreach {name value} $words {
        if {[catch {::tcltest::configure $name $value} message]} {
            puts [::tcltest::errorChannel] "WARNING: $message"
        }
    }
}}

package provide tcltest $::tcltest::version
