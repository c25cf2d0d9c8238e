# SPDX-License-Identifier: MIT
#
# Contract: echo-server
# Verdict:  WRONG_PORT
#
# Listens, but not where it was told to.
exec perl "$(dirname "$0")/echo_right.pl" $(($1 + 1))
