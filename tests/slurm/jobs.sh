#!/bin/bash
# Submits one job per line of the table below to a Slurm of its own and leaves what each printed in WORK/NAME.out, its state in
# WORK/NAME.state. Run by tests/slurm.rs, as root, in a mount namespace of its own: start files of the system are covered by ours
# there, and nothing outside of it changes.
#
#   unshare -m jobs.sh XMOD WORK
set -u
xmod=$1
work=$2
here=$(cd "$(dirname "$0")" && pwd)
prefix=$work/xmod

mkdir -p "$work/mf/gcc" "$work/mf/tool" "$work/slurm" "$work/profile.d" "$work/etc-slurm"
printf '#%%Module\nsetenv GCC 13\n' >"$work/mf/gcc/13"
printf '#%%Module\nsetenv TOOL one\nset-alias tool_alias {echo}\n' >"$work/mf/tool/1"
"$xmod" install --prefix "$prefix" --modulepath "$work/mf" >/dev/null || exit 1

# What an admin does after an installation.
ln -s "$prefix/etc/profile.d/xmod.sh" "$prefix/etc/profile.d/xmod.csh" "$work/profile.d/"
{ cat /etc/zsh/zshenv; echo ". $prefix/init/zsh"; } >"$work/zshenv"
{ cat /etc/csh.cshrc; echo "source $prefix/etc/profile.d/xmod.csh"; } >"$work/csh.cshrc"
mount --bind "$work/profile.d" /etc/profile.d || exit 1
mount --bind "$work/zshenv" /etc/zsh/zshenv || exit 1
mount --bind "$work/csh.cshrc" /etc/csh.cshrc || exit 1
mount --bind "$work/etc-slurm" /etc/slurm || exit 1

export SLURM_DEV_DIR=$work/slurm SLURM_DEV_PORT=26817 SLURM_CONF=$work/slurm/slurm.conf
trap '"$here/start-slurm.sh" stop >/dev/null 2>&1' EXIT
"$here/start-slurm.sh" >"$work/start.log" 2>&1 || { cat "$work/start.log" >&2; exit 1; }

job() { # job NAME SHEBANG [OPTION...] <BODY
    local name=$1 shebang=$2
    shift 2
    { echo "#!$shebang"; cat; } >"$work/$name.job"
    sbatch --parsable -o "$work/$name.out" -J "$name" "$@" "$work/$name.job" >>"$work/ids" || exit 1
}

# A session on a login node: a module is loaded, then jobs are submitted.
cd "$work" || exit 1
unset MODULEPATH LOADEDMODULES _LMFILES_ BASH_ENV MODULESHOME LMOD_CMD
. /etc/profile.d/xmod.sh
module load gcc || exit 1

bourne='module load tool; echo "GCC=${GCC-none} TOOL=${TOOL-none}"; module unload tool; echo "LOADED=${LOADEDMODULES-none}"'
# shellcheck disable=SC2016 # the job expands it
csh='module load tool
if ($?GCC) then
echo -n "GCC=$GCC "
else
echo -n "GCC=none "
endif
echo "TOOL=$TOOL"
module unload tool
if ($?LOADEDMODULES) then
echo "LOADED=$LOADEDMODULES"
else
echo "LOADED=none"
endif'

for export in ALL NONE; do
    job "bash-$export" /bin/bash --export=$export <<<"$bourne"
    job "bash-l-$export" '/bin/bash -l' --export=$export <<<"$bourne"
    job "zsh-$export" /bin/zsh --export=$export <<<"$bourne"
    job "tcsh-$export" /bin/tcsh --export=$export <<<"$csh"
    job "sh-$export" /bin/sh --export=$export <<<". \"\$MODULESHOME/init/sh\"; $bourne"
    job "ksh-$export" /bin/ksh --export=$export <<<". \"\$MODULESHOME/init/ksh\"; $bourne"
done
job srun /bin/bash <<<"module load tool; srun bash -c '$bourne'"
job array /bin/bash --array=1-2 -o "$work/array.%a.out" <<<"$bourne"
job stops /bin/bash <<<'set -e; module load nope; echo went on'
job goes-on /bin/bash <<<'module load nope; echo went on'
job exits-3 /bin/bash <<<'module load tool nope || exit 3'
job and /bin/bash <<<'module load nope && echo went on; true'
job zsh-stops /bin/zsh <<<'setopt err_exit; module load nope; echo went on'
job tcsh-or /bin/tcsh <<<'module load nope || exit 3'

# Scripts that xmod writes: asked about, submitted, and with commands in parallel of which one fails.
"$xmod" sbatch --test-only --modules tool --job-name 'a "name" # of \\ sorts' --time 10 -- true 2>"$work/asked" || exit 1
"$xmod" sbatch --submit --modules gcc tool --job-name ours --output "$work/o u t-%x.out" --nodes 1 --ntasks 1 --cpus-per-task 1 \
    --mem 100M --time 0:05:00 --mail-type END,FAIL --mail-user nobody@example.invalid \
    --group sequence 'echo first # said' 'echo "GCC=$GCC"' --group parallel 'sleep 0.2; echo later' 'echo sooner' \
    -- echo 'it is' "the 'end'" | sed 's/.* //' >>"$work/ids"
"$xmod" sbatch --modules tool --job-name stopped --output "$work/stopped.out" \
    --group parallel 'exit 3' 'sleep 0.2; echo finished' -- echo went on | sbatch --parsable >>"$work/ids" || exit 1

# shellcheck disable=SC2016 # the job expands it
"$xmod" sbatch --submit --modules tool --job-name tasks --array 3-5:2%1 --gpus 1 --gres gpu:1 --output "$work/tasks.%a.out" \
    --group sequence 'echo "TOOL=$TOOL task $SLURM_ARRAY_TASK_ID"' | sed 's/.* //' >>"$work/ids"

for ((i = 0; i < 600; i++)); do
    [[ -z $(squeue -h -o %i) ]] && break
    sleep 0.2
done
for id in $(cat ids); do
    scontrol -o show job "$id" | sed -E 's/.* JobName=([^ ]*) .* JobState=([^ ]*) .* ExitCode=([^ ]*) .*/\1 \2 \3/'
done >states
