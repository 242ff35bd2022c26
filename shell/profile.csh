# xmod: the `module` command in login shells. To be linked into /etc/profile.d, or read from there.

set _xmod_home = @MODULESHOME@
if (! -d "$_xmod_home/init" && -e /etc/profile.d/xmod.csh) then
    # The tree was moved: the link tells where it is now.
    set _xmod_home = `readlink -f /etc/profile.d/xmod.csh | sed "s@/etc/profile.d/[^/]*"'$'"@@"`
    setenv MODULESHOME "$_xmod_home"
endif
if (-d "$_xmod_home/init") then
    if ($?tcsh) then
        source "$_xmod_home/init/tcsh"
    else
        source "$_xmod_home/init/csh"
    endif
    # The empty entry stands for the manual pages of the system.
    if (! $?MANPATH) setenv MANPATH ""
    switch (":${MANPATH}:")
    case "*:${_xmod_home}/share/man:*":
        breaksw
    default:
        setenv MANPATH "${MANPATH}:${_xmod_home}/share/man"
    endsw
endif
unset _xmod_home
