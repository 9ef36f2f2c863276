#!/usr/bin/env bash
# Prints a folder with llama.cpp, built on the first call (some minutes) from the sources inside the
# package llama-cpp-python on PyPI, outside this repository: build/bin has llama-quantize and
# libggml-base.so, source has convert_hf_to_gguf.py. Built as llama.cpp builds by default: Release,
# for this machine's processor. $LLAMA_CPP names such a folder to use instead.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=0.3.36
sum=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e

if [ -n "${LLAMA_CPP:-}" ]; then
  echo "$LLAMA_CPP"
  exit 0
fi
folder="${XDG_CACHE_HOME:-$HOME/.cache}/kelter/llama.cpp-$version"
if [ ! -e "$folder/complete" ]; then
  scripts/install-packages cmake g++ ninja-build
  echo "Building llama.cpp in $folder …" >&2
  rm -rf "$folder"
  mkdir -p "$folder"
  # Not by pip, which would want to build the whole package.
  python3 - "$version" "$sum" "$folder/package.tar.gz" >&2 <<'PYTHON'
import hashlib
import json
import sys
import urllib.parse
import urllib.request

version, expected, path = sys.argv[1:]
index = "https://pypi.org/simple/llama-cpp-python/"
accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
with urllib.request.urlopen(urllib.request.Request(index, headers=accept)) as answer:
    files = {file["filename"]: file["url"] for file in json.load(answer)["files"]}
url = urllib.parse.urljoin(index, files[f"llama_cpp_python-{version}.tar.gz"])
with urllib.request.urlopen(url) as answer:
    package = answer.read()
if hashlib.sha256(package).hexdigest() != expected:
    sys.exit(f"{url}: its SHA-256 is not {expected}")
with open(path, "wb") as out:
    out.write(package)
PYTHON
  tar -xzf "$folder/package.tar.gz" -C "$folder" --strip-components 2 \
    "llama_cpp_python-$version/vendor/llama.cpp"
  mv "$folder/llama.cpp" "$folder/source"
  rm "$folder/package.tar.gz"
  (
    nice cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
      -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
      -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF
    nice ninja -C "$folder/build" llama-quantize
  ) >"$folder/build.log" 2>&1 || { tail -n 30 "$folder/build.log" >&2; exit 1; }
  touch "$folder/complete"
fi
echo "$folder"
