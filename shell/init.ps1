# xmod for PowerShell: defines `envmodule` (`module` is a keyword there in some versions), `module` and `ml`.
# In $PROFILE:  . PREFIX/init/pwsh.ps1

$env:MODULESHOME = @MODULESHOME@
$env:LMOD_CMD = @LMOD_CMD@
$env:LMOD_DIR = @LMOD_DIR@
if (-not (Test-Path -LiteralPath $env:LMOD_CMD) -and $PSScriptRoot) {
    # The tree was moved: this file is where it is now.
    $env:MODULESHOME = Split-Path -Parent $PSScriptRoot
    $env:LMOD_DIR = $env:MODULESHOME + '/libexec'
    $env:LMOD_CMD = $env:LMOD_DIR + '/lmod'
}
$env:LMOD_PKG = $env:MODULESHOME
$env:LMOD_VERSION = @LMOD_VERSION@

# A function that only writes an error counts as a success: `module load x && y` needs an exception. `$_mlstatus` tells too.
function global:envmodule {
    $global:_mlstatus = $false
    $code = (& $env:LMOD_CMD pwsh @args) -join "`n"
    if ($code) { Invoke-Expression $code }
    if ($global:_mlstatus -eq $false) { throw 'the module command failed' }
}

function global:ml { envmodule ml @args }

Set-Alias -Name module -Value envmodule -Scope Global

if (-not (Test-Path -LiteralPath env:MODULEPATH) -and (Test-Path -LiteralPath "$env:MODULESHOME/etc/modulespath")) {
    envmodule modulespath
}
