#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Classroom 50: check one submission and write result.json.

Put this file into the assignment's folder of the autograders, next to a copy of
this repository in a folder 'wouldblock'. It runs in the student's checkout.
WB_EXERCISES names the exercises that count; without it, all of them do.
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
