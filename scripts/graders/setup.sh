#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - prepare a Gradescope image. Gradescope runs it once, as root, after
# the zip was uploaded and unpacked to /autograder/source. It installs and builds
# everything now, so that checking a submission needs no network.
set -e
here=${AUTOGRADER:-/autograder}/source
"$here/wouldblock/scripts/exercise" install
"$here/wouldblock/scripts/exercise" doctor
# Submissions run as another user, who must not read the solutions.
chmod 700 "$here/wouldblock"
