#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - prepare a Gradescope image. Gradescope runs it once, as root, after
# the zip was uploaded and unpacked to /autograder/source. It installs and builds
# everything now, so that checking a submission needs no network.
set -e
here=${AUTOGRADER:-/autograder}/source
export DEBIAN_FRONTEND=noninteractive # no package may ask a question
"$here/wouldblock/scripts/exercise" install
"$here/wouldblock/scripts/exercise" doctor
# Try it now: in an image that cannot check programs, every grade would be wrong.
"$here/wouldblock/scripts/exercise" prove 'accept: reference' \
    'accept: wrong EOF_IGNORED who has left is kept'
# Submissions run as another user, who must not read the solutions.
chmod 700 "$here/wouldblock"
