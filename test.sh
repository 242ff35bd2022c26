#!/usr/bin/env bash
# Installs what the tests need from Debian's packages and runs all of them:
# format, clippy, unit, integration, real shells, peers, docs examples.
#   ./test.sh            everything
#   ./test.sh FILTER     only the Rust tests whose name holds FILTER
set -euo pipefail
cd "$(dirname "$0")"

packages=(bash zsh dash busybox yash ksh93u+m mksh tcsh csh fish rc elvish python3 python3-dotenv perl ruby r-base-core cmake lua5.3 lua-posix
  emacs-nox xonsh tcl8.6 jq python3-venv slurmctld slurmd slurm-client munge
  python3-jsonschema chromium chromium-driver rsyslog systemd postgresql
  shellcheck less wine bsdutils strace valgrind expect build-essential)
missing=()
for package in "${packages[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if ((${#missing[@]})); then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "test.sh: these Debian packages are missing: ${missing[*]}" >&2
    echo "test.sh: install them, or run this as root" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}"
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
fi
# Nushell is in no Debian archive; npm has a build of it. Without npm its tests say that they are skipped.
if ! command -v nu >/dev/null && command -v npm >/dev/null; then
  npm install --silent --no-fund --no-audit --prefix target/npm nushell >/dev/null || true
  PATH=$PATH:$PWD/target/npm/node_modules/.bin
fi
# PowerShell is in none of them: its code is read by a grammar, from PyPI.
if ! target/python/bin/python -c 'import tree_sitter_powershell' 2>/dev/null; then
  python3 -m venv target/python
  target/python/bin/pip install --quiet --disable-pip-version-check tree-sitter tree-sitter-powershell
fi
# Checks accessibility of the catalog's pages.
if [[ ! -e target/npm/node_modules/axe-core/axe.min.js ]] && command -v npm >/dev/null; then
  npm install --silent --no-fund --no-audit --prefix target/npm axe-core >/dev/null || true
fi
command -v cargo >/dev/null || {
  echo "test.sh: Rust is missing; see https://rustup.rs" >&2
  exit 1
}
echo "peers: $(bash tests/peers/setup.sh)"

# The same cases each time; `cargo test` on its own draws new ones.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}

if (($# == 0)); then
  cargo fmt --check
  cargo clippy --all-targets -- -D warnings
fi
cargo test "$@"
if (($# == 0)); then
  # Real client programs: what they call and parse. Their own time limit, and a report of what was run.
  timeout 600 tests/clients/run "target/$(rustc -vV | sed -n 's/^host: //p')/debug/xmod"
  # What a load costs, of the program that users get.
  cargo build --release
  benches/gate
fi
