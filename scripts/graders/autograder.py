#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Classroom 50: checks one submission, and leaves result.json behind.

Lies beside a copy of this repository, in a folder 'wouldblock', in the
assignment's folder of the autograders; it is run in the student's checkout.
WB_EXERCISES chooses what counts; all exercises if it is not set.
"""

import os
import subprocess
import sys
from pathlib import Path

exercise = Path(__file__).resolve().parent / "wouldblock" / "scripts" / "exercise"
sys.exit(
    subprocess.run(
        [
            str(exercise), "check", "--all",
            "--format", "classroom50",
            "--only", os.environ.get("WB_EXERCISES", ""),
            "--dir", os.environ.get("WB_SUBMISSION", "practice"),
            "--output", "result.json",
        ],
        check=False,
    ).returncode
)
