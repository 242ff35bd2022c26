# xmod for bash: defines `module` and `ml`. Safe to read again, under `set -eu`, and as BASH_ENV; runs no program.
# In ~/.bashrc:  eval "$(xmod init bash)"    or:  . PREFIX/init/bash

MODULESHOME=@MODULESHOME@
LMOD_CMD=@LMOD_CMD@
LMOD_DIR=@LMOD_DIR@
LMOD_VERSION=@LMOD_VERSION@
if [ ! -x "$LMOD_CMD" ]; then
    # The tree was moved: this file is where it is now.
    __xmod_home=${BASH_SOURCE[0]-}
    __xmod_home=${__xmod_home%/*/*}
    if [ -x "$__xmod_home/libexec/lmod" ]; then
        case $__xmod_home in
        /*) MODULESHOME=$__xmod_home ;;
        *) MODULESHOME=$PWD/$__xmod_home ;;
        esac
        LMOD_DIR=$MODULESHOME/libexec
        LMOD_CMD=$LMOD_DIR/lmod
    fi
    \unset -v __xmod_home
fi
LMOD_PKG=$MODULESHOME
\export MODULESHOME LMOD_PKG LMOD_CMD LMOD_DIR LMOD_VERSION

\unalias module ml 2>/dev/null || \:

function module {
    # A trace of every assignment helps nobody: LMOD_SH_DBG_ON=1 asks for it.
    \local __xmod_code __xmod_trace='' __xmod_status __xmod_piped=''
    if [ ! -t 1 ]; then
        __xmod_piped=1
    fi
    if [ -z "${LMOD_SH_DBG_ON-}" ]; then
        case $- in
        *x*)
            { \set +x; } 2>/dev/null
            __xmod_trace=1
            ;;
        esac
    fi
    # EasyBuild looks for the name of its program in this text, be it for Lmod or for Environment Modules.
    if __xmod_code=$(__XMOD_PIPED=$__xmod_piped "${LMOD_CMD-${MODULES_CMD-modulecmd.tcl}}" bash "$@"); then
        \eval "$__xmod_code"
        __xmod_status=$?
    else
        \eval "$__xmod_code"
        __xmod_status=1
    fi
    if [ -n "$__xmod_trace" ]; then
        \set -x
    fi
    \return "$__xmod_status"
}

function ml {
    module ml "$@"
}

\export -f module ml

if [ -z "${MODULEPATH+x}" ] && [ -r "$MODULESHOME/etc/modulespath" ]; then
    # One directory a line; `#` begins a comment; patterns are expanded.
    function __xmod_modulespath {
        \local line dir IFS=''
        while \read -r line || [ -n "$line" ]; do
            line=${line%%#*}
            line=${line%"${line##*[![:space:]]}"}
            for dir in $line; do
                if [ -d "$dir" ]; then
                    MODULEPATH=${MODULEPATH:+$MODULEPATH:}$dir
                fi
            done
        done <"$MODULESHOME/etc/modulespath"
    }
    __xmod_modulespath
    \unset -f __xmod_modulespath
    \export MODULEPATH
fi

# Non-interactive shells below one that drops functions (dash) find `module` this way.
if [ -z "${BASH_ENV+x}" ] && [ -r "$MODULESHOME/init/bash" ]; then
    \export BASH_ENV="$MODULESHOME/init/bash"
fi

case $- in
*i*)
@COMPLETION@
    ;;
esac
