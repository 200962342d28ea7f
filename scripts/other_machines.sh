#!/usr/bin/env bash
# Exact arithmetic on other processors: the self-check of xpnet on packaged NumPy, under emulation.
set -euo pipefail

usage() {
  cat <<END
usage: scripts/other_machines.sh [options]

Unpacks Debian's Python and NumPy for each architecture, runs xpnet's self-check on them under QEMU (random
streams, canaries, and networks whose fingerprints are known, that of README among them), and writes a table.
It needs Debian or a relative of it, root (debootstrap asks for it), some 300 MB a machine and some minutes.

  --arch LIST     architectures as Debian calls them (default: arm64,s390x)
  --suite NAME    Debian's release (default: trixie, the first with NumPy 2.1 or later)
  --mirror URL    where its packages are (default: where this machine's apt finds its own)
  --folder DIR    where to unpack (default: \${XDG_CACHE_HOME:-~/.cache}/xpnet-machines)
  --out FILE      the table (default: bench/results/other-machines.md)
  --minutes N     give a machine up after so long (default: 30)
  --dry-run       show what would be done

examples:
  apt-get install debootstrap qemu-user-static && scripts/other_machines.sh
  scripts/other_machines.sh --arch riscv64 --out riscv64.md
END
}

die() { echo "other_machines: $*" >&2; exit 2; }

architectures=arm64,s390x suite=trixie mirror='' minutes=30 dry=''
folder=${XDG_CACHE_HOME:-$HOME/.cache}/xpnet-machines
project=$(cd "$(dirname "$0")/.." && pwd)
out=$project/bench/results/other-machines.md
while [ $# -gt 0 ]; do
  case $1 in
    --arch) architectures=${2:?} ;;
    --suite) suite=${2:?} ;;
    --mirror) mirror=${2:?} ;;
    --folder) folder=${2:?} ;;
    --out) out=${2:?} ;;
    --minutes) minutes=${2:?} ;;
    --dry-run) dry=yes; shift; continue ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown option $1" ;;
  esac
  shift 2
done

emulator() {
  case $1 in
    arm64) echo qemu-aarch64-static ;;
    armhf) echo qemu-arm-static ;;
    ppc64el) echo qemu-ppc64le-static ;;
    *) echo "qemu-$1-static" ;;
  esac
}

unpack() { # ARCHITECTURE ROOT
  [ -e "$2/.complete" ] && return
  rm -rf "$2"
  debootstrap --foreign --arch="$1" --variant=minbase --include=python3,python3-numpy "$suite" "$2" "$mirror" \
    > "$folder/$1.log" 2>&1 || { tail -3 "$folder/$1.log" >&2; die "$1 could not be unpacked: see $folder/$1.log"; }
  # Nothing of it is ever installed or booted: the packages' files are enough.
  for package in "$2"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$2"; done
  touch "$2/.complete"
}

check() { # ARCHITECTURE ROOT
  local triplet
  triplet=$(cd "$2/usr/lib" && ls -d ./*/blas | cut -d/ -f2)
  timeout "${minutes}m" "$(emulator "$1")" -L "$2" -E PYTHONDONTWRITEBYTECODE=1 -E OMP_NUM_THREADS=1 \
    -E "LD_LIBRARY_PATH=/usr/lib/$triplet/blas:/usr/lib/$triplet/lapack" -E "PYTHONPATH=$project:$folder/pure" \
    "$2/usr/bin/python3" "$project/scripts/other_machine.py"
}

for tool in debootstrap dpkg $(for a in ${architectures//,/ }; do emulator "$a"; done); do
  command -v "$tool" > /dev/null || die "$tool is missing: apt-get install debootstrap qemu-user-static"
done
if [ -z "$mirror" ]; then
  # shellcheck disable=SC2016  # the dollar is apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)
fi
[ -n "$mirror" ] || die "apt knows no mirror: name one with --mirror"
compatible=$(python3 -c 'import array_api_compat, os; print(os.path.dirname(array_api_compat.__file__))') \
  || die "array-api-compat is missing here: activate the environment that xpnet is installed in"

if [ -n "$dry" ]; then
  echo "unpack $suite for $architectures into $folder, check each for at most $minutes minutes, write $out"
  exit 0
fi
mkdir -p "$folder/pure" "$(dirname "$out")"
cp -r "$compatible" "$folder/pure/"
table=$(mktemp)
trap 'rm -f "$table"' EXIT
failed=0
for architecture in ${architectures//,/ }; do
  root=$folder/$suite-$architecture
  echo "$architecture: unpacking"
  unpack "$architecture" "$root"
  echo "$architecture: checking"
  version=$("$(emulator "$architecture")" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
  if row=$(check "$architecture" "$root"); then :; else failed=1; fi
  [ -n "$row" ] || row="| $architecture | – | – | – | – | did not finish in $minutes minutes |"
  echo "$row"
  echo "$row QEMU $version, $suite, $(date +%F) |" >> "$table"
done
{
  echo "# Exact arithmetic on other machines"
  echo
  echo "Known random numbers, canaries and fingerprints (README's among them), on packaged NumPy under emulation."
  echo
  echo "| processor | byte order | Python | NumPy | BLAS | as known | with |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  cat "$table"
  echo
  echo "\`scripts/other_machines.sh\`"
} > "$out"
echo "written: $out"
exit "$failed"
