"""Compares Kelter's archives with what zstd and pyzstd make of them, and reads pyzstd's."""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import pyzstd


def main():
    kelter, path = os.environ["KELTER"], pathlib.Path(sys.argv[1])
    content = path.read_bytes()

    def run(*arguments):
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    def expect(condition, what):
        if not condition:
            sys.exit(f"{path}: {what}")

    with tempfile.TemporaryDirectory() as temporary:
        archive, restored = pathlib.Path(temporary, "a.kelter.zst"), pathlib.Path(temporary, "b")
        run(kelter, "pack", path, "-o", archive, "--quiet")
        run("zstd", "-dq", archive, "-o", restored)
        expect(restored.read_bytes() == content, "zstd -d restores other bytes")
        generator = random.Random(1)
        with pyzstd.SeekableZstdFile(archive) as file:
            expect(file.read() == content, "pyzstd reads other bytes")
            for _ in range(100):
                place = generator.randrange(len(content))
                file.seek(place)
                expect(
                    file.read(1000) == content[place:place + 1000],
                    f"pyzstd reads other bytes at {place}")
        for size in 10_000, 1 << 20, 1 << 30:
            with pyzstd.SeekableZstdFile(archive, "w", max_frame_content_size=size) as file:
                file.write(content)
            run(kelter, "verify", archive, "--quiet")
            run(kelter, "unpack", archive, "-o", restored, "--force", "--quiet")
            expect(restored.read_bytes() == content, f"unpacks other bytes, frames of {size}")
    print(f"{path.name}: zstd and pyzstd read what Kelter packs, and Kelter what pyzstd packs")


if __name__ == "__main__":
    main()
