"""Fetch the two things that the site takes from others: KaTeX, which sets formulas, and a shim that lets search run.

They come from npm in pinned versions with known digests, once, into ``docs/assets/vendor``. The built site carries them
with it: it opens from a folder, and asks no host for anything.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A package of npm: its version, the digest of its archive, and which of its files are taken, under which names."""

    name: str
    version: str
    sha256: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "katex",
        "0.19.1",
        "24da5a599eb2fcede2e270b99a6ff48bca816beecc95feeb84e8cccbd1bb34fd",
        {
            r"dist/katex\.min\.(js|css)": r"katex.min.\1",
            r"dist/fonts/(.+\.woff2)": r"fonts/\1",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        "iframe-worker",
        "1.0.4",
        "e8c5d12d87829c503afba01d67772ea9f4aba5b7ae57a0c98e1917711030efbb",
        {r"shim/index\.js": "shim.js", "LICENSE": "LICENSE"},
    ),
)


def fetch(folder: Path) -> list[str]:
    """Bring every package that is not there yet into a folder of its own; return which ones were brought."""
    brought = []
    for package in PACKAGES:
        place = folder / package.name
        stamp = place / "VERSION"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == package.version:
            continue
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryDirectory() as temporary:
            _unpack(_download(package, Path(temporary)), package, place)
        stamp.write_text(package.version, encoding="utf-8")
        brought.append(f"{package.name} {package.version}")
    return brought


def _download(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(f"npm is needed, once, to fetch {package.name} for the documentation: install Node.js (nodejs.org)")
    command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    archive = folder / f"{package.name}-{package.version}.tgz"
    if done.returncode != 0 or not archive.is_file():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        sys.exit(f"npm could not fetch {package.name} {package.version}: {reason}")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        sys.exit(f"{package.name} {package.version} from npm has the digest {digest}, not {package.sha256}: not used")
    return archive


def _unpack(archive: Path, package: Package, place: Path) -> None:
    """Write the wanted files; a name in the archive decides nothing but which file it is."""
    missing = set(package.files)
    with tarfile.open(archive) as members:
        for member in members:
            for pattern, target in package.files.items():
                match = re.fullmatch("package/" + pattern, member.name)
                content = members.extractfile(member) if match and member.isfile() else None
                if match and content is not None:
                    path = place / match.expand(target)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
                    missing.discard(pattern)
    if missing:
        sys.exit(f"{package.name} {package.version} has no file {', '.join(sorted(missing))}")
