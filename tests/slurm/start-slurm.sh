#!/bin/bash
# Start (or reuse) a real single-node Slurm on the loopback interface.
# Needs root and the Debian packages slurmctld slurmd slurm-client munge.
# Idempotent: a second call finds the running
# daemons and only checks them.  No accounting, no cgroups, no systemd.
#
#   start-slurm.sh            start and wait until the node is idle
#   start-slurm.sh stop       end the daemons this script started
#   start-slurm.sh status     print sinfo and squeue
#
# Knobs (environment): SLURM_DEV_DIR (state folder, default /var/tmp/slurm-dev),
#   SLURM_DEV_PORT (default 16817; +1 is used for slurmd), SLURM_DEV_CPUS,
#   SLURM_DEV_PROLOG (optional path of a TaskProlog), SLURM_DEV_WAIT (seconds, default 30).
set -u
D=${SLURM_DEV_DIR:-/var/tmp/slurm-dev}
PORT=${SLURM_DEV_PORT:-16817}
WAIT=${SLURM_DEV_WAIT:-30}
CPUS=${SLURM_DEV_CPUS:-$(nproc)}
CONF=$D/slurm.conf
HOST=$(hostname -s)
say() { echo "start-slurm: $*"; }
die() { echo "start-slurm: ERROR: $*" >&2; exit 1; }

alive() {                         # alive PIDFILE NAME: a process of that name with that pid
    local p; p=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$p" ] && kill -0 "$p" 2>/dev/null &&
        case "$(cat "/proc/$p/comm" 2>/dev/null)" in "$2"*) return 0 ;; esac
    return 1
}
wait_for() {                      # wait_for SECONDS DESCRIPTION COMMAND...
    local n=$(( $1 * 5 )) what=$2; shift 2
    while ! "$@" >/dev/null 2>&1; do
        n=$((n - 1)); [ $n -gt 0 ] || return 1
        sleep 0.2
    done
}
stop_one() {                      # stop_one PIDFILE NAME
    alive "$1" "$2" || return 0
    local p; p=$(cat "$1"); kill "$p" 2>/dev/null
    local n=50
    while kill -0 "$p" 2>/dev/null; do
        n=$((n - 1)); [ $n -gt 0 ] || { kill -9 "$p" 2>/dev/null; break; }
        sleep 0.2
    done
    say "stopped $2 (pid $p)"
}

case ${1:-start} in
stop)
    export SLURM_CONF=$CONF
    stop_one "$D/slurmd.pid" slurmd
    stop_one "$D/slurmctld.pid" slurmctld
    stop_one "$D/munged.pid" munged
    [ "$(readlink /etc/slurm/slurm.conf 2>/dev/null)" = "$CONF" ] && rm -f /etc/slurm/slurm.conf
    exit 0 ;;
status)
    export SLURM_CONF=$CONF
    timeout 10 sinfo; timeout 10 squeue; exit ;;
start) ;;
*) die "usage: $0 [start|stop|status]" ;;
esac

[ "$(id -u)" = 0 ] || die "run as root"
for c in munged slurmctld slurmd sbatch sinfo; do
    command -v $c >/dev/null || [ -x /usr/sbin/$c ] ||
        die "$c not found: apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge"
done
PATH=$PATH:/usr/sbin:/sbin

install -d -m 755 "$D" "$D/log" "$D/ctld" "$D/spool"
install -d -m 700 -o munge -g munge "$D/munge"

# the host's own name must resolve (to loopback)
getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >> /etc/hosts

# ---- munge -----------------------------------------------------------------
if ! alive "$D/munged.pid" munged; then
    install -d -m 755 -o munge -g munge /run/munge
    if [ ! -s /etc/munge/munge.key ]; then
        install -d -m 700 -o munge -g munge /etc/munge
        dd if=/dev/urandom of=/etc/munge/munge.key bs=128 count=1 2>/dev/null
        chown munge:munge /etc/munge/munge.key; chmod 400 /etc/munge/munge.key
    fi
    if munge -n 2>/dev/null | unmunge >/dev/null 2>&1; then
        say "a munged already answers; using it"
    else
        # started as user munge; log and pid in folders only it writes
        ( cd / && setsid runuser -u munge -- /usr/sbin/munged \
            --log-file="$D/munge/munged.log" --pid-file="$D/munge/munged.pid" \
            --seed-file="$D/munge/munged.seed" --socket=/run/munge/munge.socket.2 ) \
            </dev/null >"$D/log/munged.start" 2>&1
        wait_for "$WAIT" munge sh -c 'munge -n | unmunge' ||
            { cat "$D/log/munged.start" >&2; tail -5 "$D/munge/munged.log" >&2; die "munged does not answer"; }
        cp "$D/munge/munged.pid" "$D/munged.pid"
        say "munged started (pid $(cat "$D/munged.pid"))"
    fi
fi

# ---- configuration -----------------------------------------------------------
MEM=$(awk '/MemTotal/ {print int($2/1024*0.8)}' /proc/meminfo)
NEW=$(cat <<CONF
# written by start-slurm.sh
ClusterName=dev
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$PORT
SlurmdPort=$((PORT + 1))
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
PlugStackConfig=/dev/null
StateSaveLocation=$D/ctld
SlurmdSpoolDir=$D/spool
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.log
SlurmctldDebug=info
SlurmdDebug=info
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=10000
MinJobAge=300
KillWait=5
InactiveLimit=0
Waittime=0
UnkillableStepTimeout=30
${SLURM_DEV_PROLOG:+TaskProlog=$SLURM_DEV_PROLOG}
GresTypes=gpu
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEM Gres=gpu:2 State=UNKNOWN
PartitionName=debug Nodes=$HOST Default=YES MaxTime=INFINITE OverSubscribe=FORCE:4 State=UP
CONF
)
CHANGED=
if [ "$NEW" != "$(cat "$CONF" 2>/dev/null)" ]; then
    printf '%s\n' "$NEW" > "$CONF.new" && mv "$CONF.new" "$CONF"
    CHANGED=1
fi
# files stand for the devices of GPUs
printf "NodeName=$HOST Name=gpu File=%s\n" /dev/null /dev/zero > "$D/gres.conf"
export SLURM_CONF=$CONF
if [ ! -e /etc/slurm/slurm.conf ] || [ -L /etc/slurm/slurm.conf ]; then
    install -d /etc/slurm; ln -sfn "$CONF" /etc/slurm/slurm.conf   # so that clients need no SLURM_CONF
else
    say "note: /etc/slurm/slurm.conf exists and is left alone; export SLURM_CONF=$CONF"
fi
if [ -n "$CHANGED" ]; then
    stop_one "$D/slurmd.pid" slurmd
    stop_one "$D/slurmctld.pid" slurmctld
fi

# ---- daemons (they put themselves in the background) ----------------------------
# env -i: what the daemons hold must not reach the jobs
E="env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C SLURM_CONF=$CONF"
if ! alive "$D/slurmctld.pid" slurmctld; then
    ( cd / && $E slurmctld -f "$CONF" ) </dev/null >"$D/log/slurmctld.start" 2>&1
    wait_for "$WAIT" slurmctld timeout 5 scontrol ping ||
        { cat "$D/log/slurmctld.start" >&2; tail -5 "$D/log/slurmctld.log" >&2; die "slurmctld does not answer"; }
    say "slurmctld started (pid $(cat "$D/slurmctld.pid"))"
fi
if ! alive "$D/slurmd.pid" slurmd; then
    ( cd / && $E slurmd -f "$CONF" ) </dev/null >"$D/log/slurmd.start" 2>&1
    wait_for "$WAIT" slurmd alive "$D/slurmd.pid" slurmd ||
        { cat "$D/log/slurmd.start" >&2; tail -5 "$D/log/slurmd.log" >&2; die "slurmd did not start"; }
    say "slurmd started (pid $(cat "$D/slurmd.pid"))"
fi
node_ok() { case "$(timeout 5 sinfo -h -o %T)" in idle|mixed|allocated) return 0 ;; esac; return 1; }
if ! wait_for "$WAIT" node node_ok; then
    timeout 5 scontrol update NodeName="$HOST" State=RESUME 2>/dev/null
    wait_for "$WAIT" node node_ok ||
        { timeout 5 sinfo -R >&2; tail -5 "$D/log/slurmd.log" >&2; die "node is not up"; }
fi
say "ready: $(timeout 5 sinfo -h -o 'partition %P, node %N, state %T, cpus %c')"
say "config $CONF  (export SLURM_CONF=$CONF if other configs exist); logs $D/log"
say "to stop: $0 stop"
