#!/usr/bin/env bash
# Exact arithmetic on other processors: known networks trained on packaged NumPy, under emulation.
set -euo pipefail

usage() {
  cat <<END
usage: scripts/other_machines.sh [options]

Unpacks Debian's Python, NumPy and BLAS for each architecture, trains networks whose fingerprints are known on
them under QEMU (README's, the self-check's and the golden ones of tests/golden/digits.json), and writes a table.
It needs Debian or a relative of it with Debian's keys, no root, some 200 MB a machine and some minutes for each.

  --arch LIST     architectures as Debian calls them (default: arm64,s390x; ppc64el, riscv64 go too)
  --suite LIST    Debian's releases, the first whose packages can be had is taken (default: trixie,sid; older
                  ones have no NumPy 2.1)
  --blas LIST     reference, openblas: a row for each (default: reference,openblas)
  --golden N      so many golden networks, evenly chosen, 0 for all (default: 0)
  --mirror URL    where the packages are (default: where this machine's apt finds its own)
  --folder DIR    where to unpack (default: \${XDG_CACHE_HOME:-~/.cache}/xpnet-machines)
  --out FILE      the table (default: bench/results/other-machines.md)
  --minutes N     give a row up after so long (default: 30)
  --dry-run       show what would be done

The exit code is 0 where every row is as known, 1 where one is not or did not finish, 2 where it cannot begin.

examples:
  apt-get install qemu-user-static && scripts/other_machines.sh
  scripts/other_machines.sh --arch riscv64 --suite sid --golden 5 --out riscv64.md
END
}

say() { echo "other_machines: $*" >&2; }
die() { say "$@"; exit 2; }

architectures=arm64,s390x suites=trixie,sid libraries=reference,openblas golden=0 mirror='' minutes=30 dry=''
folder=${XDG_CACHE_HOME:-$HOME/.cache}/xpnet-machines
project=$(cd "$(dirname "$0")/.." && pwd)
out=$project/bench/results/other-machines.md
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes; shift; continue ;;
    -h | --help) usage; exit 0 ;;
    --arch | --suite | --blas | --golden | --mirror | --folder | --out | --minutes)
      [ -n "${2:-}" ] || die "$1 needs a value" ;;&
    --arch) architectures=$2 ;;
    --suite) suites=$2 ;;
    --blas) libraries=$2 ;;
    --golden) golden=$2 ;;
    --mirror) mirror=$2 ;;
    --folder) folder=$2 ;;
    --out) out=$2 ;;
    --minutes) minutes=$2 ;;
    *) usage >&2; die "unknown option $1" ;;
  esac
  shift 2
done
[[ $golden =~ ^[0-9]+$ ]] || die "--golden takes a number, not $golden"
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "--minutes takes a number from 1, not $minutes"
for library in ${libraries//,/ }; do
  [[ $library =~ ^(reference|openblas)$ ]] || die "--blas knows reference and openblas, not $library"
done

emulator() {
  case $1 in
    amd64) echo qemu-x86_64-static ;;
    arm64) echo qemu-aarch64-static ;;
    armhf) echo qemu-arm-static ;;
    ppc64el) echo qemu-ppc64le-static ;;
    *) echo "qemu-$1-static" ;;
  esac
}

unpack() { # ARCHITECTURE SUITE ROOT: an apt of its own, which looks at no package of this machine
  [ ! -e "$3/.complete" ] || return 0
  rm -rf "$3"
  mkdir -p "$3".apt/{lists,archives}/partial
  : > "$3.apt/status"
  echo "deb [arch=$1] $mirror $2 main" > "$3.apt/sources.list"
  cat > "$3.apt/apt.conf" <<END
Dir::State "$3.apt"; Dir::State::status "$3.apt/status"; Dir::Cache "$3.apt";
Dir::Etc::sourcelist "$3.apt/sources.list"; Dir::Etc::sourceparts "-"; Dir::Etc::preferencesparts "-";
#clear APT::Architectures;
APT::Architecture "$1"; APT::Architectures { "$1"; };
APT::Sandbox::User ""; APT::Install-Recommends "false"; Acquire::Languages "none";
END
  APT_CONFIG=$3.apt/apt.conf apt-get -q -o APT::Update::Error-Mode=any update > "$3.log" 2>&1 || return 1
  APT_CONFIG=$3.apt/apt.conf apt-get -q install --download-only --yes \
    python3 python3-numpy libblas3 liblapack3 libopenblas0-pthread >> "$3.log" 2>&1 || return 1
  for part in bin lib lib64; do mkdir -p "$3/usr/$part" && ln -s "usr/$part" "$3/$part"; done
  # Nothing of it is ever installed or booted: the packages' files are enough.
  for package in "$3".apt/archives/*.deb; do dpkg -x "$package" "$3" || return 1; done
  rm -rf "$3.apt"
  touch "$3/.complete"
}

check() { # ARCHITECTURE ROOT BLAS
  local triplet path
  triplet=$(cd "$2/usr/lib" && ls -d ./*/blas | cut -d/ -f2)
  path=/usr/lib/$triplet/blas:/usr/lib/$triplet/lapack
  [ "$3" = reference ] || path=/usr/lib/$triplet/openblas-pthread:$path
  # One thread: a table of processors, and QEMU's threads are slow.
  timeout --kill-after=10 "${minutes}m" "$(emulator "$1")" -L "$2" -E PYTHONDONTWRITEBYTECODE=1 \
    -E OMP_NUM_THREADS=1 -E "LD_LIBRARY_PATH=$path" -E "PYTHONPATH=$project:$folder/pure" \
    "$2/usr/bin/python3" "$project/scripts/other_machine.py" --golden "$golden"
}

missing=''
for tool in apt-get dpkg timeout python3 $(for a in ${architectures//,/ }; do emulator "$a"; done); do
  command -v "$tool" > /dev/null || missing+=" $tool"
done
[ -z "$missing" ] || die "missing:$missing. On Debian: apt-get install qemu-user-static"
if [ -z "$mirror" ]; then
  # shellcheck disable=SC2016  # the dollar is apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)
fi
[ -n "$mirror" ] || die "apt knows no mirror: name one with --mirror"
compatible=$(python3 -c 'import array_api_compat, os; print(os.path.dirname(array_api_compat.__file__))' 2> /dev/null) \
  || die "array-api-compat is missing here: activate the environment that xpnet is installed in"

if [ -n "$dry" ]; then
  echo "unpack the first of $suites that can be had for each of $architectures into $folder"
  echo "train on $libraries BLAS with $([ "$golden" = 0 ] && echo all || echo "$golden") golden networks," \
    "at most $minutes minutes a row"
  echo "write $out"
  exit 0
fi
mkdir -p "$folder/pure" "$(dirname "$out")"
folder=$(cd "$folder" && pwd)
cp -r "$compatible" "$folder/pure/"
table=$(mktemp)
trap 'rm -f "$table"' EXIT
failed=0
for architecture in ${architectures//,/ }; do
  suite=''
  for tried in ${suites//,/ }; do
    say "$architecture: unpacking $tried"
    root=$folder/$tried-$architecture
    if unpack "$architecture" "$tried" "$root"; then suite=$tried; break; fi
    say "$architecture: $tried cannot be had: $(grep -m 1 '^E: ' "$root.log" || tail -n 1 "$root.log")"
  done
  if [ -z "$suite" ]; then
    failed=1
    echo "| $architecture | – | – | – | – | – | – | – | packages cannot be had |" >> "$table"
    continue
  fi
  version=$("$(emulator "$architecture")" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
  for library in ${libraries//,/ }; do
    say "$architecture: checking with $library BLAS"
    row='' code=0
    row=$(check "$architecture" "$root" "$library") || code=$?
    [ "$code" = 0 ] || failed=1
    if [ -z "$row" ]; then
      why="failed with code $code"
      case $code in 124 | 137) why="did not finish in $minutes minutes" ;; esac
      row="| $architecture | – | – | – | $library | – | – | – | $why;"
    fi
    row+=" QEMU $version, Debian $suite, $(date +%F) |"
    echo "$row" | tee -a "$table"
  done
done
{
  echo "# Exact arithmetic on other machines"
  echo
  echo "README's fingerprint, the self-check (random numbers, canaries, networks) and the golden networks, on packaged"
  echo "NumPy under emulation, in one thread."
  echo
  echo "| processor | byte order | Python | NumPy | BLAS | README's fingerprint | self-check | golden | with |"
  echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
  cat "$table"
  echo
  echo "\`scripts/other_machines.sh --arch $architectures --suite $suites --blas $libraries --golden $golden\`"
} > "$out"
say "written: $out"
exit "$failed"
