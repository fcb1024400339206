#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs a fuzz target for some seconds, beginning with the XML of the other tests.
#
# usage: run.sh TARGET SECONDS DICTIONARY DIRECTORY…
#
# For longer by hand: meson compile -C build fuzz-domain, then this with more seconds.
# VIR_TEAMING_FUZZ_CORPUS names a directory that keeps what was found between runs.

set -eu

target=$1
seconds=$2
dictionary=$3
shift 3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
corpus=${VIR_TEAMING_FUZZ_CORPUS:-$scratch/corpus}
mkdir -p "$corpus"

# Not exec: what was written must be removed in the end.
"$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 \
    -dict="$dictionary" -artifact_prefix="$scratch/" -print_final_stats=1 \
    "$corpus" "$@" 2> "$scratch/log" || {
    tail -40 "$scratch/log"
    for input in "$scratch"/crash-* "$scratch"/timeout-* "$scratch"/leak-* "$scratch"/oom-*; do
        if [ -f "$input" ]; then
            echo "input, in base64:"
            base64 "$input"
        fi
    done
    exit 1
}
tail -8 "$scratch/log"
