#!/usr/bin/env bash
# Builds xmod and opens a shell with the example site of modulefiles/. Nothing is installed outside this directory but
# a C compiler, where it is missing and you are root.
#   ./demo.sh                      an interactive session
#   ./demo.sh -c 'module avail'    runs commands in such a session
# XMOD=/path/to/xmod takes a program that is built already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ -z ${XMOD-} ]]; then
  command -v cargo >/dev/null || {
    echo "demo.sh: Rust is missing; see https://rustup.rs" >&2
    exit 1
  }
  if ! command -v cc >/dev/null; then
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
      echo "demo.sh: a C compiler is missing: install the package build-essential, or run this as root" >&2
      exit 1
    fi
    echo "installing: build-essential" >&2
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends build-essential >/dev/null
  fi
  quiet=()
  [[ -t 2 ]] || quiet=(--quiet)
  (cd "$here" && cargo build --release "${quiet[@]}" >&2)
  host=$(rustc -vV | sed -n 's/^host: //p')
  XMOD=${CARGO_TARGET_DIR:-$here/target}/$host/release/xmod
fi

# A session of another module system must not shine through.
for name in $(compgen -v | grep -E '^(_*LMOD_|_*MODULES?_|__MODULES|_ModuleTable|_*XMOD_)' || true) \
  LOADEDMODULES _LMFILES_ MODULESHOME MODULEPATH BASH_ENV; do
  unset "$name"
done
export MODULEPATH=$here/modulefiles/Core:$here/modulefiles/Deep
PATH=$(dirname "$XMOD"):$PATH
cd "$here"
eval "$("$XMOD" init bash)"
module load site

if (($#)); then
  exec bash --noprofile --norc "$@"
fi
exec bash --rcfile <(
  "$XMOD" init bash
  cat <<'RC'
PS1='\[\e[1m\]xmod demo\[\e[0m\] \w \$ '
echo 'Try: module avail, module spider gromacs, module load hello && hello, module load foss gromacs && gmx'
RC
) -i
