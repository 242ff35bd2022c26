# The commands of siteconfig.tcl. The program puts the options into ::xmod::conf before, and finds what the file set in
# ::xmod::assigned.
namespace eval ::xmod {
    variable hooks {}
    variable assigned {}
    variable modfile {}

    # Calls what the site has registered for an event; what fails is told, and the next is called.
    proc fire {event args} {
        variable hooks
        if {![dict exists $hooks $event]} return
        foreach name [dict get $hooks $event] {
            if {[catch {uplevel #0 [list $name {*}$args]} message]} {
                set text "Hook procedure '$name' registered on '$event' event failed\n$message"
                if {[catch {reportError $text}]} {
                    puts stderr $text
                }
            }
        }
    }

    # Gives an interpreter what the site has for all files of its kind.
    proc furnish {path kind} {
        variable modfile $path
        set vars ::${kind}_extra_vars
        if {[info exists $vars]} {
            foreach {name value} [set $vars] {
                interp eval $path [list set ::$name $value]
            }
        }
        set commands ::${kind}_extra_cmds
        if {[info exists $commands]} {
            foreach {name target} [set $commands] {
                interp alias $path $name {} $target
            }
        }
    }
}
proc add-hook {event name} {
    set events {
        before-modulefile-eval after-modulefile-eval before-modulerc-eval after-modulerc-eval
    }
    if {$event ni $events} {
        return -code error "unknown event \"$event\": must be [join [lrange $events 0 end-1] {, }], or [lindex $events end]"
    }
    dict lappend ::xmod::hooks $event $name
    return
}
proc getConf {option {value {}}} {
    if {[dict exists $::xmod::conf $option]} {
        return [dict get $::xmod::conf $option]
    }
    return $value
}
proc setConf {option value} {
    dict set ::xmod::conf $option $value
    dict set ::xmod::assigned $option $value
    return $value
}
proc lappendConf {option args} {
    setConf $option [list {*}[getConf $option] {*}$args]
}
proc getCurrentModfileInterpName {} {
    return $::xmod::modfile
}
