# What kind of machine this is, in one word: the operating system and the processor. Source: platform(n).

package provide platform 1.0.19

namespace eval ::platform {
    namespace export generic identify patterns
}

proc ::platform::generic {} {
    set system [string tolower [lindex [split $::tcl_platform(os)] 0]]
    set processor [string map {{ } {}} $::tcl_platform(machine)]
    switch -glob -- $processor {
        amd64 {
            set processor x86_64
        }
        i?86 {
            set processor ix86
        }
        sun4* {
            set processor sparc
        }
        intel - "Power Macintosh" {
            set processor [string tolower [string map {{ } {}} $processor]]
        }
    }
    if {$processor eq "x86_64" && $::tcl_platform(pointerSize) == 4} {
        set processor ix86
    }
    switch -glob -- $system {
        darwin {
            set system macosx
        }
        sunos {
            set system solaris
        }
        cygwin* {
            set system cygwin
        }
    }
    return $system-$processor
}

proc ::platform::identify {} {
    set generic [generic]
    if {![string match linux-* $generic]} {
        return $generic
    }
    # The version of the C library decides which programs run.
    set library unknown
    if {![catch {exec getconf GNU_LIBC_VERSION} told] && [regexp {^glibc (\d+\.\d+)} $told -> version]} {
        set library glibc$version
    }
    return linux-$library-[string range $generic 6 end]
}

proc ::platform::patterns id {
    set found [list $id]
    if {[regexp {^linux-glibc(\d+)\.(\d+)-(.*)$} $id -> major minor processor]} {
        while {[incr minor -1] >= 0} {
            lappend found linux-glibc$major.$minor-$processor
        }
    }
    return [lappend found tcl]
}
