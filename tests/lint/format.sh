#!/bin/bash
# Check that clang-format would change no C file; `tests/lint/format.sh --mend` formats them.
set -euo pipefail
cd -- "$(dirname -- "$0")/../.."

how=(--dry-run -Werror)
[ "${1-}" != --mend ] || how=(-i)

findings=$(find src tests -name '*.[ch]' -print0 | xargs -0 -r clang-format-14 "${how[@]}" 2>&1) && exit 0

awk -F: '/error: code should be/ { n[$1]++; first[$1] = first[$1] ? first[$1] : $2 }
        END { for (file in n) printf "%s:%d: not as clang-format writes it (%d places)\n", file, first[file], n[file] }' <<<"$findings" | sort
exit 1
