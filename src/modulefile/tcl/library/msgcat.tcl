# The package msgcat: texts in the language of the user. A catalog belongs to a namespace; a text is looked up in the
# namespace of the caller and its parents, in each for all preferred locales. `clock` looks into the catalog of
# ::tcl::clock for words of `-locale`. Source: msgcat(n).

namespace eval ::msgcat {
    namespace export mc mcexists mcflmset mcflset mcforgetpackage mcload mcloadedlocales mclocale mcmax mcmset \
        mcpackageconfig mcpackagelocale mcpreferences mcset mcunknown

    # The texts: namespace, locale, text in the program, text for the user.
    variable Texts {}
    # The locale, the locales that are looked through for it, and all that were in use since the last clean-up.
    variable Locale {}
    variable Preferences {{}}
    variable Loaded {{}}
    # The same for namespaces with a locale of their own, and their options.
    variable Own {}
    variable Options {}
    # The locale of the file that is being loaded.
    variable FileLocale {}
}

# The locale in the manner of msgcat for one in the manner of POSIX: en_US.UTF-8@euro is en_us_euro.
proc ::msgcat::ConvertLocale {value} {
    if {![regexp {^([^_.@]+)(?:_([^_.@]*))?(?:\.[^@]*)?(?:@(.*))?$} $value - language country variant]} {
        error "invalid locale \"$value\""
    }
    set locale $language
    if {$country ne ""} {
        append locale _$country
    }
    if {$variant ne ""} {
        if {$country eq ""} {
            append locale _
        }
        append locale _$variant
    }
    return $locale
}

# A locale and what it falls back on: en_us, en, and the root.
proc ::msgcat::Fallbacks {locale} {
    set locale [string tolower $locale]
    set list {}
    while {$locale ne ""} {
        lappend list $locale
        set at [string last _ $locale]
        set locale [string trimright [string range $locale 0 $at-1] _]
    }
    lappend list {}
}

# What a namespace and its parents are called, innermost first.
proc ::msgcat::Enclosing {ns} {
    set list [list $ns]
    while {$ns ne "::"} {
        set ns [namespace qualifiers $ns]
        if {$ns eq ""} {
            set ns ::
        }
        lappend list $ns
    }
    return $list
}

proc ::msgcat::PreferencesOf {ns} {
    variable Own
    variable Preferences
    if {[dict exists $Own $ns]} {
        return [dict get $Own $ns preferences]
    }
    return $Preferences
}

proc ::msgcat::LoadedOf {ns} {
    variable Own
    variable Loaded
    if {[dict exists $Own $ns]} {
        return [dict get $Own $ns loaded]
    }
    return $Loaded
}

# Ends its caller with the error for a wrong number of arguments.
proc ::msgcat::Usage {text} {
    return -level 2 -code error "wrong # args: should be \"[lindex [info level -1] 0] $text\""
}

proc ::msgcat::mc args {
    if {![llength $args]} {
        Usage "src ?arg ...?"
    }
    set rest [lassign $args src]
    set ns [uplevel 1 {namespace current}]
    set found [Find [Enclosing $ns] [PreferencesOf $ns] $src]
    if {[llength $found]} {
        set text [lindex $found 0]
        if {[llength $rest]} {
            return [format $text {*}$rest]
        }
        return $text
    }
    variable Options
    set locale [lindex [PreferencesOf $ns] 0]
    if {[dict exists $Options $ns unknowncmd]} {
        set command [dict get $Options $ns unknowncmd]
        if {$command ne ""} {
            return [uplevel 1 [list {*}$command $locale {*}$args]]
        }
        if {[llength $rest]} {
            return [format $src {*}$rest]
        }
        return $src
    }
    return [uplevel 1 [list ::msgcat::mcunknown $locale {*}$args]]
}

# The text as a list of one element; none when no catalog has it.
proc ::msgcat::Find {namespaces locales src} {
    variable Texts
    foreach ns $namespaces {
        foreach locale $locales {
            if {[dict exists $Texts $ns $locale $src]} {
                return [list [dict get $Texts $ns $locale $src]]
            }
        }
    }
    return {}
}

proc ::msgcat::mcunknown {locale src args} {
    if {[llength $args]} {
        return [format $src {*}$args]
    }
    return $src
}

proc ::msgcat::mcexists args {
    set exactnamespace 0
    set exactlocale 0
    while {[llength $args] > 1} {
        set args [lassign $args option]
        switch -glob -- $option {
            -exactnamespace - -exactlocale { set [string range $option 1 end] 1 }
            -* { return -code error "unknown option \"$option\"" }
            default { Usage "?-exactnamespace? ?-exactlocale? src" }
        }
    }
    if {[llength $args] != 1} {
        Usage "?-exactnamespace? ?-exactlocale? src"
    }
    set ns [uplevel 1 {namespace current}]
    set locales [PreferencesOf $ns]
    if {$exactlocale} {
        set locales [lrange $locales 0 0]
    }
    set namespaces [Enclosing $ns]
    if {$exactnamespace} {
        set namespaces [list $ns]
    }
    return [expr {[llength [Find $namespaces $locales [lindex $args 0]]] > 0}]
}

proc ::msgcat::mcmax args {
    set most 0
    foreach src $args {
        set most [expr {max($most, [string length [uplevel 1 [list ::msgcat::mc $src]]])}]
    }
    return $most
}

proc ::msgcat::mclocale args {
    variable Locale
    if {[llength $args] > 1} {
        Usage "?newLocale?"
    }
    if {[llength $args]} {
        set new [lindex $args 0]
        if {$new ne [file tail $new]} {
            return -code error "invalid newLocale value \"$new\": could be path to unsafe code."
        }
        Enter $new
    }
    return $Locale
}

# Makes a locale that of everybody who has none of his own.
proc ::msgcat::Enter {locale} {
    variable Locale
    variable Preferences
    variable Loaded
    variable Options
    variable Own
    set Locale [string tolower $locale]
    if {[Fallbacks $locale] eq $Preferences} {
        return
    }
    set Preferences [Fallbacks $locale]
    set new {}
    foreach one $Preferences {
        if {$one ni $Loaded} {
            lappend Loaded $one
            lappend new $one
        }
    }
    foreach ns [dict keys $Options] {
        if {![dict exists $Own $ns]} {
            LoadFor $ns $new
            Call $ns changecmd {*}$Preferences
        }
    }
}

# Runs a callback of a package, if it has set one. Nobody waits for background errors here: a callback that fails has
# no effect.
proc ::msgcat::Call {ns option args} {
    variable Options
    if {[dict exists $Options $ns $option]} {
        set command [dict get $Options $ns $option]
        if {$command ne "" && [llength $args]} {
            catch {uplevel #0 [list {*}$command {*}$args]}
        }
    }
}

# Loads what a package has for these locales; gives the number of files.
proc ::msgcat::LoadFor {ns locales} {
    variable Options
    Call $ns loadcmd {*}$locales
    if {![dict exists $Options $ns mcfolder]} {
        return 0
    }
    return [LoadFiles $ns [dict get $Options $ns mcfolder] $locales]
}

proc ::msgcat::LoadFiles {ns folder locales} {
    variable FileLocale
    set count 0
    foreach locale $locales {
        set name [expr {$locale eq "" ? "ROOT" : $locale}]
        set file [file join $folder $name.msg]
        if {![file exists $file]} {
            continue
        }
        incr count
        set before $FileLocale
        set FileLocale [list $locale]
        try {
            namespace eval $ns [list ::source -encoding utf-8 $file]
        } finally {
            set FileLocale $before
        }
    }
    return $count
}

proc ::msgcat::mcpreferences {} {
    variable Preferences
    return $Preferences
}

proc ::msgcat::mcload {folder} {
    variable Options
    set ns [uplevel 1 {namespace current}]
    dict set Options $ns mcfolder $folder
    return [LoadFiles $ns $folder [LoadedOf $ns]]
}

proc ::msgcat::mcloadedlocales {subcommand} {
    variable Loaded
    variable Preferences
    variable Texts
    variable Own
    switch -- $subcommand {
        loaded { return $Loaded }
        clear {
            foreach ns [dict keys $Texts] {
                if {![dict exists $Own $ns]} {
                    KeepOnly $ns $Preferences
                }
            }
            set Loaded $Preferences
            return
        }
    }
    return -code error "unknown subcommand \"$subcommand\": must be clear, or loaded"
}

# Forgets what a namespace has for other locales than these.
proc ::msgcat::KeepOnly {ns locales} {
    variable Texts
    if {[dict exists $Texts $ns]} {
        dict set Texts $ns [dict filter [dict get $Texts $ns] script {locale -} {expr {$locale in $locales}}]
    }
}

proc ::msgcat::mcset {locale src {dest ""}} {
    variable Texts
    if {[llength [info level 0]] == 3} {
        set dest $src
    }
    dict set Texts [uplevel 1 {namespace current}] [string tolower $locale] $src $dest
    return $dest
}

proc ::msgcat::mcmset {locale pairs} {
    if {[llength $pairs] % 2} {
        return -code error "bad translation list: should be \"[lindex [info level 0] 0] locale {src dest ...}\""
    }
    foreach {src dest} $pairs {
        uplevel 1 [list ::msgcat::mcset $locale $src $dest]
    }
    return [expr {[llength $pairs] / 2}]
}

proc ::msgcat::FileLocale {} {
    variable FileLocale
    if {![llength $FileLocale]} {
        return -level 2 -code error "must only be used inside a message catalog loaded with ::msgcat::mcload"
    }
    return [lindex $FileLocale 0]
}

proc ::msgcat::mcflset {src {dest ""}} {
    set locale [FileLocale]
    if {[llength [info level 0]] == 2} {
        set dest $src
    }
    return [uplevel 1 [list ::msgcat::mcset $locale $src $dest]]
}

proc ::msgcat::mcflmset {pairs} {
    set locale [FileLocale]
    return [uplevel 1 [list ::msgcat::mcmset $locale $pairs]]
}

proc ::msgcat::mcforgetpackage {} {
    variable Texts
    variable Own
    variable Options
    set ns [uplevel 1 {namespace current}]
    foreach name {Texts Own Options} {
        set $name [dict remove [set $name] $ns]
    }
}

proc ::msgcat::mcpackagelocale {subcommand {locale ""}} {
    variable Own
    variable Locale
    variable Loaded
    set given [expr {[llength [info level 0]] == 3}]
    if {$subcommand in {clear get isset loaded preferences unset} && $given || $subcommand eq "present" && !$given} {
        Usage "subcommand ?locale?"
    }
    set ns [uplevel 1 {namespace current}]
    set own [dict exists $Own $ns]
    switch -- $subcommand {
        get { return [lindex [PreferencesOf $ns] 0] }
        isset { return $own }
        loaded { return [LoadedOf $ns] }
        preferences { return [PreferencesOf $ns] }
        present { return [expr {[string tolower $locale] in [LoadedOf $ns]}] }
        clear {
            if {!$own} {
                return -code error "clear only when package locale set"
            }
            KeepOnly $ns [PreferencesOf $ns]
            dict set Own $ns loaded [PreferencesOf $ns]
        }
        unset {
            if {$own} {
                set before [LoadedOf $ns]
                dict unset Own $ns
                LoadFor $ns [lmap one $Loaded {if {$one in $before} continue; set one}]
            }
        }
        set {
            if {!$given} {
                set locale $Locale
            } elseif {$locale ne [file tail $locale]} {
                return -code error "invalid newLocale value \"$locale\": could be path to unsafe code."
            }
            set loaded [LoadedOf $ns]
            dict set Own $ns preferences [Fallbacks $locale]
            set new [lmap one [Fallbacks $locale] {if {$one in $loaded} continue; set one}]
            dict set Own $ns loaded [concat $loaded $new]
            LoadFor $ns $new
            return [string tolower $locale]
        }
        default {
            return -code error "unknown subcommand \"$subcommand\": must be clear, get, isset, loaded, present, set, or unset"
        }
    }
    return
}

proc ::msgcat::mcpackageconfig {subcommand option {value ""}} {
    variable Options
    if {$option ni {mcfolder loadcmd changecmd unknowncmd}} {
        return -code error "bad option \"$option\": must be mcfolder, loadcmd, changecmd, or unknowncmd"
    }
    if {$subcommand in {get isset set unset} && ([llength [info level 0]] == 4) != ($subcommand eq "set")} {
        Usage "subcommand option ?value?"
    }
    set ns [uplevel 1 {namespace current}]
    switch -- $subcommand {
        get {
            if {![dict exists $Options $ns $option]} {
                return -code error "package option \"$option\" not set"
            }
            return [dict get $Options $ns $option]
        }
        isset { return [dict exists $Options $ns $option] }
        unset {
            if {[dict exists $Options $ns $option]} {
                dict unset Options $ns $option
            }
            return
        }
        set {
            dict set Options $ns $option $value
            if {$option eq "mcfolder"} {
                return [LoadFiles $ns $value [LoadedOf $ns]]
            }
            if {$option eq "loadcmd"} {
                Call $ns loadcmd {*}[LoadedOf $ns]
            }
            return 0
        }
    }
    return -code error "unknown subcommand \"$subcommand\": must be get, isset, set, or unset"
}

apply {{} {
    foreach name {LC_ALL LC_MESSAGES LANG} {
        if {[info exists ::env($name)] && $::env($name) ne ""} {
            if {![catch {Enter [ConvertLocale $::env($name)]}]} {
                return
            }
        }
    }
    Enter c
} ::msgcat}

package provide msgcat 1.6.1
