#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - makes a Gradescope image ready. It is run once, when the zip has
# been uploaded, as root; the zip lies in /autograder/source then. What is
# missing is installed and built now: to check a submission needs no network.
set -e
here=${AUTOGRADER:-/autograder}/source
"$here/wouldblock/scripts/exercise" install
"$here/wouldblock/scripts/exercise" doctor
# A submission runs as another user, who is not to find the solutions.
chmod 700 "$here/wouldblock"
