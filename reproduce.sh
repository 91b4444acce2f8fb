#!/usr/bin/env bash
# Make the environment, then hand over to `python -m ams_suite reproduce` (or to pytest).
# The first of these that serves: the active Python, if it satisfies pyproject.toml; an environment made here
# before; mamba or conda with environment.yml, if conda-forge answers in time; a virtual environment and pip with
# constraints.txt. Bash 3.2 and the usual small tools suffice, so that macOS serves as well as Linux.

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -Eeuo pipefail

usage() {
  cat <<'END'
usage: bash reproduce.sh [options]           check the claims, write the report
       bash reproduce.sh certify [--minutes 10]
                                             decide the paper's claims anew and break them, on one page to attach
       bash reproduce.sh test [pytest args]  run the tests (installs the extra "test")
       bash reproduce.sh lint                run ruff, mypy and import-linter (the same extra)
       bash reproduce.sh bench [options]     time it, also against other libraries (installs the extra "bench")
       bash reproduce.sh docs [options]      build the site of docs/ into results/site (installs the extra "docs")

  --profile quick|cpu|full|gpu   how much to run (default: gpu where CUDA works, else cpu)
  --only ID ...             only these claims or groups; C1 to C6: all claims that restate this one of the paper
  --force ID ...            run these again, though their results are current
  --list [ID ...]           list the claims (or these alone), run nothing
  --check                   check the results that are there, run nothing
  --offline                 ask no package index and fetch no file: use what is here
  --fetch                   ask for missing files now (else each is asked for once a day)
  --strict                  a claim that was not run counts against the exit code
  --jobs N                  so many jobs at a time
  --cluster slurm           submit the jobs to a SLURM cluster, as config/slurm says (installs the extra "cluster")
  --verbose, -v             say why each claim is computed, and show all of its checks
  --out DIR                 where the results go (default: results)
  --help                    this text

exit code: 0 no verdict contradicts its expectation; 1 one does; 2 bad usage or input, or no environment;
           3 a run failed
variables: AMS_ENV (folder for environments, instead of .venv in the checkout), AMS_CONDA_TIMEOUT (seconds that
           conda-forge has to answer; 20; to make the environment, 45 times as long)
END
}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "reproduce.sh: $*"
  exit 2
}

# --- what a Python is good for ------------------------------------------------------------------------------

version_of() { # "3.11.7", or nothing where there is no working Python
  local words
  words=$("$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null </dev/null) || return 0
  if [[ $words =~ [0-9]+\.[0-9]+(\.[0-9]+)? ]]; then printf '%s' "${BASH_REMATCH[0]}"; fi
}

between() { # is version $1 at least 3.$2 and at most 3.$3
  [[ $1 =~ ^3\.([0-9]+) ]] && ((BASH_REMATCH[1] >= $2 && BASH_REMATCH[1] <= $3))
}

about() { # PYTHON WORD ...: what ams_suite.environment says; it must run before anything is installed
  "$1" -P "$ROOT/src/ams_suite/environment.py" "${@:2}" </dev/null
}

satisfies() { # sets LACKS to what is wrong, in words
  local version
  version=$(version_of "$1")
  LACKS="$1 is ${version:-no working Python}, 3.11 or later is needed"
  between "$version" 11 99 || return 1
  LACKS=$(about "$1" missing suite ${EXTRA:+"$EXTRA"} 2>/dev/null) || LACKS=pip
  [ "$LACKS" != satisfied ] || return 0
  LACKS="$1 lacks $LACKS"
  return 1
}

interpreters() { # the tested versions first, the active Python first among them
  local name path version newer=""
  for name in python3 python3.13 python3.12 python3.11 python; do
    path=$(command -v "$name") || continue
    version=$(version_of "$path")
    if between "$version" 11 13; then printf '%s\n' "$path"; fi
    if between "$version" 14 99; then newer+=$path$'\n'; fi
  done
  printf '%s' "$newer"
}

active_python() {
  local path
  for path in ${VIRTUAL_ENV:+"$VIRTUAL_ENV/bin/python"} ${CONDA_PREFIX:+"$CONDA_PREFIX/bin/python"} \
    "$(command -v python3 || true)"; do
    case $path in "" | "$ROOT/.venv/"*) continue ;; esac # that one is judged by its stamp
    satisfies "$path" || continue
    PYTHON=$path
    return 0
  done
  return 1
}

# --- the place of an environment made here ------------------------------------------------------------------

made_for() { # the checkout for which the environment in $1 was made, as its stamp says
  tail -n 1 -- "$1/.ams-suite" 2>/dev/null || true
}

ours() { # made for this checkout, or free to be; one that a link leads to may be another checkout's
  local root
  root=$(made_for "$1")
  if [ "$root" != "$ROOT" ] && [ "$1" -ef "$root/.venv" ]; then return 1; fi
  [ -e "$1/.ams-suite.lock" ] || [ -z "$(ls -A -- "$1" 2>/dev/null)" ]
}

writable() {
  if [ -e "$1" ]; then [ -d "$1" ] && [ -w "$1" ]; else [ -w "$(dirname -- "$1")" ]; fi
}

elsewhere() { # outside the checkout, a place for each checkout
  local base key
  key=$(printf '%s' "$ROOT" | cksum | cut -d ' ' -f 1)
  for base in ${AMS_ENV:+"$(absolute "$AMS_ENV")"} ${XDG_CACHE_HOME:+"$XDG_CACHE_HOME/ams-suite"} \
    ${HOME:+"$HOME/.cache/ams-suite"} "${TMPDIR:-/tmp}/ams-suite-$UID"; do
    if mkdir -p -- "$base/$key" 2>/dev/null && [ -w "$base/$key" ] && [ -O "$base/$key" ]; then
      PLACE=$base/$key/venv
      if [ -n "${AMS_ENV:-}" ] || [ -O "$base" ]; then return; fi # /tmp may hold another user's trap
    fi
    [ -z "${AMS_ENV:-}" ] || die "AMS_ENV=$AMS_ENV cannot be written: name another folder"
  done
  die "no place for an environment: $ROOT and the cache cannot be written; name a folder with AMS_ENV"
}

choose_place() {
  PLACE=$ROOT/.venv
  if [ -n "${AMS_ENV:-}" ]; then
    elsewhere
  elif ! ours "$PLACE"; then
    if satisfies "$PLACE/bin/python"; then
      PYTHON=$PLACE/bin/python
      return
    fi
    say "environment: $PLACE was not made here and does not serve ($LACKS): left as it is"
    elsewhere
  elif ! ready && ! writable "$PLACE"; then
    say "environment: $ROOT is read-only, so the environment goes elsewhere"
    elsewhere
  fi
}

stamp() { # what a complete environment was made from, and for which checkout
  printf '%s\n%s\n' "$(cat -- "$ROOT/pyproject.toml" "$ROOT/constraints.txt" | cksum)" "$ROOT"
}

python_of_place() {
  local python=$PLACE/conda/bin/python
  [ -x "$python" ] || python=$PLACE/bin/python
  printf '%s' "$python"
}

ready() {
  local python
  python=$(python_of_place)
  [ "$(cat -- "$PLACE/.ams-suite" 2>/dev/null)" = "$(stamp)" ] && satisfies "$python" || return 1
  PYTHON=$python
}

# --- making it ----------------------------------------------------------------------------------------------

lock() { # gone with this process and with whatever outlives it in the place
  exec 9>>"$PLACE/.ams-suite.lock"
  if ! command -v flock >/dev/null; then
    say "environment: no flock here, so do not start two set-ups at once"
  elif ! flock -n 9; then
    say "environment: another run is making $PLACE: waiting for it"
    flock 9
  fi
}

empty_place() {
  find "$PLACE" -mindepth 1 -maxdepth 1 ! -name .ams-suite.lock ! -name 'setup*.log' -exec rm -rf -- {} +
}

make_environment() {
  local lacks=${LACKS:-there is no Python on PATH}
  mkdir -p -- "$PLACE" || die "$PLACE cannot be written: name another folder with AMS_ENV"
  lock
  ready && return
  LOG=$PLACE/setup.log
  if [ "$(made_for "$PLACE")" = "$ROOT" ] && [ -n "$(version_of "$(python_of_place)")" ]; then
    update_environment
  else
    say "environment: one is made, since $lacks"
    if [ -e "$PLACE/pyvenv.cfg" ] || [ -e "$PLACE/conda" ]; then
      say "environment: what $PLACE holds is unfinished or was moved, so it is made anew"
    fi
    empty_place
    LOG=$PLACE/setup-conda.log conda_environment || virtual_environment
  fi
  add_optional "$(python_of_place)" molecules "RDKit and ChemNet, for molecules" "rows on molecules" --only-binary rdkit
  seal
}

update_environment() { # a failure leaves what was there; a kill leaves no stamp, and the next run starts afresh
  local stamp=$PLACE/.ams-suite
  say "environment: bringing $PLACE up to date with pyproject.toml and constraints.txt"
  mv -f -- "$stamp" "$stamp.old"
  install_requirements "$(python_of_place)" && return
  mv -f -- "$stamp.old" "$stamp"
  give_up
}

virtual_environment() {
  local python cause=""
  while IFS= read -r python; do
    say "environment: making $PLACE with $python ($(version_of "$python"))"
    rm -f -- "$PLACE/setup-pip.log"
    if "$python" -m venv "$PLACE" >"$LOG" 2>&1 </dev/null; then
      # pip compiles ten thousand modules one by one, for a minute: here it is done on all cores
      UNCOMPILED=yes install_requirements "$PLACE/bin/python" || give_up
      watched 0 "$PLACE/bin/python" -m compileall -qq -j 0 "$(site_of "$PLACE/bin/python")" || true
      return
    fi
    cause=$(why "$python")
    say "environment: $python: ${cause#*: }"
    empty_place
  done < <(interpreters)
  [ -z "$cause" ] || die "the environment cannot be made: ${cause#*: }. Log: $LOG"
  python=$(command -v python3 || command -v python) || die "no Python on PATH: install Python 3.11 or later"
  die "Python 3.11 or later is needed, $python is $(version_of "$python"): install one, or mamba or conda"
}

site_of() { # where PYTHON has its packages
  "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
}

seal() { # `ams` and the checks can be imported from anywhere; the stamp comes last
  PYTHON=$(python_of_place)
  printf '%s\n' "$ROOT/src" "$ROOT" >"$(site_of "$PYTHON")/ams-suite.pth"
  # shellcheck disable=SC2016  # for the new script to expand
  printf '%s\n' '#!/bin/sh' 'exec "$(dirname -- "$0")/python" -m ams_suite "$@"' >"${PYTHON%/*}/ams"
  chmod +x -- "${PYTHON%/*}/ams"
  stamp >"$PLACE/.ams-suite.new"
  mv -f -- "$PLACE/.ams-suite.new" "$PLACE/.ams-suite"
}

watched() { # run $2... with its output in the log; after $1 seconds (0: never) kill it and its children: 124
  local limit=$1 began=$SECONDS told=$SECONDS job code=0
  set -m # a process group of its own
  "${@:2}" >>"$LOG" 2>&1 </dev/null &
  job=$!
  set +m
  # shellcheck disable=SC2064  # this job's number
  trap "kill -KILL -- -$job 2>/dev/null; exit 130" INT TERM HUP QUIT
  while kill -0 "$job" 2>/dev/null; do
    if ((limit > 0 && SECONDS - began >= limit)); then
      code=124
      kill -KILL -- "-$job" 2>/dev/null || true
      break
    fi
    if ((SECONDS - told >= 15)); then
      told=$SECONDS
      say "  ... $((SECONDS - began)) s: $(tail -n 1 -- "$LOG" | tr -d '\r' | cut -c 1-90)"
    fi
    sleep 0.1
  done
  wait "$job" 2>/dev/null || code=$((code ? code : $?))
  trap - INT TERM HUP QUIT
  return "$code"
}

conda_environment() {
  local conda
  conda=$(command -v mamba || command -v conda || command -v "${CONDA_EXE:-}") || return 1
  if [ -n "$OFFLINE" ]; then
    say "conda: --offline, so $conda is not asked"
    return 1
  fi
  : >"$LOG"
  say "conda: asking conda-forge through $conda (at most $CONDA_TIMEOUT s)"
  with_conda "$CONDA_TIMEOUT" "$conda" search --override-channels -c conda-forge 'python>=3.11' || return 1
  say "conda: making $PLACE/conda from environment.yml (at most $((45 * CONDA_TIMEOUT)) s)"
  with_conda $((45 * CONDA_TIMEOUT)) "$conda" env create -p "$PLACE/conda" -f "$ROOT/environment.yml" || return 1
  satisfies "$PLACE/conda/bin/python" && return
  say "pip: adding what conda-forge does not hold"
  install_requirements "$PLACE/conda/bin/python" || conda_failed $?
}

with_conda() { # run $2... for at most $1 seconds
  CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true watched "$@" || conda_failed $? "$1"
}

conda_failed() { # tell why, in one line; pip is tried next
  local why="failed with exit code $1"
  [ "$1" != 124 ] || why="did not answer within $2 s and was ended"
  say "conda: $why; going on with pip. Log: $LOG, ending: $(tail -n 1 -- "$LOG" | cut -c 1-100)"
  rm -rf -- "$PLACE/conda"
  return 1
}

add_optional() { # PYTHON EXTRA WHAT ROWS, then arguments of pip: not every platform has it, and only these rows need it
  local lacks
  lacks=$(about "$1" missing "$2" 2>/dev/null) || return 0
  [ "$lacks" != satisfied ] && [ -z "$OFFLINE" ] || return 0
  about "$1" requirements "$2" >"$PLACE/requirements.txt"
  say "pip: adding $3. Log: $PLACE/setup-$2.log"
  LOG=$PLACE/setup-$2.log pip_install "$1" "${@:5}" && return
  say "pip: they cannot be had here, so $4 are not run"
}

pip_install() { # PYTHON, then further arguments of pip install
  : >"$LOG"
  rm -f -- "$PLACE/setup-pip.log" "$PLACE/setup-pip.json"
  PIP_USER=0 watched 0 "$1" -m pip --log "$PLACE/setup-pip.log" --no-input --disable-pip-version-check install \
    --report "$PLACE/setup-pip.json" --progress-bar off ${OFFLINE:+--no-index} ${UNCOMPILED:+--no-compile} \
    -r "$PLACE/requirements.txt" "${@:2}" || return
  case " ${*:2} " in *" -c "*) refuse_altered "$1" ;; esac
}

refuse_altered() { # a pinned release from another file than the lock knows: stop before anything installed is run
  local altered
  altered=$("$1" -I -S "$ROOT/src/ams_suite/lock.py" "$PLACE/setup-pip.json" 2>&1 </dev/null) ||
    altered=${altered:-its checksums could not be read}
  [ -n "$altered" ] || return 0
  rm -f -- "$PLACE/.ams-suite" "$PLACE/.ams-suite.old" # the next run makes it anew
  die "the environment is not used, since a file is not the one that was pinned: $altered. Another index" \
    "(PIP_INDEX_URL) may have it; an active environment of your own is used as it is. Log: $LOG"
}

install_requirements() { # pyproject.toml's, into the environment of PYTHON
  local python=$1 cpu cause
  about "$python" requirements suite ${EXTRA:+"$EXTRA"} >"$PLACE/requirements.txt" 2>>"$LOG" || return 1
  if [ "$python" = "$PLACE/conda/bin/python" ]; then # unpinned, so that conda's own releases stay
    pip_install "$python"
    return
  fi
  cpu=$(cpu_index "$python")
  say "pip: installing what pyproject.toml names, as pinned in constraints.txt. Log: $LOG"
  pip_install "$python" -c "$ROOT/constraints.txt" ${cpu:+--extra-index-url "$cpu"} && return
  cause=$(why "$python")
  case $cause in absent:* | conflict:*) ;; *) return 1 ;; esac
  say "pip: the pins cannot be met (${cause#*: }). Trying the ranges of pyproject.toml"
  pip_install "$python" ${cpu:+--extra-index-url "$cpu"}
}

cpu_index() { # without an NVIDIA GPU, spare the gigabytes of CUDA if PyTorch's own index answers
  local url=https://download.pytorch.org/whl/cpu
  if [ "$(uname -s)" != Linux ] || [ -n "$OFFLINE" ] || command -v nvidia-smi >/dev/null ||
    "$1" -m pip config list 2>/dev/null | grep -qE '(index-url|no-index)='; then return; fi # the user decides
  [ -z "$CLUSTER" ] || [ "$PROFILE" != gpu ] || return 0 # the nodes have what this machine lacks
  if LOG=/dev/null watched 5 "$1" -c "import urllib.request as r; r.urlopen('$url/', timeout=4)"; then
    printf '%s' "$url"
  fi
}

why() { # "kind: what went wrong and what to do", as PYTHON reads the logs
  about "$1" cause "$LOG" "$PLACE/setup-pip.log" 2>/dev/null || printf 'unknown: %s' "its log says more"
}

give_up() {
  local cause
  cause=$(why "$(python_of_place)")
  die "the environment cannot be made${OFFLINE:+ (--offline: no index was asked)}: ${cause#*: }. Log: $LOG"
}

# --- the command line ---------------------------------------------------------------------------------------

checkout() { # the folder of this script, whatever links lead to it
  local path=${BASH_SOURCE[0]} link
  while [ -L "$path" ]; do
    link=$(readlink -- "$path")
    case $link in /*) path=$link ;; *) path=$(dirname -- "$path")/$link ;; esac
  done
  CDPATH='' cd -P -- "$(dirname -- "$path")" && pwd -P
}

absolute() { # the caller's path, since the work is done from the checkout
  case $1 in "" | /* | -*) printf '%s' "$1" ;; *) printf '%s' "$CALLER/$1" ;; esac
}

claims_files() {
  local file
  for file in "$ROOT"/analysis/*/claims.toml "$ROOT"/experiments/{,*/}*/claims.toml; do
    [ ! -f "$file" ] || printf '%s\n' "$file"
  done
}

list_claims() { # "id group expected title" of those that IDS names: the list without an environment, which knows no state
  local file line group id title expected names
  while IFS= read -r file; do
    group=${file%/claims.toml} group=${group##*/} id=""
    while IFS= read -r line; do
      case $line in
        '[[claim]]'*) list_claim && id="" names=" $group " ;;
        'id = "'*) id=${line#*\"} id=${id%\"*} names+="$id " ;;
        'title = "'*) title=${line#*\"} title=${title%\"*} ;;
        'paper = ['*) names+="${line//[^A-Za-z0-9_.-]/ } " ;;
        'expected = "'*) expected=${line#*\"} expected=${expected%\"*} ;;
      esac
    done <"$file"
    list_claim
  done < <(claims_files)
}

list_claim() { # one line of the list, if IDS is empty or has one of `names`
  local name
  for name in ${id:+$names}; do
    case "$IDS" in " " | *" $name "*)
      printf '%-5s %-16s expected %-12s %s\n' "$id" "$group" "$expected" "${title//\\\\/\\}"
      return ;;
    esac
  done
}

stated_claims() { # the ids of the paper's claims, for which those that restate them stand
  local line id part=""
  [ -f "$ROOT/paper/outline.toml" ] || return 0
  while IFS= read -r line; do
    case $line in
      '[['*) part=$line ;;
      'id = "'*)
        id=${line#*\"}
        [ "$part" != '[[claim]]' ] || printf ' %s' "${id%\"*}" ;;
    esac
  done <"$ROOT/paper/outline.toml"
}

nearest() { # in a subshell: of KNOWN those one slip away from NAME, case ignored, rather with its first letter
  local place name all="" kept="" patterns=("$1") letters=${#1}
  case $1 in *[!A-Za-z0-9_.-]*) return ;; esac
  for ((place = 0; place <= letters; place++)); do
    patterns+=("${1:0:place}?${1:place}" "${1:0:place}?${1:place+1}" "${1:0:place}${1:place+1}"
      "${1:0:place}${1:place+1:1}${1:place:1}${1:place+2}")
  done
  shopt -s nocasematch
  for name in $KNOWN; do
    for place in "${patterns[@]}"; do
      # shellcheck disable=SC2053  # a pattern
      [[ $name == $place ]] || continue
      if [[ $name == "$1" ]]; then printf '%s' "$name" && return; fi
      all+=" $name"
      if [[ ${name:0:1} == "${1:0:1}" ]]; then kept+=" $name"; fi
      break
    done
  done
  # shellcheck disable=SC2086  # words
  set -- ${kept:-$all}
  printf '%s' "${1:-}"
  for ((place = 2; place <= $# && place <= 6; place++)); do
    if ((place == $# || place == 6)); then printf ' or '; else printf ', '; fi
    printf '%s' "${!place}"
  done
}

unknown_claim() {
  local near
  near=$(nearest "$1")
  [ -z "$near" ] || die "unknown claim or group $1: did you mean $near?"
  die "unknown claim or group $1; see --list"
}

value() { # OPTION VALUE: refuse what cannot be meant, note what bash must know; PENDING is the option that waits for one
  PENDING=""
  case $1 in
    --only | --force | --list)
      IDS+="$2 "
      [ -z "$KNOWN" ] || case "$KNOWN" in *" $2 "*) ;; *) unknown_claim "$2" ;; esac ;;
    --profile)
      PROFILE=$2
      case $2 in auto | quick | cpu | full | gpu | bench) ;; *) die "--profile $2: quick, cpu, full, gpu or bench is expected" ;; esac ;;
    --jobs) [[ $2 =~ ^[1-9][0-9]*$ ]] || die "--jobs $2: a whole number above 0 is expected" ;;
    --out) [ -n "$2" ] || die "--out '': a folder is expected" ;;
    --cluster) [ "$2" = slurm ] || die "--cluster $2: slurm is expected"
      CLUSTER=$2 ;;
    *) die "'$2' is not expected${1:+ after $1}; see --help" ;;
  esac
}

parse() { # all that can be refused before there is an environment
  local word option="" runs=1
  PROFILE=auto IDS=" " PENDING=""
  KNOWN=$(claims_files | while IFS= read -r word; do
    word=${word%/claims.toml} && printf ' %s ' "${word##*/}"
    grep '^id = "' "$word/claims.toml" | cut -d '"' -f 2 | tr '\n' ' '
  done)
  [ -z "$KNOWN" ] || KNOWN="$(stated_claims) $KNOWN"
  for word in "$@"; do
    case $word in -*) [ -z "$PENDING" ] || die "$PENDING: a value is expected; see --help" ;; esac
    case $word in
      -h | --help) usage && exit 0 ;;
      --only | --force | --profile | --jobs | --cluster | --out) option=$word PENDING=$word ;;
      --out=*) value --out "${word#*=}" && word=--out=$(absolute "${word#*=}") runs="" ;;
      --only=* | --force=* | --profile=* | --jobs=* | --cluster=*) value "${word%%=*}" "${word#*=}" && option="" ;;
      --offline | --list | --check | --fetch | --strict | --verbose | -v)
        option=""
        case $word in --offline) OFFLINE=1 ;; --list) option=--list LISTING=1 runs="" ;; --check) runs="" ;; esac ;;
      -*) die "unknown option $word; see --help" ;;
      *)
        value "$option" "$word"
        if [ "$option" = --out ]; then word=$(absolute "$word") runs=""; fi
        case $option in --only | --force | --list) ;; *) option="" ;; esac ;;
    esac
    ARGS+=("$word")
  done
  [ -z "$PENDING" ] || die "$PENDING: a value is expected; see --help"
  [ -z "$runs" ] || writable "$ROOT/results" || die "$ROOT is read-only: name a folder for the results, --out DIR"
}

parse_test() { # pytest's own arguments, --offline apart
  EXTRA="test"
  local word
  for word in "$@"; do
    if [ "$word" = --offline ]; then OFFLINE=1; else ARGS+=("$word"); fi
  done
}

parse_certify() { # options of `ams certify`; bad minutes are refused before there is an environment
  local word before=""
  for word in "$@"; do
    [ "$before" != --minutes ] || minutes "$word"
    case $word in -h | --help) usage && exit 0 ;; --minutes=*) minutes "${word#*=}" ;; esac
    [ "$before" != --out ] || word=$(absolute "$word")
    before=$word
  done
  [ "$before" != --minutes ] || die "--minutes: a value is expected"
  parse_test "$@"
}

minutes() {
  [[ $1 =~ ^[0-9]*\.?[0-9]+$ && $1 =~ [1-9] ]] || die "--minutes $1: a positive number is expected"
}

parse_docs() { # options of `ams docs`, --offline apart
  parse_test "$@"
  EXTRA="docs"
}

parse_bench() { # the profile of the benchmarks, for one thread; options as usual
  EXTRA="bench"
  parse --profile bench "$@"
}

made_here() { # is the environment that was found one of ours? nothing is added to another's
  [ -n "$PLACE" ] && [ -e "$PLACE/.ams-suite" ] && [ "$PYTHON" = "$(python_of_place)" ]
}

for_gpu() {
  [ "$PROFILE" != gpu ] || return 0
  [ "$PROFILE" = auto ] && command -v nvidia-smi >/dev/null || return 1
  "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null </dev/null
}

add_pinned() { # EXTRA WHAT ROWS: at the releases of constraints.txt, but not beside those that conda has chosen
  local pins=(-c "$ROOT/constraints.txt")
  [ "$PYTHON" != "$PLACE/conda/bin/python" ] || pins=()
  [ "$(about "$PYTHON" missing "$1" 2>/dev/null || printf satisfied)" != satisfied ] && [ -z "$OFFLINE" ] && [ -w "$PLACE" ] || return 0
  lock # another run may be adding to this environment; what is missing is asked again then
  add_optional "$PYTHON" "$@" ${pins[@]+"${pins[@]}"}
  exec 9>&-
}

add_scale() { # what the gpu profile alone needs
  made_here && for_gpu || return 0
  add_pinned gpu "diffusers and torch-fidelity, for networks at the paper's scale" "rows on them"
}

add_libraries() { # what the survey of other libraries' samplers needs, in the profiles cpu and full
  case $PROFILE in cpu | full) ;; auto) ! for_gpu || return 0 ;; *) return 0 ;; esac
  made_here || return 0
  add_pinned conformance "diffusers, azula and smalldiffusion, for the survey of their samplers" "rows on them"
  [ "$PROFILE" != full ] ||
    add_pinned survey "denoising-diffusion-pytorch, MONAI and refiners, for the rest" "rows on them"
  add_peer
}

add_peer() { # k-diffusion without what only its training needs; its rows are not run where it cannot be had
  local name=k-diffusion
  has "$name" && return
  [ -z "$OFFLINE" ] && made_here && [ -w "$PLACE" ] || return 0
  lock
  if has "$name"; then # another run has added it meanwhile
    exec 9>&-
    return
  fi
  rm -f -- "$PLACE/setup-pip.json"
  if PIP_USER=0 "$PYTHON" -m pip --no-input --disable-pip-version-check install -q --no-deps \
    --report "$PLACE/setup-pip.json" -c "$ROOT/constraints.txt" "$name" >&2; then
    refuse_altered "$PYTHON"
  else
    say "pip: no $name, so its rows are not run"
  fi
  exec 9>&-
}

has() { # is this distribution installed?
  "$PYTHON" -c "import importlib.metadata as m; m.version(\"$1\")" 2>/dev/null </dev/null
}

add_cluster() { # Snakemake's plugin; without it one line says how to have it
  [ -n "$CLUSTER" ] && made_here || return 0
  add_pinned cluster "Snakemake's executor for SLURM" "jobs on a cluster"
}

find_environment() {
  active_python && return
  choose_place
  [ -n "$PYTHON" ] || ready || {
    if [ -n "$LISTING" ]; then list_claims && exit 0; fi
    make_environment
    say "environment: $PYTHON ($(version_of "$PYTHON")), ready in $SECONDS s"
  }
  exec 9>&- # the lock is for the set-up alone
  PATH=$(dirname -- "$PYTHON"):$PATH
}

lint() {
  "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check . && "$PYTHON" -m mypy &&
    "$PYTHON" -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-cache
}

prepare_child() { # one thread a process, one checkout for every import
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} MKL_NUM_THREADS=${MKL_NUM_THREADS:-1}
  export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
  export PYTHONPATH=$ROOT/src:$ROOT${PYTHONPATH:+:$PYTHONPATH}
  [ -w "$ROOT" ] || export PYTHONDONTWRITEBYTECODE=1 PYTEST_ADDOPTS="-p no:cacheprovider ${PYTEST_ADDOPTS:-}"
  cd -- "$ROOT"
}

main() {
  local word=reproduce
  { : 8<&0; } 2>/dev/null || exec </dev/null # a closed one would be taken by the first file opened
  CALLER=$PWD ROOT=$(checkout) PYTHON="" PLACE="" LOG=/dev/null LACKS="" EXTRA="" PROFILE="" CLUSTER="" LISTING="" OFFLINE="" UNCOMPILED="" ARGS=()
  [ -f "$ROOT/pyproject.toml" ] || die "$ROOT has no pyproject.toml: run this script in a whole checkout"
  case $ROOT in *:*) die "$ROOT: Python's search path cannot hold a colon; move the checkout" ;; esac
  case ${1:-} in
    certify) word=$1 && shift && parse_certify "$@" ;;
    test | lint) word=$1 && shift && parse_test "$@" ;;
    bench) word=$1 && shift && parse_bench "$@" ;;
    docs) word=$1 && shift && parse_docs "$@" ;;
    "" | -*) parse "$@" ;;
    *) die "'$1' is not known: 'certify', 'test', 'lint', 'bench', 'docs' or options are expected (see --help)" ;;
  esac
  CONDA_TIMEOUT=${AMS_CONDA_TIMEOUT:-20}
  [[ $CONDA_TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || die "AMS_CONDA_TIMEOUT=$CONDA_TIMEOUT: whole seconds are expected"
  trap 'die "the environment cannot be made: line $LINENO failed. Log: $LOG"' ERR
  find_environment
  [ "$word" != bench ] || add_peer
  add_scale
  [ "$word" != reproduce ] || add_libraries
  add_cluster
  trap - ERR
  prepare_child
  [ "$word" != test ] || [ -n "${ARGS[*]-}" ] || ARGS=(-n auto --maxprocesses 4 --dist loadfile)
  case $word in
    test) exec "$PYTHON" -m pytest ${ARGS[@]+"${ARGS[@]}"} ;;
    lint) lint ;;
    docs) exec "$PYTHON" -m ams_suite docs ${ARGS[@]+"${ARGS[@]}"} ;;
    certify) AMS_SETUP_SECONDS=$SECONDS exec "$PYTHON" -m ams_suite certify ${ARGS[@]+"${ARGS[@]}"} ;;
    *)
      ((SECONDS < 5)) || export AMS_SETUP_SECONDS=$SECONDS # what the run adds to its own time
      exec "$PYTHON" -m ams_suite reproduce ${ARGS[@]+"${ARGS[@]}"} ;;
  esac
}

main "$@"
