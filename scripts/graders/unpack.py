#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unpack a zip file into a folder, within limits.

    unpack.py ZIP FOLDER MOST-FILES MOST-BYTES

For machines without unzip. Links are left out, and no name leads out of FOLDER.
"""

import stat
import sys
import zipfile
from pathlib import Path

archive, folder, most_files, most_bytes = sys.argv[1:]
left = int(most_bytes)
with zipfile.ZipFile(archive) as file:
    entries = [e for e in file.infolist() if not e.is_dir()]
    if len(entries) > int(most_files):
        sys.exit(3)
    for entry in entries:
        parts = [p for p in entry.filename.split("/") if p not in ("", ".", "..")]
        if not parts or stat.S_ISLNK(entry.external_attr >> 16):
            continue
        path = Path(folder, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        # The size that the zip states may be wrong: count the bytes.
        with file.open(entry) as source, path.open("wb") as target:
            while piece := source.read(65536):
                left -= len(piece)
                if left < 0:
                    sys.exit(3)
                target.write(piece)
