"""The script for GPU boxes: its steps, its report, and what it does where a step fails."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="Matplotlib is not installed: the report has figures")

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "gpu_box.sh"
STEPS = ["info", "tests", "parity", "throughput", "peers", "scaling"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the script is for Linux")


def run(*options, folder=ROOT, path="", **variables):
    """Run the script and return what became of it."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "XPNET_VENV")}
    environment = {
        **kept,
        **variables,
        "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"],
    }
    return subprocess.run(
        [SCRIPT, *map(str, options)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
        env=environment,
        check=False,
    )


def executable(path, *lines):
    path.write_text("\n".join(("#!/usr/bin/env bash", *lines, "")))
    path.chmod(0o755)
    return path


def driver(folder, banner, name="NVIDIA H200"):
    """Put an ``nvidia-smi`` into the folder that prints what a driver would."""
    executable(
        folder / "nvidia-smi",
        'case "$*" in',
        f'  *gpu=name,*) echo "{name}, 143771 MiB, 580.82" ;;',
        f'  *gpu=name*) echo "{name}" ;;',
        '  *gpu=driver*) echo "580.82" ;;',
        f'  *) echo "{banner}" ;;',
        "esac",
    )
    return folder


def names_of(printed):
    """Return the steps that were printed, in order."""
    return [line.split()[0] for line in printed.splitlines() if re.match(r"[a-z-]+ {2,}\S", line)]


# The options


def test_help_has_examples():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: scripts/gpu_box.sh [OPTION ...]" in done.stdout
    assert "scripts/gpu_box.sh --quick --out" in done.stdout
    for option in ("--cpu", "--quick", "--wheels DIR", "--python PATH", "--out DIR", "--dry-run"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gpu"], "unknown option --gpu; see --help"),
        (["--out"], "--out needs a value; see --help"),
        (["--wheels", "/nowhere"], "--wheels: there is no such folder"),
        (["--cpu", "--python", "/nowhere/python"], "needs Python 3.11 or newer, /nowhere/python is not"),
    ],
)
def test_bad_usage(options, message):
    done = run(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_an_old_python_is_refused(tmp_path):
    old = executable(tmp_path / "python", "exit 1")
    done = run("--cpu", "--dry-run", "--python", old)
    assert done.returncode == 2
    assert f"needs Python 3.11 or newer, {old} is not" in done.stderr


def test_a_dry_run_prints_each_step_and_does_nothing(tmp_path):
    """From another folder, to a relative one."""
    done = run("--dry-run", "--cpu", "--python", sys.executable, "--out", "report", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert names_of(done.stdout) == [*STEPS, "report"]
    assert f"--json {tmp_path}/report/parity.json" in done.stdout
    assert "pip install" not in done.stdout, "the user's own Python is left as it is"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("banner", "extra"),
    [
        ("| NVIDIA-SMI 550.54   Driver Version: 550.54   CUDA Version: 12.4 |", "cuda12"),
        ("| NVIDIA-SMI 580.82   Driver Version: 580.82   CUDA Version: 13.0 |", "cuda13"),
        ("| NVIDIA-SMI 610.10   KMD Version: 610.10   CUDA UMD Version: 13.3 |", "cuda13"),
    ],
)
def test_the_driver_decides_what_is_installed(tmp_path, banner, extra):
    variables = {"XPNET_VENV": str(tmp_path / "venv"), "path": driver(tmp_path, banner)}
    done = run("--dry-run", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    found = names_of(done.stdout)
    assert found[:2] == ["environment", "install"]
    assert [name for name in found if name in STEPS] == STEPS
    assert f"pip install --editable {ROOT}[test,{extra}]" in done.stdout
    assert "XPNET_REQUIRE_BACKENDS=numpy,cupy" in done.stdout
    assert "--backends numpy,cupy --require cupy" in done.stdout
    assert re.search(r"/gpu-nvidia-h200-\d{4}-\d\d-\d\d/parity.json", done.stdout)


def test_wheels_need_no_network(tmp_path):
    done = run("--dry-run", "--wheels", ".", folder=tmp_path, path=driver(tmp_path, "CUDA Version: 12.4"))
    assert f"pip install --no-index --find-links {tmp_path} --editable" in done.stdout
    assert "peers-install" not in done.stdout


def test_an_old_driver_is_refused(tmp_path):
    done = run("--dry-run", path=driver(tmp_path, "CUDA Version: 11.8"))
    assert done.returncode == 2
    assert "the driver knows CUDA '11', xpnet needs 12 or newer" in done.stderr


# The whole of it


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The pipeline, once, from another folder; its benchmark ``peers`` fails."""
    folder = tmp_path_factory.mktemp("box")
    python = executable(
        folder / "python",
        'case "$*" in "-m bench peers"*) echo "no peers today" >&2; exit 3 ;; esac',
        f'exec "{sys.executable}" "$@"',
    )
    done = run("--cpu", "--quick", "--python", python, "--out", "report", folder=folder)
    return done, folder / "report"


def test_a_failing_step_is_named_and_the_rest_goes_on(whole):
    done, folder = whole
    assert done.returncode == 1
    assert "peers              FAILED with status 3" in done.stderr
    assert done.stderr.count("FAILED") == 1
    steps = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
    assert {step[0]: step[1] for step in steps} == {**dict.fromkeys(STEPS, "0"), "peers": "3"}
    report = (folder / "report.md").read_text()
    assert "| peers | **FAILED** (3) |" in report
    assert "The end of `logs/peers.log`:\n\n```text\nno peers today\n```" in report
    assert "## peers\n\nNot measured" in report


def test_the_report_is_complete(whole):
    folder = whole[1]
    report = (folder / "report.md").read_text()
    headings = re.findall(r"^## (.*)$", report, re.MULTILINE)
    assert headings == [
        "Steps",
        "What failed",
        "Machine",
        "The same bits?",
        "CPU against GPU",
        "throughput",
        "peers",
        "scaling",
    ]
    figures = re.findall(r"^!\[.*\]\((.*)\)$", report, re.MULTILINE)
    assert figures == ["parity.png", "throughput.png", "scaling-batch.png", "scaling-width.png"]
    assert all((folder / figure).stat().st_size > 5_000 for figure in figures)
    assert "**A quick trial: the times mean nothing.**" in report
    assert "Not yet measured on a GPU." in report
    assert f"numpy {__import__('numpy').__version__}" in report
    assert "| 784-50-10 | 100 | xpnet on NumPy |" in report
    (fingerprint,) = {
        course["fingerprint"]
        for course in json.loads((folder / "parity.json").read_text())["courses"]
        if course["arithmetic"] == "exact"
    }
    assert f"end on one SHA-256: `{fingerprint}`" in report


def test_the_report_names_no_folder_of_this_machine(whole):
    report = (whole[1] / "report.md").read_text()
    for folder in (ROOT, whole[1], sys.prefix, Path.home()):
        assert str(folder) not in report


# The report of a GPU


def measurement(peer, median, arithmetic="standard"):
    labels = {
        "network": "784-50-10",
        "batch": 100,
        "dtype": "float32",
        "arithmetic": arithmetic,
        "peer": peer,
    }
    return {"labels": labels, "median": median}


def course(backend, fingerprint, passed=True, arithmetic="exact"):
    return {
        "backend": backend,
        "version": "1.0",
        "device": "0",
        "arithmetic": arithmetic,
        "iterations_per_second": 1234.5,
        "relative_difference": 0.0,
        "fingerprint": fingerprint,
        "verdict": "same bits" if passed else "BITS DIFFER",
        "passed": passed,
    }


def gpu_report(folder, second="ab" * 32):
    """Write what the steps on a GPU box leave, and return the report."""
    machine = {
        "cpu": "EPYC",
        "cores": 16,
        "threads": 1,
        "libraries": {"cupy-cuda12x": "14.2"},
        "commit": "c0ffee",
    }
    measurements = [
        measurement("xpnet-numpy", 4e-4),
        measurement("xpnet-cupy", 8e-4),
        measurement("xpnet-numpy", 9e-3, "exact"),
        measurement("xpnet-cupy", 3e-3, "exact"),
    ]
    plain = {"machine": machine, "quick": False, "notes": [], "measurements": measurements}
    scaling = {**plain, "notes": ["width: the GPU overtakes 1 CPU thread(s) at 1024."]}
    for name, found in {"throughput": plain, "scaling": scaling, "scaling-all-cores": scaling}.items():
        (folder / f"{name}.json").write_text(json.dumps(found))
        table = f"## {name}\n\n### Of {name}\n\n| a |\n| --- |\n"
        (folder / f"{name}.md").write_text(table + "\n### Measured on\n\n| b |\n| --- |\n\nA note.\n")
    for name in ("scaling-width", "scaling-all-cores-width"):
        (folder / f"{name}.png").write_bytes(b"PNG")
    courses = [course("numpy", "ab" * 32), course("cupy", second, second == "ab" * 32)]
    (folder / "parity.json").write_text(json.dumps({"title": "784-50-10", "courses": courses}))
    (folder / "logs").mkdir()
    cupy = {"available": True, "version": "14.2", "device": "H200", "blas": "cuBLAS 120", "tf32": False}
    log = "a warning\n" + json.dumps({"xpnet": "0.1.0", "backends": {"cupy": cupy}})
    (folder / "logs" / "info.log").write_text(log)
    (folder / "steps.tsv").write_text("info\t0\t3\tpython -m xpnet info --json\n")
    smi = driver(folder / "logs", "CUDA Version: 13.0")
    environment = {**os.environ, "PATH": f"{smi}:{os.environ['PATH']}"}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    command = [sys.executable, ROOT / "scripts" / "gpu_report.py", folder]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return (folder / "report.md").read_text()


def test_the_report_sets_cpu_against_gpu(tmp_path):
    report = gpu_report(tmp_path)
    assert report.startswith("# xpnet on NVIDIA H200\n")
    assert "| 784-50-10 | 100 | float32 | standard | 400 | 800 | CPU, 2.0 times |" in report
    assert "| 784-50-10 | 100 | float32 | exact | 9,000 | 3,000 | GPU, 3.0 times |" in report
    assert "- scaling: width: the GPU overtakes 1 CPU thread(s) at 1024." in report
    assert "| driver, CUDA | 580.82, CUDA 13.0 |" in report
    assert "| cupy | 14.2 | H200 | cuBLAS 120 | off |" in report
    assert "In exact arithmetic numpy, cupy end on one SHA-256: `" + "ab" * 32 in report
    assert "quick" not in report


def test_the_report_keeps_notes_and_each_benchmarks_own_figures(tmp_path):
    _, _, scaling = gpu_report(tmp_path).partition("## scaling\n")
    first, _, second = scaling.partition("## scaling-all-cores\n")
    for part, figure in ((first, "(scaling-width.png)"), (second, "(scaling-all-cores-width.png)")):
        assert "A note." in part
        assert "Measured on" not in part
        assert re.findall(r"\(.*png\)", part) == [figure]


def test_the_report_says_where_bits_differ(tmp_path):
    report = gpu_report(tmp_path, "cd" * 32)
    assert "numpy, cupy end on 2 different SHA-256." in report
    assert "| **BITS DIFFER** |" in report


def test_the_report_needs_its_folder(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "gpu_report.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: python scripts/gpu_report.py FOLDER" in done.stderr
