#!/usr/bin/env bash
# Judges $SAMPLERS at the commit $BASE and in the working tree, prints both beside each other, comments on $PULL_REQUEST.
# Exit code 1 where a verdict or an order is worse than the base's. The working tree is left as it is.
set -uo pipefail
work=$(mktemp -d) || exit 2
trap 'git worktree remove --force "$work/base" 2>/dev/null; rm -rf -- "$work"' EXIT

reports() { # FOLDER FILE: the reports on the code of a folder; a sampler that is not there yet leaves them empty
  (cd -- "$1" && bash -c "$INSTALL" >&2 && bash -c "samplercheck $SAMPLERS --json") >"$2"
  case $? in 0 | 1 | 4) ;; *) printf '[]' >"$2" ;; esac
}

printf '[]' >"$work/base.json"
if [ -n "${BASE:-}" ]; then
  git fetch --quiet --depth=1 origin "$BASE" 2>/dev/null # a shallow checkout lacks it
  git worktree add --quiet --detach "$work/base" "$BASE" && reports "$work/base" "$work/base.json"
fi
reports . "$work/head.json"
python -m samplercheck.beside "$work/base.json" "$work/head.json" >"$work/comment.md"
worse=$?
cat "$work/comment.md"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$work/comment.md" >>"$GITHUB_STEP_SUMMARY"
if [ "${COMMENT:-true}" = true ] && [ -n "${PULL_REQUEST:-}" ]; then
  gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file "$work/comment.md" ||
    printf 'no comment could be written: give the job the permission pull-requests: write\n' >&2
fi
exit "$worse"
