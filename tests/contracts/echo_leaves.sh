# SPDX-License-Identifier: MIT
#
# Contract: echo-server
# Verdict:  ENDS_EARLY
#
# Has ended before anybody comes.
echo "cannot listen on port $1: no reason" >&2
exit 3
