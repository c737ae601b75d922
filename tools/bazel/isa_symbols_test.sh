#!/bin/bash
# Refuses weak and unique symbols in the archives of an rm_isa_library. The linker keeps one copy of
# such a symbol for the whole program: one compiled for AVX-512 would then run on every machine.
set -u
status=0
for archive in "$@"; do
  case "$archive" in *.a) ;; *) continue ;; esac
  weak=$(nm -C "$archive" | grep -E ' [WVu] ')
  if [ -n "$weak" ]; then
    echo "$archive: weak symbols in per-ISA code, limit 0:"
    echo "$weak"
    echo "Take std templates and inline functions out of the per-ISA source file."
    status=1
  fi
done
exit $status
