#!/usr/bin/env bash
# Find or make an environment, then hand over to `python -m ams_suite` (or to pytest).
# The active Python serves if it has what pyproject.toml asks for, as in a conda environment made from environment.yml;
# else pip makes .venv, at the releases and checksums of constraints.*. Bash 3.2 suffices, which macOS has.

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -Eeuo pipefail +o posix

read -r -d '' USAGE <<'END' || true
usage: bash reproduce.sh [options]           check the claims, write the report
       bash reproduce.sh certify [options]   decide the paper's claims anew and break them, on one page to attach
       bash reproduce.sh verify              compare with a second implementation, number by number
       bash reproduce.sh test [pytest args]  run the tests (installs the extra "test")
       bash reproduce.sh lint                run ruff, mypy and import-linter (the same extra)
       bash reproduce.sh bench [options]     time it, also against other libraries (installs the extra "bench")
       bash reproduce.sh docs [options]      build the site of docs/ into results/site (installs the extra "docs")

  --profile quick|cpu|full|paper   how much to run (default: paper where CUDA works, else cpu)
  --only ID ...             only these claims or groups; C1 to C6: all claims that restate this one of the paper
  --force ID ...            run these again, though their results are current
  --fresh                   read no kept cell: all is computed here (some ten core-hours)
  --list [ID ...]           list the claims (or these alone), run nothing
  --check                   check the results that are there, run nothing
  --offline                 ask no package index and fetch no file: use what is here
  --fetch                   ask for missing files now (else each is asked for once a day)
  --audit K                 compute K kept cells anew, drawn at random (default: 60; 0: no audit)
  --audit-long K            also K of the long ones; --audit-seed N draws with this seed
  --strict                  a claim that was not run counts against the exit code
  --jobs N                  so many jobs at a time
  --cluster slurm           submit the jobs to a SLURM cluster, as config/slurm.toml says
  --verbose or -v           say why each claim is computed, and show all of its checks
  --out DIR                 where the results go (default: results)
  --site DIR                where docs puts the site (default: results/site)
  --minutes N               how long certify may take (default: 10)
  --help                    this text

exit code: 0 no verdict contradicts its expectation; 1 one does; 2 bad usage, bad input, no environment; 3 a run failed
variables: AMS_ENV (folder for environments, instead of .venv in the checkout)
           AMS_RANGES=1 (take other releases than the pinned ones, unchecked, within the ranges of pyproject.toml)
END

say() { printf '%s\n' "$*" >&2; }

die() {
  say "reproduce.sh: $*"
  exit 2
}

absolute() { # the caller's path, since the work is done from the checkout
  case $1 in "" | /* | -*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac
}

about() { # WORD ...: what ams_suite.environment says with the Python at PYTHON, bare as it may be
  "$PYTHON" -P "$ROOT/src/ams_suite/environment.py" "$@" 2>/dev/null </dev/null
}

interpreter() { # sets PYTHON to the first of 3.11 or later on PATH
  for PYTHON in python3 python3.13 python3.12 python3.11 python; do
    PYTHON=$(command -v "$PYTHON") && [[ $(about requirements) = *=* ]] && return
  done
}

serves() { # EXTRA ...: does the Python at PYTHON satisfy pyproject.toml?
  [ "$(about missing "$@")" = satisfied ]
}

watched() { # run a command with its output in the log, and show the log's last line each 15 s; a signal ends both
  local tenths=0
  set -m # a process group of its own
  "$@" >>"$LOG" 2>&1 </dev/null &
  set +m
  trap 'kill -KILL -- -$! 2>/dev/null; exit 130' INT TERM HUP QUIT
  while kill -0 $! 2>/dev/null; do
    sleep 0.1
    ((++tenths % 150)) || say "  ... $SECONDS s: $(tail -n 1 -- "$LOG" | cut -c 1-90)"
  done
  trap - INT TERM HUP QUIT
  wait $!
}

fetched() { # WORD ...: pip install, of wheels, so that nothing of a package runs before its checksum was looked at
  PIP_USER=0 watched "$PYTHON" -m pip --no-input --disable-pip-version-check install --progress-bar off --no-compile \
    --only-binary :all: ${OFFLINE:+--no-index} --report "$PLACE/report.json" "$@"
}

checked() { # [NAME ...]: were the files that pip reports the listed ones, and of these distributions alone?
  local altered
  altered=$(lock "$PLACE/report.json" "$@" 2>&1) && return
  rm -f -- "$PLACE/.ams-suite" # the next run makes it anew
  die "the environment is not used, since $altered. Log: $LOG"
}

lock() {
  "$PYTHON" -I -S "$ROOT/src/ams_suite/lock.py" "$@"
}

torch() { # EXTRA: torch, or torchvision, which is built with it, from torch's own index: it is asked for nothing else
  local alone=--no-deps
  grep -E '^torch(vision)?>' "$PLACE/requirements.txt" >"$PLACE/torch.txt"
  if grep -q vision "$PLACE/torch.txt"; then alone=""; else [ "$1" = suite ] || return 0; fi
  fetched ${alone:+"$alone"} --index-url "$TORCH" -c "$ROOT/constraints.txt" -r "$PLACE/torch.txt" &&
    checked torch torchvision
}

install() { # EXTRA, unless it is there: at the releases of constraints.txt unless ranges are asked for
  local alone=""
  ! serves "$1" || return 0
  [ "$1" != k-diffusion ] || alone=--no-deps # only its training needs them
  LOG=$PLACE/setup-$1.log TORCH=${TORCH-$(about index)}
  say "pip: installing the extra $1 of pyproject.toml. Log: $LOG"
  : >"$LOG"
  about requirements "$1" >"$PLACE/requirements.txt"
  [ -z "$TORCH" ] || torch "$1" || return
  fetched ${alone:+"$alone"} ${PINS:+-c "$ROOT/constraints.txt"} -r "$PLACE/requirements.txt" || return
  [ -z "$PINS" ] || checked
}

make_environment() { # in PLACE; the stamp comes last
  interpreter || die "no Python of 3.11 or later on PATH: install one, or make an environment with conda or mamba:" \
    "mamba env create -f environment.yml && mamba activate ams"
  say "environment: making $PLACE, since $PYTHON lacks $(about missing suite)"
  find "$PLACE" -mindepth 1 -maxdepth 1 ! -name .ams-suite.lock -exec rm -rf -- {} +
  LOG=$PLACE/setup.log
  watched "$PYTHON" -m venv "$PLACE"
  PYTHON=$PLACE/bin/python
  [ -n "$PINS" ] || say "pip: any release in the ranges of pyproject.toml is taken, as AMS_RANGES asks"
  install suite
  about finish "$PLACE"
  printf '%s' "$STAMP" >"$PLACE/.ams-suite"
}

optional() { # the extras that claims of this run can use; it goes on without one that cannot be had
  echo molecules
  case $PROFILE in
    paper) echo paper ;;
    auto | cpu) echo conformance k-diffusion ;;
    full) echo conformance survey jax k-diffusion ;;
    bench) echo k-diffusion ;;
  esac
  [ "$PROFILE" != auto ] || ! command -v nvidia-smi >/dev/null || echo paper
}

find_environment() { # sets PYTHON; nothing is added to an environment that was not made here, as a lock in it tells
  local extra
  PLACE=$ROOT/.venv STAMP="$(cksum <"$ROOT/constraints.txt") ${AMS_RANGES:+ranges }$ROOT"
  PATH=:$PATH: PATH=${PATH//":$PLACE/bin:"/:} PATH=${PATH#:} PATH=${PATH%:} # its stamp decides, though it is active
  if interpreter && serves suite "$EXTRA"; then return; fi
  PYTHON=$PLACE/bin/python
  if [ -n "${AMS_ENV:-}" ]; then
    PLACE=$(absolute "$AMS_ENV")$ROOT
  elif [[ ! -w $ROOT || -L $PLACE || $(ls -A -- "$PLACE" 2>/dev/null) && ! -e $PLACE/.ams-suite.lock ]]; then
    if serves suite "$EXTRA"; then return; fi
    say "environment: $PLACE does not serve, and was not made here or cannot be written: left as it is"
    PLACE=${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/ams-suite$ROOT
  fi
  { mkdir -p -- "$PLACE" && exec 9>>"$PLACE/.ams-suite.lock"; } 2>/dev/null ||
    die "$PLACE cannot be written: name another folder with AMS_ENV"
  unset PYTHONDONTWRITEBYTECODE # pip compiles nothing, and else each process would compile all it imports
  if command -v flock >/dev/null && ! flock -n 9; then
    say "environment: another run is at work in $PLACE: waiting for it"
    flock 9
  fi
  [ "$CLUSTER:$PROFILE" != yes:paper ] || TORCH="" # the nodes have the GPU that this machine may lack
  PYTHON=$PLACE/bin/python
  if [ "$(cat -- "$PLACE/.ams-suite" 2>/dev/null)" != "$STAMP" ] || ! serves suite; then make_environment; fi
  install "$EXTRA"
  for extra in $(optional); do
    install "$extra" ||
      say "pip: the extra $extra cannot be had here, so rows that need it are not run: $(about cause "$LOG")"
  done
  exec 9>&-
}

main() {
  local word before=""
  EXTRA=suite PROFILE="" CLUSTER="" OFFLINE="" PINS=yes LOG=/dev/null
  [ -z "${AMS_RANGES:-}" ] || PINS=""
  ROOT=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
  [ -f "$ROOT/pyproject.toml" ] || die "$ROOT has no pyproject.toml: run this script in a whole checkout"
  case $ROOT in *:*) die "$ROOT: Python's search path cannot hold a colon; move the checkout" ;; esac
  case ${1:-} in
    certify | test | lint) EXTRA="test" ;; # certify runs falsifiers
    verify) ;;
    docs) EXTRA=docs ;;
    bench) EXTRA=bench && shift && set -- reproduce --profile bench "$@" ;;
    "" | -*) PROFILE=auto && set -- reproduce "$@" ;;
    *) die "'$1' is not known: 'certify', 'verify', 'test', 'lint', 'bench', 'docs' or options are expected (see --help)" ;;
  esac
  WORD=$1 && shift
  for word in "$@"; do # only what is needed here: `python -m ams_suite` reads them all
    shift
    case $before in
      --out | --site) word=$(absolute "$word") ;;
      --profile) PROFILE=$word ;;
    esac
    case $WORD:$word in
      *:--offline) OFFLINE=" (--offline: no index was asked)" && export AMS_OFFLINE=1 && continue ;;
      test:* | lint:*) ;;
      *:-h | *:--help) printf '%s\n' "$USAGE" && exit 0 ;;
      *:--out=* | *:--site=*) word=${word%%=*}=$(absolute "${word#*=}") ;;
      *:--profile=*) PROFILE=${word#*=} ;;
      *:--cluster | *:--cluster=*) CLUSTER=yes ;;
      *:-*) [[ $USAGE = *" ${word%%=*} "* ]] || die "unknown option $word; see --help" ;;
    esac
    before=$word
    set -- "$@" "$word"
  done
  trap 'die "the environment cannot be made$OFFLINE: $(about cause "$LOG"). Log: $LOG"' ERR
  find_environment
  trap - ERR
  ((SECONDS < 5)) || export AMS_SETUP_SECONDS=$SECONDS # a run reports it beside its own time
  export PATH="${PYTHON%/*}:$PATH" PYTHONPATH="$ROOT/src:$ROOT${PYTHONPATH:+:$PYTHONPATH}"
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # MKL and OpenBLAS follow it
  cd -- "$ROOT"
  case $WORD in
    test)
      [ $# -gt 0 ] || set -- -n auto --maxprocesses 4 --dist loadfile
      exec "$PYTHON" -m pytest "$@" ;;
    lint) ruff check . && ruff format --check . && mypy && lint-imports --no-cache ;;
    *) exec "$PYTHON" -m ams_suite "$WORD" "$@" ;;
  esac
}

main "$@"
