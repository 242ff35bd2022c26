# xmod: the `module` command in login shells. To be linked into /etc/profile.d, or read from there.

_xmod_home=@MODULESHOME@
if [ ! -d "$_xmod_home/init" ]; then
    # The tree was moved: this file is where it is now, or the link to it tells.
    _xmod_home=${BASH_SOURCE-}
    if [ -n "${ZSH_VERSION-}" ]; then
        \eval '_xmod_home=${${(%):-%x}:A}'
    elif [ -n "${KSH_VERSION-}" ] && [ "${KSH_VERSION#*MIRBSD}" = "$KSH_VERSION" ]; then
        \eval '_xmod_home=${.sh.file}'
    fi
    if [ -z "$_xmod_home" ] || [ -L "$_xmod_home" ]; then
        _xmod_home=$(readlink -f /etc/profile.d/xmod.sh) || \:
    fi
    case $_xmod_home in
    */etc/profile.d/*) _xmod_home=${_xmod_home%/etc/profile.d/*} ;;
    *) _xmod_home=${_xmod_home%/init/*} ;;
    esac
fi
if [ -d "$_xmod_home/init" ]; then
    MODULESHOME=$_xmod_home
    if [ -n "${BASH_VERSION-}" ]; then
        . "$_xmod_home/init/bash"
    elif [ -n "${ZSH_VERSION-}" ]; then
        . "$_xmod_home/init/zsh"
    elif [ -n "${KSH_VERSION-}" ]; then
        case $KSH_VERSION in
        *MIRBSD*) . "$_xmod_home/init/mksh" ;;
        *) . "$_xmod_home/init/ksh" ;;
        esac
    else
        . "$_xmod_home/init/sh"
    fi
    # The empty entry stands for the manual pages of the system.
    case :${MANPATH-}: in
    *:"$_xmod_home/share/man":*) ;;
    *)
        MANPATH=${MANPATH-}:$_xmod_home/share/man
        \export MANPATH
        ;;
    esac
fi
\unset _xmod_home
