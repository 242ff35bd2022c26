# xmod for POSIX shells (dash, busybox, yash, ...): defines `module` and `ml`. Safe to read again and under `set -eu`;
# runs no program. In scripts:  . PREFIX/init/sh

if [ ! -x @LMOD_CMD@ ] && [ -x "${MODULESHOME-}/libexec/lmod" ]; then
    # The tree was moved; who reads this file has said where it is now.
    LMOD_DIR=$MODULESHOME/libexec
    LMOD_CMD=$LMOD_DIR/lmod
else
    MODULESHOME=@MODULESHOME@
    LMOD_CMD=@LMOD_CMD@
    LMOD_DIR=@LMOD_DIR@
fi
LMOD_PKG=$MODULESHOME
LMOD_VERSION=@LMOD_VERSION@
\export MODULESHOME LMOD_PKG LMOD_CMD LMOD_DIR LMOD_VERSION

\unalias module ml 2>/dev/null || \:

module() {
    __xmod_piped=
    if [ ! -t 1 ]; then
        __xmod_piped=1
    fi
    \eval "$(__XMOD_PIPED=$__xmod_piped "${LMOD_CMD-lmod}" @SHELL@ "$@" || \echo false)"
}

ml() {
    module ml "$@"
}

if [ -z "${MODULEPATH+x}" ] && [ -r "$MODULESHOME/etc/modulespath" ]; then
    # One directory a line; `#` begins a comment; patterns are expanded.
    _xmod_ifs=${IFS-unset}
    IFS=
    while \read -r _xmod_line || [ -n "$_xmod_line" ]; do
        _xmod_line=${_xmod_line%%#*}
        _xmod_line=${_xmod_line%"${_xmod_line##*[![:space:]]}"}
        for _xmod_dir in $_xmod_line; do
            if [ -d "$_xmod_dir" ]; then
                MODULEPATH=${MODULEPATH:+$MODULEPATH:}$_xmod_dir
            fi
        done
    done <"$MODULESHOME/etc/modulespath"
    if [ "$_xmod_ifs" = unset ]; then
        \unset IFS
    else
        IFS=$_xmod_ifs
    fi
    \unset _xmod_line _xmod_dir _xmod_ifs
    \export MODULEPATH
fi
