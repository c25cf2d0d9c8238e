# SPDX-License-Identifier: MIT
#
# Contract: echo-server --one-at-a-time --idle
# Verdict:  none
#
# The server is a child of the script.
echo "a server for port $1"
perl "$(dirname "$0")/echo_right.pl" "$1"
echo 'it has ended'
