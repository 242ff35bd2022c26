# xmod for tcsh and csh: defines `module` and `ml`. Safe to read again; runs no program but `sed`, and that only where
# MODULEPATH must be set. In ~/.cshrc or ~/.tcshrc:  source PREFIX/init/tcsh

if (! $?MODULESHOME) setenv MODULESHOME @MODULESHOME@
# Another place than this one only where the tree was moved there.
if (-x @LMOD_CMD@ || ! -x "$MODULESHOME/libexec/lmod") then
    setenv MODULESHOME @MODULESHOME@
    setenv LMOD_CMD @LMOD_CMD@
    setenv LMOD_DIR @LMOD_DIR@
else
    setenv LMOD_DIR "$MODULESHOME/libexec"
    setenv LMOD_CMD "$MODULESHOME/libexec/lmod"
endif
setenv LMOD_PKG "$MODULESHOME"
setenv LMOD_VERSION @LMOD_VERSION@

# The shell cannot take these two from the output of a command, so values get them from here.
set _xmod_nl = '\
'
set _xmod_tab = '	'

# Words are taken apart (globs, ~, quotes) before `noglob` is set: without it the shell would expand braces and stars in the code.
alias module 'set _xmod_args = (\!*); set _xmod_noglob = $?noglob; set noglob; set _xmod_code = `"$LMOD_CMD" @SHELL@ $_xmod_args:q`; if (! $_xmod_noglob) unset noglob; if ($#_xmod_code == 0) set _xmod_code = false; eval $_xmod_code:q'
alias ml 'module ml \!*'

if (! $?MODULEPATH && -r "$MODULESHOME/etc/modulespath") then
    # One directory a line; `#` begins a comment; patterns are expanded.
    set _xmod_nonomatch = $?nonomatch
    set nonomatch
    foreach _xmod_dir (`sed "s/#.*//" "$MODULESHOME/etc/modulespath"`)
        if (-d "$_xmod_dir") then
            if ($?MODULEPATH) then
                setenv MODULEPATH "${MODULEPATH}:$_xmod_dir"
            else
                setenv MODULEPATH "$_xmod_dir"
            endif
        endif
    end
    if (! $_xmod_nonomatch) unset nonomatch
    unset _xmod_dir _xmod_nonomatch
endif

if ($?tcsh && $?prompt) then
@COMPLETION@
endif
