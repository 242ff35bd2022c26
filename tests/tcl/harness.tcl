# Runs small scripts and prints what each gives: the script, the return code, the result and, for errors, errorCode.
# Every *.test file sources this one; it runs in xmod and in tclsh alike.
proc t {script} {
    # A copy: tclsh changes lists in place when it may.
    set line [list [string range "x$script" 1 end]]
    lappend line [catch {uplevel #0 $script} result options] $result
    set code [lindex $line 1]
    if {$code == 1} {
        lappend line [dict get $options -errorcode]
    }
    puts $line
}

# Runs each script of a list.
proc each {scripts} {
    foreach script $scripts {
        t $script
    }
}

# Runs a script and prints errorInfo when it fails.
proc trace_of {script} {
    if {[catch {uplevel #0 $script} result]} {
        puts [list $script $::errorInfo]
    } else {
        puts [list $script $result]
    }
}
