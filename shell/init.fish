# xmod for fish: defines `module` and `ml`. Safe to read again; runs no program.
# In ~/.config/fish/config.fish:  xmod init fish | source    or:  source PREFIX/init/fish

set -gx MODULESHOME @MODULESHOME@
set -gx LMOD_CMD @LMOD_CMD@
set -gx LMOD_DIR @LMOD_DIR@
if not test -x $LMOD_CMD
    # The tree was moved: this file is where it is now.
    set -l home (string replace -r '/[^/]*/[^/]*$' '' -- (status filename))
    string match -q '/*' -- $home; or set home $PWD/$home
    if test -x $home/libexec/lmod
        set -gx MODULESHOME $home
        set -gx LMOD_DIR $home/libexec
        set -gx LMOD_CMD $home/libexec/lmod
    end
end
set -gx LMOD_PKG $MODULESHOME
set -gx LMOD_VERSION @LMOD_VERSION@

function module --description 'Load and unload environment modules'
    set -lx __XMOD_PIPED ''
    if not test -t 1
        set __XMOD_PIPED 1
    end
    $LMOD_CMD fish $argv | source
    set -l results $pipestatus
    test $results[1] -eq 0 -a $results[2] -eq 0
end

function ml --description 'Short for module'
    module ml $argv
end

if not set -q MODULEPATH; and test -r $MODULESHOME/etc/modulespath
    # One directory a line; `#` begins a comment; patterns are expanded.
    set -gx MODULEPATH
    while read -l line
        set line (string trim -- (string replace -r '#.*' '' -- $line))
        # Only the signs of patterns may act on the text of the file.
        if string match -qr '^[[:alnum:]_./@%+,*?-]+$' -- $line
            for dir in (eval "for d in $line; echo \$d; end" 2>/dev/null)
                if test -d $dir
                    set -gx --path MODULEPATH $MODULEPATH $dir
                end
            end
        end
    end <$MODULESHOME/etc/modulespath
end

if status is-interactive
@COMPLETION@
end
