#!/usr/bin/env bash
# Judges $SAMPLERS at the commit $BASE and in the working tree, and writes both beside each other to $COMMENT and to
# standard output. Exit code 1 where a verdict or an order is worse than the base's, where a sampler of the base is not
# judged any more, and where none is judged. The working tree is left as it is. No token is in the environment of the
# code that is judged, nor a file by which a step of a workflow changes later ones.
set -uo pipefail
unset GH_TOKEN GITHUB_TOKEN ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN
unset GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
unset GITHUB_STEP_SUMMARY
SAMPLERS=${SAMPLERS//$'\n'/ } # one command, on however many lines
minutes=${TIMEOUT:-10}
seconds=$(awk -v minutes="$minutes" 'BEGIN { print minutes * 60 }')
work=$(mktemp -d) || exit 2
trap 'git worktree remove --force "$work/base" 2>/dev/null; rm -rf -- "$work"' EXIT

reports() { # FOLDER FILE: the reports on the code of a folder, none where it cannot be installed or has no sampler
  local expected=()
  printf '[]' >"$2"
  (cd -- "$1" && timeout --kill-after=10 "${minutes}m" bash -c "$INSTALL" >&2) || {
    printf 'cannot be installed, or not within %s minutes: %s\n' "$minutes" "$1" >&2
    return
  }
  if [ -n "${EXPECTED:-}" ] && { [ "$1" = . ] || [ -f "$1/$EXPECTED" ]; }; then expected=(--expected "$EXPECTED"); fi
  (cd -- "$1" && bash -c "samplercheck --json --timeout $seconds $SAMPLERS "'"$@"' - "${expected[@]}") >"$2.new"
  case $? in 0 | 1 | 3 | 4) mv -- "$2.new" "$2" ;; esac
}

printf '[]' >"$work/base.json"
if [ -n "${BASE:-}" ]; then
  git cat-file -e "$BASE^{commit}" 2>/dev/null ||
    git fetch --quiet --depth=1 origin "$BASE" 2>/dev/null # a shallow checkout lacks it
  git worktree add --quiet --detach "$work/base" "$BASE" && reports "$work/base" "$work/base.json"
fi
reports . "$work/head.json"
# Away from the code that is judged: a module of it could have the name of one that the kit imports.
(cd -- "$work" && python -m samplercheck.beside base.json head.json >comment.md)
worse=$?
cat -- "$work/comment.md"
cat -- "$work/comment.md" >>"$summary"
[ -z "${COMMENT:-}" ] || cp -- "$work/comment.md" "$COMMENT"
exit "$worse"
