#!/usr/bin/env bash
# Run xpnet on a GPU box and write one report. See --help.
set -u

usage() {
  cat <<'TEXT'
usage: scripts/gpu_box.sh [OPTION ...]

On a box with an NVIDIA driver: make a virtual environment with CuPy, run the tests on the GPU, compare its
bits with the CPU's, measure both, and write one report with tables and figures. About an hour.

  --quick        seconds instead of minutes for each measurement: the numbers mean nothing
  --cpu          the whole pipeline without a GPU, quickly: tries the pipeline itself
  --python PATH  use this Python and what is installed there (CuPy among it); install nothing
  --wheels DIR   install from a folder of wheels, without a network
  --out DIR      folder of the report (default: bench/results/gpu-NAME-DATE)
  --dry-run      print each step, do nothing
  --help         this text

Examples:
  scripts/gpu_box.sh
  scripts/gpu_box.sh --quick --out /tmp/report
  scripts/gpu_box.sh --python ~/miniforge3/bin/python
  scripts/gpu_box.sh --cpu --dry-run

A step that fails is named in the report and the others go on. Exit status: 0 all went well, 1 a step
failed, 2 something is missing or an option is wrong. Environment: XPNET_DATA is the folder of MNIST
(without it digits are used), XPNET_VENV that of the virtual environment (.venv-gpu).
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${XPNET_VENV:-$root/.venv-gpu}
python='' wheels='' out='' cpu='' quick='' dry='' failed=''

give_up() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

main() {
  parse "$@"
  if [ -n "$cpu" ]; then
    export CUDA_VISIBLE_DEVICES='' JAX_PLATFORMS=cpu
    extra='' gpu=none
  else
    find_gpu
  fi
  find_python
  : "${out:=$root/bench/results/$(report_name)}"
  cd "$root" || give_up "cannot enter $root"
  export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" # xpnet and bench are this checkout's
  [ -n "$dry" ] || prepare_folder
  [ -n "$external" ] || install
  run_steps
  report
  [ -z "$failed" ]
}

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --dry-run) dry=1 ;;
      --cpu) cpu=1 quick=1 ;;
      --quick) quick=1 ;;
      --python | --wheels | --out)
        [ -n "${2:-}" ] || give_up "$1 needs a value; see --help"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      *) give_up "unknown option $1; see --help" ;;
    esac
    shift
  done
  [ -z "$wheels" ] || wheels=$(cd "$wheels" 2>/dev/null && pwd) || give_up "--wheels: there is no such folder"
  case $out in '' | /*) ;; *) out=$PWD/$out ;; esac
}

# Sets gpu and extra, from what the driver says of itself.
find_gpu() {
  local version
  if [ -n "$dry" ] && ! command -v nvidia-smi >/dev/null; then
    echo "no nvidia-smi here: the steps of a box with CUDA 12"
    gpu=gpu extra=cuda12
    return
  fi
  command -v nvidia-smi >/dev/null ||
    give_up "there is no nvidia-smi: install the NVIDIA driver, or try the pipeline with --cpu"
  gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  version=$(nvidia-smi | sed -n 's/.*CUDA[A-Za-z ]*Version: *\([0-9]*\).*/\1/p' | head -n 1)
  if [ "${version:-0}" -ge 13 ]; then
    extra=cuda13
  elif [ "${version:-0}" -ge 12 ]; then
    extra=cuda12
  else
    give_up "the driver knows CUDA '${version:-none}', xpnet needs 12 or newer: update the NVIDIA driver"
  fi
  printf '%s, driver %s, CUDA %s\n' "$gpu" \
    "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)" "$version"
}

# Sets python, and external where it is the user's own.
find_python() {
  local found
  external=$python
  for found in ${python:+"$python"} ${python:-python3.13 python3.12 python3.11 python3}; do
    found=$(command -v "$found") || continue
    if "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      case $found in /*) python=$found ;; *) python=$PWD/$found ;; esac
      return
    fi
  done
  give_up "xpnet needs Python 3.11 or newer${external:+, $external is not}: on Ubuntu," \
    "sudo apt-get install python3.12 python3.12-venv"
}

report_name() {
  local slug
  slug=$(printf '%s' "$gpu" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9-')
  printf '%s-%s' "$([ -n "$cpu" ] && echo cpu || echo "gpu-$slug")" "$(date +%Y-%m-%d)"
}

prepare_folder() {
  mkdir -p "$out/logs" || give_up "cannot make the folder $out"
  : >"$out/steps.tsv" || give_up "cannot write into $out"
}

# Without these two nothing else can run.
install() {
  local stamp requirements
  requirements="${root}[test${extra:+,$extra}]"
  stamp="$venv/installed-${extra:-cpu}-$(cksum <"$root/pyproject.toml" | tr ' ' '-')"
  if [ -z "$dry" ] && [ -e "$stamp" ]; then
    python=$venv/bin/python
    echo "installed already: $venv"
    return
  fi
  step environment "$python" -m venv "$venv" ||
    give_up "no virtual environment; on Ubuntu, sudo apt-get install python3-venv. See $out/logs/environment.log"
  python=$venv/bin/python
  pip_install "$requirements" || give_up "the installation failed; see $out/logs/install.log"
  [ -n "$dry" ] || touch "$stamp"
}

pip_install() {
  if [ -n "$wheels" ]; then
    step install "$python" -m pip install --no-index --find-links "$wheels" --editable "$1"
  else
    step install "$python" -m pip install --editable "$1"
  fi
}

run_steps() {
  local iterations=2000 backends=numpy,cupy threads speed=() both=(--backend numpy --backend cupy)
  threads=$(nproc)
  [ -z "$quick" ] || iterations=100 speed=(--quick)
  [ -z "$cpu" ] || backends=numpy,torch,array_api_strict both=(--backend numpy)
  step info "$python" -m xpnet info --json
  run_tests
  step parity "$python" -m xpnet parity --backends "$backends" ${extra:+--require cupy} \
    --dataset "$(dataset)" --iterations "$iterations" --json "$out/parity.json" --figure "$out/parity.png"
  [ -n "$quick" ] || [ -n "$external" ] || [ -n "$wheels" ] ||
    step peers-install "$python" -m pip install torch "jax[$extra]" scikit-learn
  bench throughput throughput "${speed[@]}" "${both[@]}" ${quick:+--network 784-50-10}
  bench peers peers "${speed[@]}" ${quick:+--contestant textbook ${extra:+--contestant xpnet-cupy}}
  bench scaling scaling "${speed[@]}" "${both[@]}" ${quick:+--axis width --axis batch}
  [ -n "$quick" ] || [ "$threads" -eq 1 ] ||
    bench scaling-all-cores scaling --threads "$threads" "${both[@]}"
}

# MNIST where its files are; nothing is downloaded.
dataset() {
  "$python" -c '
import bench.data
print("mnist" if bench.data.mnist_is_here() else "digits")' 2>/dev/null || echo digits
}

run_tests() {
  if [ -n "$cpu" ]; then
    step tests "$python" -m pytest -q tests/test_functional.py tests/test_programs.py
  else
    step tests env XPNET_REQUIRE_BACKENDS=numpy,cupy "$python" -m pytest -q --ignore tests/test_gpu_box.py
  fi
}

# bench NAME COMMAND OPTION ...: a benchmark, with its three files.
bench() {
  local name=$1
  shift
  step "$name" "$python" -m bench "$@" \
    --json "$out/$name.json" --markdown "$out/$name.md" --figure "$out/$name.png"
}

# step NAME COMMAND ...: run it with its own log, note how it went.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '%-18s %s\n' "$name" "$*"
  [ -z "$dry" ] || return 0
  "$@" >"$out/logs/$name.log" 2>&1 </dev/null || status=$?
  printf '%s\t%s\t%s\t%s\n' "$name" "$status" $((SECONDS - start)) "$*" >>"$out/steps.tsv"
  if [ "$status" -ne 0 ]; then
    failed=1
    printf '%-18s FAILED with status %s; see %s\n' "$name" "$status" "$out/logs/$name.log" >&2
  fi
  return "$status"
}

report() {
  if [ -n "$dry" ]; then
    printf '%-18s %s\n' report "$python scripts/gpu_report.py $out"
    return
  fi
  "$python" scripts/gpu_report.py "$out" || failed=1
}

main "$@"
