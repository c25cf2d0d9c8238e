# SPDX-License-Identifier: MIT
#
# Contract: echo-server --one-at-a-time
# Verdict:  none
#
# The same program keeps a milder contract.
import os
import runpy

runpy.run_path(os.path.join(os.path.dirname(__file__), "echo_one.py"))
