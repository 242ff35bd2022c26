# xmod for zsh: defines `module` and `ml`. Safe to read again and in ~/.zshenv; runs no program.
# In ~/.zshenv (for scripts too):  . PREFIX/init/zsh    or:  eval "$(xmod init zsh)"

if [[ ! -x @LMOD_CMD@ && -x "${${(%):-%x}:A:h:h}/libexec/lmod" ]]; then
    # The tree was moved: this file is where it is now.
    \export MODULESHOME="${${(%):-%x}:A:h:h}"
    \export LMOD_DIR="$MODULESHOME/libexec"
    \export LMOD_CMD="$LMOD_DIR/lmod"
else
    \export MODULESHOME=@MODULESHOME@
    \export LMOD_CMD=@LMOD_CMD@
    \export LMOD_DIR=@LMOD_DIR@
fi
\export LMOD_PKG="$MODULESHOME"
\export LMOD_VERSION=@LMOD_VERSION@

\builtin unalias 'module' 'ml' 2>/dev/null || \:

function module {
    \builtin local __xmod_code __xmod_trace='' __xmod_status __xmod_piped=''
    if [[ ! -t 1 ]]; then
        __xmod_piped=1
    fi
    if [[ -z "${LMOD_SH_DBG_ON-}" && -o xtrace ]]; then
        { \builtin unsetopt xtrace; } 2>/dev/null
        __xmod_trace=1
    fi
    if __xmod_code="$(__XMOD_PIPED=$__xmod_piped "${LMOD_CMD-lmod}" zsh "$@")"; then
        \builtin eval "$__xmod_code"
        __xmod_status=$?
    else
        \builtin eval "$__xmod_code"
        __xmod_status=1
    fi
    if [[ -n "$__xmod_trace" ]]; then
        \builtin setopt xtrace
    fi
    \builtin return $__xmod_status
}

function ml {
    module ml "$@"
}

if [[ -z "${MODULEPATH+x}" && -r "$MODULESHOME/etc/modulespath" ]]; then
    # One directory a line; `#` begins a comment; patterns are expanded.
    function __xmod_modulespath {
        \builtin emulate -L zsh
        \builtin setopt extended_glob null_glob
        \builtin local line dir
        while IFS= \builtin read -r line || [[ -n "$line" ]]; do
            line="${line%%\#*}"
            line="${line%%[[:space:]]##}"
            for dir in ${~line}; do
                if [[ -d "$dir" ]]; then
                    \builtin export MODULEPATH="${MODULEPATH:+$MODULEPATH:}$dir"
                fi
            done
        done <"$MODULESHOME/etc/modulespath"
    }
    __xmod_modulespath
    \builtin unfunction __xmod_modulespath
fi

if [[ -o interactive ]]; then
@COMPLETION@
fi
