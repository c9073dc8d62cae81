#!/usr/bin/env bash
# Runs the C++ test executables of a build folder: run.sh BUILD [--no-fuzz | --fuzz-only SECONDS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1
mode=${2:-}
seconds=${3:-2}
export TSAN_OPTIONS="halt_on_error=1"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1"
library=$(python3 -c "from lprfast._ort_library import ort_library_path; print(ort_library_path())")
export ORT_DISABLE_TELEMETRY=1

if [ "$mode" != --fuzz-only ]; then
  for test in "$build"/test_*; do
    [ -x "$test" ] && [ -f "$test" ] || continue
    echo "$(basename "$test")"
    "$test" "$library" "$here/../../lprfast/models/default.onnx"
  done
fi
if [ "$mode" != --no-fuzz ]; then
  for fuzz in "$build"/fuzz_*; do
    [ -x "$fuzz" ] && [ -f "$fuzz" ] || continue
    echo "$(basename "$fuzz") $seconds s"
    "$fuzz" "$seconds"
  done
fi
