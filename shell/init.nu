# xmod for Nushell: defines `lmod-module` (`module` is a keyword there) and `ml`. In config.nu:  source PREFIX/init/nushell

if not (@LMOD_CMD@ | path exists) and ($env.MODULESHOME? | default "/" | path join libexec lmod | path exists) {
    # The tree was moved; who reads this file has said where it is now.
    $env.LMOD_DIR = ($env.MODULESHOME | path join libexec)
    $env.LMOD_CMD = ($env.LMOD_DIR | path join lmod)
} else {
    $env.MODULESHOME = @MODULESHOME@
    $env.LMOD_CMD = @LMOD_CMD@
    $env.LMOD_DIR = @LMOD_DIR@
}
$env.LMOD_PKG = $env.MODULESHOME
$env.LMOD_VERSION = @LMOD_VERSION@

# Load and unload environment modules.
def --env --wrapped lmod-module [...args: string] {
    # Nushell cannot run text as code: the changes come as data.
    let answer = (^$env.LMOD_CMD json ...$args | from json)
    if $answer == null {
        error make -u {msg: "the module command failed"}
    }
    # Nushell holds the search path as a list.
    let vars = (if "PATH" in $answer.env {
        $answer.env | upsert PATH ($answer.env.PATH | split row ":")
    } else {
        $answer.env
    })
    load-env $vars
    for name in $answer.unset { hide-env --ignore-errors $name }
    if "chdir" in $answer { cd $answer.chdir }
    if "stdout" in $answer { print $answer.stdout }
    if "result" in $answer { print $answer.result }
    if not $answer._mlstatus {
        error make -u {msg: "the module command failed"}
    }
}

# Short for `lmod-module`; `ml load`, `ml avail` and so on do all that it does.
def --env --wrapped ml [...args: string] {
    lmod-module ml ...$args
}

if "MODULEPATH" not-in $env and ($env.MODULESHOME | path join etc modulespath | path exists) {
    lmod-module modulespath
}
